rule describe_models:
    """Tell what each file of the roster holds, its dtypes, and what is wrong with it."""
    input:
        fingerprints=all_fingerprints,
    output:
        table="results/models.csv",
        page="results/models.md",
        html=report(
            "results/models.html",
            category="Models",
            labels={"model": "all models"},
            caption="../docs/captions/models.rst",
        ),
        folder=report(
            directory("results/models"),
            patterns=["{model}.html"],
            category="Models",
            labels={"model": "{model}"},
            caption="../docs/captions/models.rst",
        ),
    log:
        "logs/describe_models/all.log",
    benchmark:
        "benchmarks/describe_models/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["describe_models"],
        models=list(MODELS),
        labels=lambda wildcards: labels_of(MODELS),
    message:
        "Describing what each model holds"
    script:
        "../scripts/models/describe_models.py"


rule describe_group:
    """Tell what each model of a group holds and takes on disk, and what was noticed of it."""
    input:
        fingerprints=group_fingerprints,
    output:
        table="results/groups/{group}/models.csv",
        noticed="results/groups/{group}/findings.json",
    log:
        "logs/describe_group/{group}.log",
    benchmark:
        "benchmarks/describe_group/{group}.tsv"
    wildcard_constraints:
        group=one_of(WEIGHED),
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.description_mb),
        runtime=group_minutes(group_needs.matrices_minutes),
    params:
        method=METHOD["describe_group"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        checkpoints=lambda wildcards: checkpoints_of(GROUPS[wildcards.group].models),
    message:
        "Describing what each model of {wildcards.group} holds"
    script:
        "../scripts/models/describe_group.py"


# Fails, last of all, where a checkpoint could not be read: the others' results are made by then.
rule check_models:
    """Fail, last of all, where a checkpoint of the roster could not be read."""
    input:
        table="results/models.csv",
    output:
        touch("results/.models_checked"),
    log:
        "logs/check_models/all.log",
    benchmark:
        "benchmarks/check_models/all.tsv"
    localrule: True  # a second's work, not worth a job of a cluster
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["check_models"],
    message:
        "Checking that every model of the roster could be read"
    script:
        "../scripts/models/check_models.py"
