"""Tell for every pair of a group's models which components are the same, and what differs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.relations import contents, identity
from atlas.relations.identity_text import document


def main(
    *,
    fingerprints: list[Path],
    models: list[str],
    labels: dict[str, str],
    group: str,
    table: Path,
    findings: Path,
) -> None:
    """
    Write the identity table and its readable form.

    Parameters
    ----------
    fingerprints
        The models' fingerprints.
    models
        The models' ids, sorted, in the order of their fingerprints.
    labels
        Model to what it is called in plots.
    table
        The CSV file to write.
    findings
        The same to read, to write.
    """
    frame = identity.table(contents.load(fingerprints, models), labels)
    tables.write_text(frame.to_csv(index=False), table)
    tables.write_text(document(frame, group=group, models=models, labels=labels), findings)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fingerprints=[Path(path) for path in snakemake.input.fingerprints],
        models=snakemake.params.models,
        labels=snakemake.params.labels,
        group=snakemake.wildcards.group,
        table=Path(snakemake.output.table),
        findings=Path(snakemake.output.findings),
    )
