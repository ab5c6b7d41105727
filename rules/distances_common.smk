from atlas.distances import resources as needs

# Whether only chosen pairs of models are measured.
CHOOSES_PAIRS = config["distances"]["pairs"] == "nearest"


@cache
def weights_mb():
    """Return the MB of all checkpoints: of those that are there, or of as many imagined ones."""
    if ROSTER is not PRESENT:
        return imagined_mb() * len(MODELS)
    files = (Path(file) for model in MODELS.values() for file in model_files(model))
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


@cache
def measured_pairs():
    """Return how many pairs of models are measured at most."""
    of_all = needs.pairs_of(len(MODELS))
    if not CHOOSES_PAIRS:
        return of_all
    of_groups = sum(needs.pairs_of(len(GROUPS[name].models)) for name in WEIGHED)
    return min(of_all, len(MODELS) * config["distances"]["nearest"] + of_groups)


def distances_mem_mb(wildcards, threads, attempt):
    """Return the memory of a shard's job, doubled on every retry."""
    memory = needs.distances_mb(
        models=len(MODELS),
        shards=len(SHARDS),
        threads=threads,
        memory_mb=config["distances"]["memory_mb"],
        pairs=measured_pairs(),
    )
    return (memory + AROUND_MB) * 2 ** (attempt - 1)


def distances_runtime(wildcards, threads, attempt):
    """Return the minutes of a shard's job when all is new, doubled on every retry."""
    minutes = needs.distances_minutes(
        models=len(MODELS),
        size_mb=weights_mb(),
        shards=len(SHARDS),
        threads=threads,
        pairs=measured_pairs(),
    )
    return minutes * 2 ** (attempt - 1)


def own_models_of_groups():
    """Return the models of each group that has checkpoints, as JSON: their pairs are all chosen."""
    return in_report(sorted(sorted(GROUPS[group].models) for group in WEIGHED))
