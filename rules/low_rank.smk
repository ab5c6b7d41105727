include: "low_rank_common.smk"


rule find_low_rank:
    """Tell of a group's models which differ from the ones that they were made from by a baked LoRA."""
    input:
        fits=group_fits,
        fingerprints=group_fingerprints,
        renamings="results/renamings.json",
    output:
        table="results/groups/{group}/low_rank.csv",
    log:
        "logs/find_low_rank/{group}.log",
    benchmark:
        "benchmarks/find_low_rank/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=low_rank_mem_mb,
        runtime=group_minutes(low_rank_minutes),
    params:
        method=METHOD["find_low_rank"],
        models=lambda wildcards: sorted(GROUPS[wildcards.group].models),
        checkpoints=lambda wildcards: paths_of(GROUPS[wildcards.group].models),
        bases=bases_of_group,
    message:
        "Looking for baked LoRAs among the models of {wildcards.group}"
    script:
        "../scripts/low_rank/find_low_rank.py"


rule compare_low_rank:
    """Tell whether the difference of two models is of low rank: a LoRA that was baked in."""
    input:
        fingerprints=pair_fingerprints,
        renamings="results/renamings.json",
    output:
        table="results/pairs/{a}/{b}.low_rank.csv",
    log:
        "logs/compare_low_rank/{a}/{b}.log",
    benchmark:
        "benchmarks/compare_low_rank/{a}/{b}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=low_rank_mem_mb,
        runtime=lambda wildcards, attempt: low_rank_minutes(2) * 2 ** (attempt - 1),
    params:
        method=METHOD["compare_low_rank"],
        checkpoints=lambda wildcards: paths_of([wildcards.a, wildcards.b]),
    message:
        "Looking at the rank of what {wildcards.a} and {wildcards.b} differ by"
    script:
        "../scripts/low_rank/compare_low_rank.py"
