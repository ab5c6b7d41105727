include: "pages_common.smk"


rule atlas:
    """The page of each group of the roster."""
    input:
        needs_roster,
        expand("results/groups/{group}/atlas.html", group=GROUPS),


rule write_atlas:
    """Write the page of a group: every model and every two of them, in one file."""
    input:
        unpack(files_of_page),
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
