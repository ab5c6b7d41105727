PAGE_MEASURES = list(dict.fromkeys(["l2", *config["groups"]["matrices"]]))
"""What the page of a group can show; the matrices are of these."""


def of_weighed(name):
    """Return a function of a job that takes a file of its group, if that has weights."""

    def file(wildcards):
        group = wildcards.group
        return f"results/groups/{group}/{name}" if group in WEIGHED else []

    return file


def path_of_group(wildcards):
    """Return the path of a group in the order of its making; of others nothing."""
    group = wildcards.group
    return f"results/groups/{group}/path.csv" if GROUPS[group].ordered else []


def roster_facts(models):
    """Return what the roster says of models, by id, as JSON."""
    return in_report(
        {
            model: {
                "path": str(MODELS[model].path),
                "tags": list(MODELS[model].tags),
                "base": MODELS[model].base,
                "recipe": MODELS[model].recipe,
            }
            for model in sorted(models)
        }
    )


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
            (
                "results/macs/summary.html",
                "Multiply-accumulates",
                "what an image costs",
            ),
            ("results/macs/explorer.html", "Multiply-accumulates", "a page to ask"),
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
