from functools import partial

from atlas.relations import resources as group_needs


def for_group(need):
    """
    Return a function of a job that takes what a group's models need, doubled on every retry.

    `need` is a function of the number of models in `atlas.relations.resources`.
    """

    def needed(wildcards, attempt):
        return need(len(GROUPS[wildcards.group].models)) * 2 ** (attempt - 1)

    return needed


def group_memory(need):
    """Return the same of memory, with what stands around a script on a cluster."""

    def mem_mb(wildcards, attempt):
        return for_group(need)(wildcards, attempt=1) * 2 ** (attempt - 1) + AROUND_MB

    return mem_mb


def group_minutes(need):
    """Return the same of minutes, and those to read what is on disk at 1 GB a minute."""

    def runtime(wildcards, input, attempt):
        minutes = need(len(GROUPS[wildcards.group].models)) + int(input.size_mb / 1000)
        return minutes * 2 ** (attempt - 1)

    return runtime
