include: "distances_common.smk"


rule distances:
    """Every pair of distinct contents, measured; kept in shards."""
    input:
        shard_files,


rule measure_distances:
    """Measure the pairs of contents that a shard lacks."""
    input:
        fingerprints=all_fingerprints,
        renamings="results/renamings.json",
        checkpoints=all_checkpoints,
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
        disk_mb=needs.distances_disk_mb(models=len(MODELS), shards=len(SHARDS)),
        runtime=distances_runtime,
        gpu=1 if config["distances"]["device"] == "cuda" else 0,
    params:
        method=METHOD["measure_distances"],
        shards=len(SHARDS),
        keep_absent=config["distances"]["keep_absent"],
        checkpoints=[str(MODELS[model].path) for model in sorted(MODELS)],
    message:
        "Measuring the missing distances of shard {wildcards.shard}"
    script:
        "../scripts/distances/measure_distances.py"
