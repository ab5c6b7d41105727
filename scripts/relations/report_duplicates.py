"""Tell which files of a group are there twice, what could go and what sharing would save."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.models.sizes import files_on_disk
from atlas.relations import duplicates, duplicates_text, holdings


def main(
    *,
    identity: Path,
    described: Path,
    models: list[str],
    checkpoints: dict[str, Path],
    weights: dict[str, str],
    labels: dict[str, str],
    group: str,
    stem: Path,
) -> None:
    """
    Write the table of duplicates and its readable forms. Nothing is deleted.

    Parameters
    ----------
    identity
        The group's identity table, as identify_components writes it.
    described
        The group's table of models, as describe_group writes it.
    models
        The group's models in the roster's order.
    checkpoints
        Model to its checkpoint, whose files are listed and not read.
    weights
        Model to `raw` or `ema`, where the roster asks for one of the two.
    labels
        Model to what it is called in plots.
    stem
        Path of the files to write, without their endings: .csv, .md and .html.
    """
    report = duplicates.report(
        holdings.read_identity(identity),
        holdings.read_models(described),
        models,
        {
            model: files_on_disk(path, weights=weights.get(model))
            for model, path in checkpoints.items()
        },
    )
    told = duplicates_text.overview(report, group=group, labels=labels)
    texts = {
        ".csv": duplicates_text.table(report).to_csv(index=False),
        ".md": page.markdown(*told),
        ".html": page.html(*told),
    }
    for ending, text in texts.items():
        tables.write_text(text, stem.with_name(f"{stem.name}{ending}"))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    places = json.loads(snakemake.params.checkpoints)
    main(
        identity=Path(snakemake.input.identity),
        described=Path(snakemake.input.described),
        models=snakemake.params.models,
        checkpoints={model: Path(path) for model, (path, _) in places.items()},
        weights={model: asked for model, (_, asked) in places.items() if asked},
        labels=json.loads(snakemake.params.labels),
        group=snakemake.wildcards.group,
        stem=Path(snakemake.output.table).with_suffix(""),
    )
