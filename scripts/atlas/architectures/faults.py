"""Entries that failed, and entries whose figures are doubtful, as the tables tell of them."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

COUNTED, FAILED = "counted", "failed"
"""Status of a row: its figures are known, or its entry or the model's code is at fault."""


@dataclass(frozen=True)
class Faults:
    """What is wrong with architectures, by name."""

    failed: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)
    """Counted, but with keys that their classes do not know, or other parameters than published."""
    number: int = 0
    """Of all architectures."""


def faults_in(tables: Iterable[Path]) -> Faults:
    """
    Return what is wrong with architectures by summaries of them, the first table's words first.

    Sizes and texts that a model can't take are no fault of an entry and are not among them.

    Parameters
    ----------
    tables
        CSV files with the columns `architecture`, `status` and `problem`.
    """
    failed: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    names: set[str] = set()
    for table in tables:
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                names.add(row["architecture"])
                if row["status"] == FAILED:
                    failed.setdefault(row["architecture"], row["problem"])
                elif row["status"] == COUNTED and row["problem"]:
                    # The row of the whole says of all components what theirs say of one.
                    known = doubtful.get(row["architecture"], "")
                    doubtful[row["architecture"]] = max(known, row["problem"], key=len)
    doubtful = {name: problem for name, problem in doubtful.items() if name not in failed}
    return Faults(failed, doubtful, len(names))


def failure(faults: Faults) -> str:
    """Return the message that names every architecture that failed; nothing where none did."""
    if not faults.failed:
        return ""
    return (
        f"{len(faults.failed)} of {faults.number} architectures failed; the others' tables are "
        f"made. Mend or leave out these and run again:\n{_listed(faults.failed)}"
    )


def doubt(faults: Faults) -> str:
    """Return the message that names every architecture whose figures are doubtful."""
    if not faults.doubtful:
        return ""
    return (
        f"The figures of {len(faults.doubtful)} of {faults.number} architectures are doubtful, and "
        f"left out of what is compared:\n{_listed(faults.doubtful)}"
    )


def _listed(problems: Mapping[str, str]) -> str:
    return "\n".join(f"  {name}: {problem}" for name, problem in problems.items())
