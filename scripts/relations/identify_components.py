"""Tell for every pair of a group's models which components are the same, and what differs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints import matching
from atlas.relations import contents, identity
from atlas.relations.identity_text import document


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
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
        Model to its fingerprint, in order of the models' ids.
    renamings
        Names that tensors go by, as match_names writes them; None matches those of these models.
    labels
        Model to what it is called in plots.
    table
        The CSV file to write.
    findings
        The same to read, to write.
    """
    models = list(fingerprints)
    named = matching.read(renamings) if renamings else None
    held = contents.load(list(fingerprints.values()), models, named)
    frame = identity.table(held, labels)
    tables.write_text(frame.to_csv(index=False), table)
    tables.write_text(document(frame, group=group, models=models, labels=labels), findings)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = map(Path, snakemake.input.fingerprints)
    main(
        fingerprints=dict(zip(snakemake.params.models, paths, strict=True)),
        renamings=Path(snakemake.input.renamings),
        labels=snakemake.params.labels,
        group=snakemake.wildcards.group,
        table=Path(snakemake.output.table),
        findings=Path(snakemake.output.findings),
    )
