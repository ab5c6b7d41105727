PAGE_MEASURES = list(dict.fromkeys(["l2", *config["groups"]["matrices"]]))
"""What the page of a group can show; the matrices are of these."""


def files_of_page(wildcards):
    """Return the files that the page of a group is made of, by what they are."""
    group, folder = GROUPS[wildcards.group], f"results/groups/{wildcards.group}"
    files = {"matrices": f"{folder}/matrices"}
    if wildcards.group in WEIGHED:
        files |= {
            "table": f"{folder}/models.csv",
            "noticed": f"{folder}/findings.json",
            "identity": f"{folder}/identity.csv",
            "distances": f"{folder}/distances.parquet",
            "tensors": f"{folder}/tensors.parquet",
            "spread": f"{folder}/spread.parquet",
        }
    if group.ordered:
        files["path"] = f"{folder}/path.csv"
    return files


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
