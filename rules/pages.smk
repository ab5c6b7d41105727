include: "pages_common.smk"


rule atlas:
    """The page of each group of the roster."""
    input:
        needs_roster,
        expand("results/groups/{group}/atlas.html", group=GROUPS),


rule write_atlas:
    """Write the page of a group: every model and every two of them, in one file."""
    input:
        matrices="results/groups/{group}/matrices",
        identity=group_identity,
        table=of_weighed("models.csv"),
        noticed=of_weighed("findings.json"),
        distances=of_weighed("distances.parquet"),
        tensors=of_weighed("tensors.parquet"),
        spread=of_weighed("spread.parquet"),
        path=path_of_group,
        recipes="results/groups/{group}/recipes.json",
    output:
        page=report(
            "results/groups/{group}/atlas.html",
            category="Atlas",
            labels={"group": "{group}", "show": "page"},
            caption="../docs/captions/atlas.rst",
        ),
    log:
        "logs/write_atlas/{group}.log",
    benchmark:
        "benchmarks/write_atlas/{group}.tsv"
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=group_memory(group_needs.atlas_mb),
        runtime=for_group(group_needs.atlas_minutes),
    params:
        method=METHOD["write_atlas"],
        measures=PAGE_MEASURES,
        measure=config["plots"]["measure"],
        models=lambda wildcards: list(GROUPS[wildcards.group].models),
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
        roster=lambda wildcards: roster_facts(GROUPS[wildcards.group].models),
        base=lambda wildcards: GROUPS[wildcards.group].base,
        ordered=lambda wildcards: GROUPS[wildcards.group].ordered,
        imported=lambda wildcards: wildcards.group not in WEIGHED,
        linked=lambda wildcards: GROUPS[wildcards.group].pairs,
        most_pairs=config["atlas"]["pairs"],
    message:
        "Writing the page of {wildcards.group}"
    script:
        "../scripts/pages/write_atlas.py"


rule write_index:
    """Write the page that leads to all others: groups, models, and the wings' pages."""
    input:
        needs_roster,
        models="results/models.csv" if MODELS else [],
        pages=expand("results/groups/{group}/atlas.html", group=GROUPS),
        parts=expand(
            "results/groups/{group}/{part}.html",
            group=WEIGHED,
            part=["identity", "duplicates"],
        ),
        recipes=expand("results/groups/{group}/recipes.html", group=GROUPS),
        lineage=expand("results/groups/{group}/lineage.svg", group=GROUPS),
        matrices=expand("results/groups/{group}/matrices", group=GROUPS),
        plots=expand("results/groups/{group}/plots", group=GROUPS),
    output:
        page="results/atlas.html",
    log:
        "logs/write_index/all.log",
    benchmark:
        "benchmarks/write_index/all.tsv"
    # A few seconds' work. In a job of a cluster, its params would be asked anew by a process that
    # knows nothing of the run's targets.
    localrule: True
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        method=METHOD["write_index"],
        roster=lambda wildcards: in_report(ROSTER.path.name),
        groups=lambda wildcards: in_report(groups_told()),
        labels=lambda wildcards: labels_of(MODELS),
        others=lambda wildcards: in_report(pages_to_link()),
    message:
        "Writing the page that leads to all others"
    script:
        "../scripts/pages/write_index.py"
