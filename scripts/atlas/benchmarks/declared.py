"""What jobs were granted: a table beside the benchmarks, brought up to date when a run ends."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from io import StringIO
from pathlib import Path

from atlas.basis import tables

FILE = Path("benchmarks") / "declared.csv"


@dataclass(frozen=True)
class Declared:
    """What a job was granted when it succeeded, which is more at a second attempt."""

    benchmark: str
    """Path of the job's benchmark, which names the job."""
    mem_mb: int | None
    minutes: int | None
    threads: int
    gpus: int


def keep(found: Iterable[Declared], file: Path) -> None:
    """
    Write what jobs were granted into the table, in the place of what it has of the same jobs.

    A table that is damaged is begun anew: it is a convenience, and no run may end by it.
    """
    new = {each.benchmark: each for each in found}
    if not new:
        return
    old = {each.benchmark: each for each in read(file)}
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Declared))
    writer.writerows(astuple(each) for _, each in sorted((old | new).items()))
    tables.write_text(text.getvalue(), file)


def read(file: Path) -> list[Declared]:
    """Return the rows of the table that can be read; none where there is no table."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        return [each for row in csv.DictReader(lines) if (each := _declared(row)) is not None]


def _declared(row: dict[str, str]) -> Declared | None:
    try:
        return Declared(
            benchmark=row["benchmark"],
            mem_mb=_number(row["mem_mb"]),
            minutes=_number(row["minutes"]),
            threads=int(row["threads"]),
            gpus=int(row["gpus"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _number(text: str) -> int | None:
    return int(text) if text else None
