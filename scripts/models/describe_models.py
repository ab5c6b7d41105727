"""Tell what each model of the roster holds, and what is wrong with it."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.models import description


def main(
    *, fingerprints: dict[str, Path], labels: dict[str, str], table: Path, stem: Path, folder: Path
) -> None:
    """
    Write the table of models and its readable forms.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint, in the roster's order.
    labels
        Model to what it is called in plots.
    table
        The CSV file to write.
    stem
        The page of all models to write, without its endings: .md and .html.
    folder
        Where to write a page of each model.
    """
    frame, findings = description.describe(fingerprints)
    tables.write_text(frame.to_csv(index=False), table)
    content = description.overview(frame, labels, findings)
    tables.write_text(page.markdown(*content), stem.with_name(f"{stem.name}.md"))
    tables.write_text(page.html(*content), stem.with_name(f"{stem.name}.html"))
    for model in fingerprints:
        told = description.portrait(frame, model, labels, findings)
        tables.write_text(page.html(*told), folder / f"{model}.html")


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = {Path(path).stem: Path(path) for path in snakemake.input.fingerprints}
    main(
        fingerprints={model: paths[model] for model in snakemake.params.models},
        labels=json.loads(snakemake.params.labels),
        table=Path(snakemake.output.table),
        stem=Path(snakemake.output.page).with_suffix(""),
        folder=Path(snakemake.output.folder),
    )
