"""The library behind the workflow: it imports nothing of Snakemake."""
