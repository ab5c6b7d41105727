"""What the jobs of each rule took together, and which of them came closest to its limits."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO
from itertools import groupby
from statistics import median

from atlas.benchmarks.records import Record


@dataclass(frozen=True)
class Row:
    """The jobs of one rule. A cell is None where nothing was measured or declared."""

    rule: str
    jobs: int
    seconds: float
    """Of all jobs together."""
    cpu_seconds: float
    seconds_median: float
    seconds_longest: float
    longest: str
    """The job that took longest, compared with its limit where that is known."""
    declared_minutes: int | None
    """Of that job."""
    time_share: float | None
    """Time over declared time, of the same job."""
    sampled: int
    """Jobs that ran for long enough to see their memory."""
    mem_mb_largest: float | None
    largest: str
    """The job that took most memory, compared with its limit where that is known."""
    declared_mem_mb: int | None
    mem_share: float | None


def summarised(records: Iterable[Record]) -> list[Row]:
    """Return a row for each rule, those that took longest first."""
    ordered = sorted(records, key=lambda record: (record.rule, record.job))
    rows = [
        _row(rule, list(found)) for rule, found in groupby(ordered, key=lambda record: record.rule)
    ]
    return sorted(rows, key=lambda row: (-row.seconds, row.rule))


def _row(rule: str, records: Sequence[Record]) -> Row:
    longest = _closest(records, lambda record: (record.time_share, record.seconds))
    seen = [record for record in records if record.mem_mb is not None]
    largest = _closest(seen, lambda record: (record.mem_share, record.mem_mb)) if seen else None
    return Row(
        rule=rule,
        jobs=len(records),
        seconds=sum(record.seconds for record in records),
        cpu_seconds=sum(record.cpu_seconds or 0.0 for record in records),
        seconds_median=median(record.seconds for record in records),
        seconds_longest=longest.seconds,
        longest=longest.job,
        declared_minutes=longest.declared.minutes if longest.declared else None,
        time_share=longest.time_share,
        sampled=len(seen),
        mem_mb_largest=largest.mem_mb if largest else None,
        largest=largest.job if largest else "",
        declared_mem_mb=largest.declared.mem_mb if largest and largest.declared else None,
        mem_share=largest.mem_share if largest else None,
    )


def _closest(
    records: Sequence[Record],
    measured: Callable[[Record], tuple[float | None, float | None]],
) -> Record:
    """Return the record of the largest share of its limit; where none is known, the largest."""

    def rank(record: Record) -> tuple[float, float]:
        share, amount = measured(record)
        return -1.0 if share is None else share, amount or 0.0

    return max(records, key=rank)


def as_csv(rows: Iterable[Row]) -> str:
    """Return the table as CSV; numbers have four significant digits."""
    text = StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in asdict(row).items()})
    return text.getvalue()


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) and value < 1e4 else _whole(value)


def _whole(value: float | str) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
