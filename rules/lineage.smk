
include: "lineage_common.smk"


rule lineage:
    """Who descends from whom in each group of the roster: a graph with its evidence, as pictures too."""
    input:
        needs_roster,
        expand("results/groups/{group}/lineage.json", group=GROUPS),
        expand("results/groups/{group}/lineage.png", group=GROUPS),


rule trace_lineage:
    """Trace what was made from what in a group: a directed graph with its evidence."""
    input:
        fits="results/groups/{group}/fits.parquet",
        matrices="results/groups/{group}/matrices",
        identity=group_identity,
        described=group_description,
        claims=claims_of_group,
        proofs=proofs_of_group,
        low_rank=low_ranks_of_group,
        fingerprints=weighed_fingerprints,
    output:
        json=report(
            "results/groups/{group}/lineage.json",
            category="Lineage",
            labels={"group": "{group}", "show": "graph as JSON"},
            caption="../docs/captions/lineage.rst",
        ),
        graphml="results/groups/{group}/lineage.graphml",
    log:
        "logs/trace_lineage/{group}.log",
    benchmark:
        "benchmarks/trace_lineage/{group}.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=group_memory(group_needs.identity_mb),
        runtime=group_minutes(group_needs.identity_minutes),
    params:
        method=METHOD["trace_lineage"],
        labels=lambda wildcards: labels_of(GROUPS[wildcards.group].models),
        base=lambda wildcards: GROUPS[wildcards.group].base,
        bases=lambda wildcards: bases_of(GROUPS[wildcards.group].models),
        imported=lambda wildcards: wildcards.group not in WEIGHED,
    message:
        "Tracing what was made from what in {wildcards.group}"
    script:
        "../scripts/lineage/trace_lineage.py"


rule draw_lineage:
    """Draw what was made from what in a group, as a whole and by component."""
    input:
        lineage="results/groups/{group}/lineage.json",
    output:
        png=report(
            "results/groups/{group}/lineage.png",
            category="Lineage",
            labels={"group": "{group}", "show": "family tree"},
            caption="../docs/captions/lineage.rst",
        ),
        svg="results/groups/{group}/lineage.svg",
        folder=report(
            directory("results/groups/{group}/lineage"),
            patterns=["{component}.png"],
            category="Lineage",
            labels={"group": "{group}", "show": "{component}"},
            caption="../docs/captions/lineage.rst",
        ),
    log:
        "logs/draw_lineage/{group}.log",
    benchmark:
        "benchmarks/draw_lineage/{group}.tsv"
    conda:
        "../envs/plots.yaml"
    resources:
        mem_mb=group_memory(group_needs.sharing_mb),
        runtime=for_group(group_needs.matrices_minutes),
    params:
        method=METHOD["draw_lineage"],
        base=lambda wildcards: GROUPS[wildcards.group].base,
    message:
        "Drawing what was made from what in {wildcards.group}"
    script:
        "../scripts/lineage/draw_lineage.py"
