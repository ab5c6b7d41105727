def group_fits(wildcards):
    """Return a group's fitted recipes; none where the settings ask for no look at the weights."""
    wanted = config["lineage"]["low_rank"]
    return [f"results/groups/{wildcards.group}/fits.parquet"] if wanted else []


def paths_of(models):
    """Return the paths of checkpoints, in order of id."""
    return [str(MODELS[model].path) for model in sorted(models)]


def bases_of_group(wildcards):
    """Return the base that the roster names of each of a group's models, where the group has it."""
    models = GROUPS[wildcards.group].models
    return {
        model: MODELS[model].base
        for model in sorted(models)
        if MODELS[model].base in models
    }


def low_rank_mem_mb(wildcards, attempt):
    """Return the memory of a job, doubled on every retry: some six times the largest matrix."""
    return (2500 + AROUND_MB) * 2 ** (attempt - 1)


def low_rank_minutes(models):
    """Return the minutes that so many models take, of some GB each."""
    return 10 + 10 * models
