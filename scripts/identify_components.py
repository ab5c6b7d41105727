"""Tell for every pair of a group's models which components are the same, and what differs."""

from pathlib import Path

from atlas import contents, identity, tables
from atlas.identity_text import document
from atlas.workflow import configure_logging


def main(
    *,
    fingerprints: list[Path],
    models: list[str],
    labels: dict[str, str],
    group: str,
    table: Path,
    findings: Path,
) -> None:
    """Write the identity table and its readable form."""
    frame = identity.table(contents.load(fingerprints, models), labels)
    tables.write_text(frame.to_csv(index=False), table)
    tables.write_text(document(frame, group=group, models=models, labels=labels), findings)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        fingerprints=[Path(path) for path in snakemake.input.fingerprints],
        models=snakemake.params.models,
        labels=snakemake.params.labels,
        group=snakemake.wildcards.group,
        table=Path(snakemake.output.table),
        findings=Path(snakemake.output.findings),
    )
