"""What jobs took, as Snakemake measured it: one file a job below benchmarks/."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas.benchmarks.declared import Declared

SAMPLED_FROM = 2.0
"""
Seconds from which a job's memory counts. Snakemake looks at a process twice a second (each half
minute once it has run for that long): of shorter jobs it sees the start alone.
"""


@dataclass(frozen=True)
class Record:
    """What one run of a job took, and what it was granted."""

    rule: str
    job: str
    """Path below benchmarks/, without its ending."""
    seconds: float
    cpu_seconds: float | None
    mem_mb: float | None
    """Largest resident set in units of 2²⁰ bytes; None where the job was too short to sample."""
    declared: Declared | None

    @property
    def mem_share(self) -> float | None:
        """Memory over the memory declared."""
        granted = self.declared.mem_mb if self.declared else None
        return self.mem_mb / granted if self.mem_mb is not None and granted else None

    @property
    def time_share(self) -> float | None:
        """Time over the time declared."""
        granted = self.declared.minutes if self.declared else None
        return self.seconds / (60 * granted) if granted else None


def read(folder: Path, declared: Iterable[Declared]) -> list[Record]:
    """
    Return the records of all benchmarks in a folder, in order of their paths.

    A file that is no benchmark, or was cut off, is left out with a warning.

    Parameters
    ----------
    folder
        It holds `{rule}/….tsv`.
    declared
        What jobs were granted, where that is known.
    """
    granted = {each.benchmark: each for each in declared}
    found = []
    for path in sorted(folder.glob("*/**/*.tsv")):
        place = path.relative_to(folder)
        name = (Path(folder.name) / place).as_posix()
        try:
            with path.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.DictReader(lines, delimiter="\t"))
            found += [_record(row, place, granted.get(name)) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            logging.warning("%s is left out: no benchmark (%s)", path, error)
    return found


def _record(row: Mapping[str, str], place: Path, declared: Declared | None) -> Record:
    seconds = float(row["s"])
    memory = _measured(row["max_rss"]) if seconds >= SAMPLED_FROM else None
    return Record(
        rule=place.parts[0],
        job=place.with_suffix("").as_posix(),
        seconds=seconds,
        cpu_seconds=_measured(row["cpu_time"]),
        mem_mb=memory,
        declared=declared,
    )


def _measured(text: str) -> float | None:
    """Return a number, or None for NA and -, which stand where nothing was seen."""
    return None if text in ("NA", "-") else float(text)
