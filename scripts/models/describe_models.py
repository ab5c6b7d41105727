"""Tell what each model of the roster holds, and what is wrong with it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import sealed, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.models import description


def main(*, fingerprints: dict[str, Path], labels: dict[str, str], table: Path, page: Path) -> None:
    """
    Write the table of models and its readable form.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint.
    labels
        Model to what it is called in plots.
    table
        The CSV file to write.
    page
        The same to read, to write.
    """
    frame = description.describe(fingerprints)
    findings = {
        model: sealed.read(path, [])[1].get("findings", []) for model, path in fingerprints.items()
    }
    tables.write_text(frame.to_csv(index=False), table)
    tables.write_text(description.document(frame, labels, findings), page)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = map(Path, snakemake.input.fingerprints)
    main(
        fingerprints=dict(zip(snakemake.params.models, paths, strict=True)),
        labels=snakemake.params.labels,
        table=Path(snakemake.output.table),
        page=Path(snakemake.output.page),
    )
