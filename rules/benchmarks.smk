include: "benchmarks_common.smk"


rule benchmarks:
    """What the jobs so far took, beside what was declared: results/benchmarks.csv and a picture."""
    input:
        table="results/benchmarks.csv",
        picture="results/benchmarks.png",


# Reads what is there, and is asked for by name alone: no other job is made for it. It has no
# benchmark of its own, which would be a reason to run it again.
rule summarise_benchmarks:
    """Write the table and the picture of what jobs took."""
    output:
        table="results/benchmarks.csv",
        png=report(
            "results/benchmarks.png",
            category="Benchmarks",
            labels={"show": "time and memory of each rule"},
            caption="../docs/captions/benchmarks.rst",
        ),
        svg="results/benchmarks.svg",
    log:
        "logs/summarise_benchmarks/all.log",
    localrule: True
    conda:
        "../envs/plots.yaml"
    params:
        method=METHOD["summarise_benchmarks"],
        folder=str(declared.FILE.parent),
        state=benchmarks_state,
    message:
        "Summarising what jobs took"
    script:
        "../scripts/benchmarks/summarise_benchmarks.py"
