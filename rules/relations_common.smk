from atlas.relations import resources as group_needs


def for_group(need):
    """
    Return a function of a job that takes what a group's models need, doubled on every retry.

    `need` is a function of the number of models in `atlas.relations.resources`.
    """

    def needed(wildcards, attempt):
        return need(len(GROUPS[wildcards.group].models)) * 2 ** (attempt - 1)

    return needed


def group_minutes(need):
    """Return the same of minutes, and those to read what is on disk at 1 GB a minute."""

    def runtime(wildcards, input, attempt):
        minutes = need(len(GROUPS[wildcards.group].models)) + int(input.size_mb / 1000)
        return minutes * 2 ** (attempt - 1)

    return runtime
