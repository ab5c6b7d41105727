def refuse_apostrophes():
    """
    Refuse paths and settings with an apostrophe where jobs are handed to a cluster.

    Snakemake 9 writes the command of a job with Python's quotes, not the shell's: behind an apostrophe,
    what stands in a path would be run as a command. All other characters are safe.
    """
    if not workflow.executor_plugin.common_settings.non_local_exec:
        return
    told = [str(Path.cwd()), str(HOME), *workflow.config_settings.config_args]
    told += [str(model.path) for model in MODELS.values()]
    for text in told:
        if "'" in text.removeprefix("'").removesuffix("'"):
            raise WorkflowError(
                f"{text} has an apostrophe, which is not safe in the command of a cluster's job: "
                "rename it, write the setting into a file for --configfile, or run without a cluster"
            )
