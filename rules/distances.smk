include: "distances_common.smk"


rule distances:
    """Every pair of distinct contents, measured; kept in shards."""
    input:
        shard_files,


# The register stands for all fingerprints: Snakemake notes every input beside every output.
rule collect_contents:
    """Write what each shard has to know of the models: distinct contents and where they lie."""
    input:
        fingerprints="results/fingerprints.csv",
        renamings="results/renamings.json",
    output:
        tables=expand("results/contents/{shard}.parquet", shard=SHARDS),
    log:
        "logs/collect_contents/all.log",
    benchmark:
        "benchmarks/collect_contents/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: (
            needs.contents_mb(models=len(MODELS)) + AROUND_MB
        )
        * 2 ** (attempt - 1),
        runtime=needs.contents_minutes(models=len(MODELS)),
    params:
        method=METHOD["collect_contents"],
        shards=len(SHARDS),
        with_models=CHOOSES_PAIRS,
    message:
        "Collecting what each shard has to know of the models"
    script:
        "../scripts/distances/collect_contents.py"


rule measure_distances:
    """Measure the pairs of contents that a shard lacks."""
    input:
        needs_roster,
        contents="results/contents/{shard}.parquet",
        pairs="results/chosen_pairs.parquet" if CHOOSES_PAIRS else [],
    output:
        table=update("results/distances/{shard}.parquet"),
    log:
        "logs/measure_distances/{shard}.log",
    benchmark:
        "benchmarks/measure_distances/{shard}.tsv"
    conda:
        (
            "../envs/weights_cuda.yaml"
            if config["distances"]["device"] == "cuda"
            else "../envs/weights.yaml"
        )
    threads: config["distances"]["threads"]
    resources:
        mem_mb=distances_mem_mb,
        disk_mb=needs.distances_disk_mb(
            models=len(MODELS), shards=len(SHARDS), pairs=measured_pairs()
        ),
        runtime=distances_runtime,
        gpu=1 if config["distances"]["device"] == "cuda" else 0,
    params:
        method=METHOD["measure_distances"],
        shards=len(SHARDS),
        keep_absent=config["distances"]["keep_absent"],
    message:
        "Measuring the missing distances of shard {wildcards.shard}"
    script:
        "../scripts/distances/measure_distances.py"


rule nearest:
    """The nearest models of each by sketch, without a distance measured: results/nearest.csv."""
    input:
        "results/nearest.csv",


rule choose_pairs:
    """Choose the pairs of models that are measured: the nearest by sketch, and those of groups."""
    input:
        fingerprints=unless_at_hand("choose_pairs", all_fingerprints),
        renamings="results/renamings.json",
    output:
        pairs="results/chosen_pairs.parquet",
        neighbours="results/nearest.csv",
    log:
        "logs/choose_pairs/all.log",
    benchmark:
        "benchmarks/choose_pairs/all.tsv"
    conda:
        "../envs/weights.yaml"
    threads: config["distances"]["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: (
            needs.choosing_mb(models=len(MODELS)) + AROUND_MB
        )
        * 2 ** (attempt - 1),
        runtime=lambda wildcards, attempt: needs.choosing_minutes(models=len(MODELS))
        * 2 ** (attempt - 1),
    params:
        method=METHOD["choose_pairs"],
        nearest=config["distances"]["nearest"],
        groups=lambda wildcards: own_models_of_groups(),
    message:
        "Choosing the pairs of models to measure by sketch"
    script:
        "../scripts/distances/choose_pairs.py"
