from atlas.proofs import resources as proof_needs


def proofs_mem_mb(wildcards, threads, attempt):
    """Return the memory of proving a group's recipes, doubled on every retry."""
    models = len(GROUPS[wildcards.group].models)
    memory = proof_needs.proofs_mb(models=models, threads=threads)
    return (memory + AROUND_MB) * 2 ** (attempt - 1)


def proofs_runtime(wildcards, attempt):
    """Return the minutes of it, doubled on every retry."""
    models = GROUPS[wildcards.group].models
    size = sum(size_mb(model) for model in models) if config["lineage"]["prove"] else 0
    return proof_needs.proofs_minutes(models=len(models), size_mb=size) * 2 ** (
        attempt - 1
    )
