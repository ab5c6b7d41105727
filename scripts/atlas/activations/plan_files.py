"""
Files of plans: what a dataset will take, row by row, and what its jobs need.

Nothing of torch here: resources of jobs are read from a plan while the workflow is scheduled.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from atlas.basis import tables
from atlas.basis.errors import AtlasError

RULES = ("generate_activations", "embed_activations")
"""Whose jobs get their resources from a plan."""
NEEDS = ("mem_mb", "disk_mb", "runtime")
"""Resources of a job by Snakemake's names: megabytes, megabytes, minutes."""


@dataclass(frozen=True)
class Row:
    """One figure of a plan."""

    quantity: str
    """`maps`, `disk at most`, `mem_mb`, ..."""
    of: str
    """What of: the dataset, a sample, a layer at a time, a job, a rule."""
    value: int
    unit: str
    """B, samples, jobs, forwards, FLOP, MB or min."""
    how: str
    """How the figure comes about."""


COLUMNS = tuple(field.name for field in fields(Row))


def write(rows: Iterable[Row], path: Path) -> None:
    """Write the rows of a plan as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(row) for row in rows)
    tables.write_text(text.getvalue(), path)


def rows(path: Path) -> list[Row]:
    """
    Return the rows of a plan.

    Raises
    ------
    FileNotFoundError
        It is not there yet: a dry run then says that resources are not known yet.
    AtlasError
        It is no plan.
    """
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    try:
        if tuple(lines[0]) != COLUMNS:
            raise ValueError(f"its columns are {', '.join(lines[0])}")
        return [
            Row(quantity, of, int(value), unit, how) for quantity, of, value, unit, how in lines[1:]
        ]
    except (ValueError, IndexError) as error:
        raise AtlasError(
            f"{path}: is no plan as plan_activations writes it ({error}); delete it and run again"
        ) from error


def read(path: Path) -> dict[str, dict[str, int]]:
    """
    Return what the jobs of each rule need: mem_mb and disk_mb in megabytes, runtime in minutes.

    Raises
    ------
    FileNotFoundError
        It is not there yet.
    AtlasError
        It is no plan, or lacks a rule's need.
    """
    found: dict[str, dict[str, int]] = {rule: {} for rule in RULES}
    for row in rows(path):
        if row.of in found and row.quantity in NEEDS:
            found[row.of][row.quantity] = row.value
    for rule, needs in found.items():
        if missing := [need for need in NEEDS if need not in needs]:
            raise AtlasError(
                f"{path}: does not tell the {', '.join(missing)} of {rule}; delete it and run again"
            )
    return found
