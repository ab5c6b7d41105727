include: "recipes_common.smk"


rule recipes:
    """What the models of each group of the roster were made from: tables, sentences, pictures."""
    input:
        needs_roster,
        expand("results/groups/{group}/recipes.csv", group=GROUPS),
        expand("results/groups/{group}/recipes", group=GROUPS),


rule fit_recipes:
    """Fit each model of a group as a weighted sum of others, by component and block."""
    input:
        fingerprints=where_weighed(group_fingerprints),
        renamings=where_weighed("results/renamings.json"),
        shards=where_weighed(shard_files),
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


rule write_recipes:
    """Write what a group's models were made from, in sentences and as a table."""
    input:
        fits="results/groups/{group}/fits.parquet",
        proofs=proofs_of_group,
        claims=claims_of_group,
        low_rank=low_ranks_of_group,
        distances=distances_of_group,
    output:
        table="results/groups/{group}/recipes.csv",
        markdown="results/groups/{group}/recipes.md",
        page=report(
            "results/groups/{group}/recipes.html",
            category="Recipes",
            labels={"group": "{group}", "show": "what was made from what"},
            caption="../docs/captions/recipes.rst",
        ),
        told="results/groups/{group}/recipes.json",
    log:
        "logs/write_recipes/{group}.log",
    benchmark:
        "benchmarks/write_recipes/{group}.tsv"
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=group_memory(telling_needs.telling_mb),
        runtime=group_minutes(telling_needs.telling_minutes),
    params:
        method=METHOD["write_recipes"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
        is_published=lambda wildcards: wildcards.group not in WEIGHED,
    message:
        "Telling what the models of {wildcards.group} were made from"
    script:
        "../scripts/recipes/write_recipes.py"


rule plot_recipes:
    """Draw the weights of each recipe of a group, block by block."""
    input:
        fits="results/groups/{group}/fits.parquet",
        proofs=proofs_of_group,
    output:
        folder=report(
            directory("results/groups/{group}/recipes"),
            patterns=["{model_name}.{component}.png"],
            category="Recipes",
            subcategory="{group}",
            labels={"model": "{model_name}", "component": "{component}"},
            caption="../docs/captions/recipe_pictures.rst",
        ),
    log:
        "logs/plot_recipes/{group}.log",
    benchmark:
        "benchmarks/plot_recipes/{group}.tsv"
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=group_memory(telling_needs.telling_mb),
        runtime=group_minutes(telling_needs.drawing_minutes),
    params:
        method=METHOD["plot_recipes"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
        is_published=lambda wildcards: wildcards.group not in WEIGHED,
    message:
        "Drawing the recipes of {wildcards.group}"
    script:
        "../scripts/recipes/plot_recipes.py"
