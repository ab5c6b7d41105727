def asked_for(target):
    """Return whether this run makes what a target rule of a wing asks for."""
    targets = {str(name) for name in workflow.dag_settings.targets}
    return not targets.isdisjoint({"tour", target})


def wing_pages():
    """Return the pages of wings, by target: path, what it is about, title."""
    return {
        "activations": [
            (f"results/activations/{dataset}/viewer.html", "Activations", dataset)
            for dataset in DATASETS
        ],
        "embeddings": [
            (
                f"results/embeddings/groups/{group}/{words}/viewer.html",
                "Words",
                f"{words}, in {group}",
            )
            for group in EMBEDDINGS.groups
            for words in LISTS
        ],
        "architectures": [
            ("results/architectures/summary.html", "Architectures", "sizes and memory")
        ],
        "macs": [
            ("results/macs/summary.html", "Multiply-accumulates", "what an image costs")
        ],
    }


def pages_to_link():
    """
    Return the pages of wings that are there, or that this run makes beside the index.

    As a param and no input: the index waits for no wing, and a wing that fails takes no index along.
    """
    return [
        page
        for target, pages in wing_pages().items()
        for page in pages
        if asked_for(target)
        or page[0] in workflow.dag_settings.targets
        or Path(page[0]).is_file()
    ]


def groups_told():
    """Return what the roster says of each group."""
    return [
        {
            "name": name,
            "models": len(group.models),
            "base": group.base and one_line(MODELS[group.base].label),
            "ordered": group.ordered,
            "published": group.matrices and group.matrices.name,
        }
        for name, group in GROUPS.items()
    ]


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
        "../../envs/plots.yaml"
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
        "../../scripts/pages/write_index.py"
