from atlas.distances import resources as needs


def distances_mem_mb(wildcards, threads, attempt):
    """Return the memory of a shard's job, doubled on every retry."""
    memory = needs.distances_mb(
        models=len(MODELS),
        shards=len(SHARDS),
        threads=threads,
        memory_mb=config["distances"]["memory_mb"],
    )
    return (memory + AROUND_MB) * 2 ** (attempt - 1)


def distances_runtime(wildcards, input, threads, attempt):
    """Return the minutes of a shard's job when all is new, doubled on every retry."""
    minutes = needs.distances_minutes(
        models=len(MODELS),
        size_mb=input.size_mb,
        shards=len(SHARDS),
        threads=threads,
    )
    return minutes * 2 ** (attempt - 1)
