include: "recipes_common.smk"


rule fit_recipes:
    """Fit each model of a group as a weighted sum of others, by component and block."""
    input:
        fingerprints=of_weighed(group_fingerprints),
        renamings=of_weighed("results/renamings.json"),
        shards=of_weighed(shard_files),
        distances="results/groups/{group}/distances.parquet",
    output:
        table="results/groups/{group}/fits.parquet",
    log:
        "logs/fit_recipes/{group}.log",
    benchmark:
        "benchmarks/fit_recipes/{group}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(recipe_needs.fitting_mb),
        runtime=group_minutes(recipe_needs.fitting_minutes),
    params:
        method=METHOD["fit_recipes"],
        measured_by=METHOD["measure_distances"],
        models=lambda wildcards: (
            sorted(GROUPS[wildcards.group].models)
            if wildcards.group in WEIGHED
            else []
        ),
        order=lambda wildcards: list(GROUPS[wildcards.group].models),
        parents=config["lineage"]["parents"],
    message:
        "Fitting the recipes of {wildcards.group}"
    script:
        "../scripts/recipes/fit_recipes.py"
