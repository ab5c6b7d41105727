from atlas.recipes import resources as recipe_needs


def of_weighed(inputs):
    """Return a function of wildcards that gives inputs for groups that have checkpoints alone."""

    def inputs_of(wildcards):
        if wildcards.group not in WEIGHED:
            return []
        return inputs(wildcards) if callable(inputs) else inputs

    return inputs_of
