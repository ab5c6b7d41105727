include: "claims_common.smk"


rule collect_claims:
    """Collect what files and the roster say of how a group's models were made."""
    input:
        fingerprints=group_fingerprints,
    output:
        table="results/groups/{group}/claims.csv",
    log:
        "logs/collect_claims/{group}.log",
    benchmark:
        "benchmarks/collect_claims/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.description_mb),
        runtime=group_minutes(group_needs.matrices_minutes),
    params:
        method=METHOD["collect_claims"],
        facts=CLAIM_FACTS,
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        roster=lambda wildcards: beliefs(),
    message:
        "Collecting what is said of the making of {wildcards.group}"
    script:
        "../scripts/claims/collect_claims.py"
