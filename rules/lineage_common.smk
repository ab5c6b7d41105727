def weighed_fingerprints(wildcards):
    """Return the fingerprints of a group's models; published matrices have none."""
    return group_fingerprints(wildcards) if wildcards.group in WEIGHED else []


def bases_of(models):
    """Return the bases that the roster declares of models, by id."""
    return {model: MODELS[model].base for model in sorted(models) if MODELS[model].base}
