include: "proofs_common.smk"


rule prove_recipes:
    """Make a group's recipes again from their parents, and count what is equal bit for bit."""
    input:
        fits="results/groups/{group}/fits.parquet",
        distances="results/groups/{group}/distances.parquet",
        fingerprints=group_fingerprints,
        renamings="results/renamings.json",
    output:
        table="results/groups/{group}/proofs.csv",
    log:
        "logs/prove_recipes/{group}.log",
    benchmark:
        "benchmarks/prove_recipes/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    threads: config["distances"]["threads"]
    resources:
        mem_mb=proofs_mem_mb,
        runtime=proofs_runtime,
    params:
        method=METHOD["prove_recipes"],
        models=lambda wildcards: sorted(GROUPS[wildcards.group].models),
        checkpoints=lambda wildcards: checkpoints_of(GROUPS[wildcards.group].models),
        is_wanted=config["lineage"]["prove"],
    message:
        "Making the recipes of {wildcards.group} again, bit for bit"
    script:
        "../scripts/proofs/prove_recipes.py"
