"""Collect what files and the roster say of how a group's models were made."""

import json
import logging
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import sealed, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.claims import table as claim_table
from atlas.claims.claim import Held
from atlas.claims.collecting import Believed, Subject, collected, warnings_of
from atlas.fingerprints.provenance import read_provenance
from atlas.names.kinds import MODEL

COLUMNS = ["component", "block"]


def main(*, fingerprints: dict[str, Path], roster: str, table: Path) -> None:
    """
    Write a row for each claim of a part of a model and each of its parents.

    Parameters
    ----------
    fingerprints
        The group's models to their fingerprints, in the roster's order.
    roster
        JSON: all models of the roster to their label, path, base and recipe; parents are looked for
        among these.
    table
        The CSV file to write.
    """
    entries: dict[str, list[Any]] = json.loads(roster)
    told = {model: Believed(model, *entry) for model, entry in entries.items()}
    members = [subject(told[model], path) for model, path in fingerprints.items()]
    claims = collected(members, [told[model] for model in told if model not in fingerprints])
    logging.info("%d of %d models have claims", sum(map(bool, claims.values())), len(claims))
    for fault in warnings_of(claims):
        logging.warning("%s", fault)
    tables.write_text(claim_table.as_csv(claims), table)


def subject(believed: Believed, fingerprint: Path) -> Subject:
    """Return a model with what its fingerprint tells of it."""
    rows, notes = sealed.read(fingerprint, COLUMNS)
    pairs = rows.group_by(COLUMNS).aggregate([])
    parts: dict[str, set[str]] = defaultdict(set)
    for component, block in zip(*(pairs[name].to_pylist() for name in COLUMNS), strict=True):
        parts[component].add(block)
    kind = notes.get("kind", MODEL)
    return Subject.of(believed, read_provenance(fingerprint), Held.of(parts), kind)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    models = snakemake.params.models
    paths = dict(zip(sorted(models), map(Path, snakemake.input.fingerprints), strict=True))
    main(
        fingerprints={model: paths[model] for model in models},
        roster=snakemake.params.roster,
        table=Path(snakemake.output.table),
    )
