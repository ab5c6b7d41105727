from atlas.lineage import telling_resources as telling_needs
from atlas.recipes import resources as recipe_needs


def where_weighed(inputs):
    """Return a function of wildcards that gives inputs for groups that have checkpoints alone."""

    def inputs_of(wildcards):
        if wildcards.group not in WEIGHED:
            return []
        return inputs(wildcards) if callable(inputs) else inputs

    return inputs_of


def beside_fits(name, is_made=True):
    """Return a function of a job that takes a table of its group, if that has weights."""

    def table(wildcards):
        group = wildcards.group
        return f"results/groups/{group}/{name}" if is_made and group in WEIGHED else []

    return table


proofs_of_group = beside_fits("proofs.csv", config["lineage"]["prove"])
low_ranks_of_group = beside_fits("low_rank.csv", config["lineage"]["low_rank"])
claims_of_group = beside_fits("claims.csv")
distances_of_group = beside_fits("distances.parquet")
