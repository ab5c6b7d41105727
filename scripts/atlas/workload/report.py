"""A plan as text for a terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from atlas.basis.page import Section, markdown
from atlas.workload.costs import Extent
from atlas.workload.summary import TOTAL, Row, largest

HEADER = (
    *("rule", "jobs", "made", "cores", "GPUs", "core-hours", "left"),
    *("memory", "ends after", "reads", "writes"),
)
HOW = {
    "earlier": "as earlier jobs here took in the median",
    "typical": "as the demo's jobs took",
    "limit": "at most, up to the limit that is declared",
    "unknown": "of the start alone, as an earlier job's results decide the rest",
}
EVERYTHING = "all of these"
WIDTH = 100
"""Of the lines of text beside the table."""
UNKNOWN = "later"
UNITS = (("TB", 1e6), ("GB", 1e3), ("MB", 1.0))


@dataclass(frozen=True)
class Plan:
    """What a run takes, and what of."""

    title: str
    """What it is a plan of, in a line."""
    extent: Extent
    rows: Sequence[Row]


def findings(plan: Plan) -> list[str]:
    """Return what to know first, a line each."""
    pairs, rows = plan.extent.pairs, plan.rows
    most = "" if pairs.is_exact else "at most "
    exactly = "by the fingerprints" if pairs.is_exact else "as if every tensor differed"
    of_all = plan.extent.models * (plan.extent.models - 1) // 2
    of_models = counted(of_all)
    if pairs.models < of_all:
        of_models = f"at most {counted(pairs.models)} of {of_models}"
    all_jobs = rows[-1]
    lines = [
        f"{of_models} pairs of models; {most}{counted(pairs.contents)} pairs of contents "
        f"and {counted(pairs.elements)} pairs of elements, {exactly}",
        f"{counted(all_jobs.jobs)} jobs, of which {counted(all_jobs.done)} have made their files; "
        f"{hours(all_jobs.core_hours)} core-hours, {hours(all_jobs.core_hours_left)} of them left; "
        f"{hours(all_jobs.gpu_hours)} GPU-hours",
        f"{size(all_jobs.read_mb)} of checkpoints read, {size(all_jobs.written_mb)} written",
    ]
    if heavy := largest(rows, "mem_mb"):
        lines.append(f"the largest job: {heavy.rule}, {size(heavy.mem_mb or 0)} of memory")
    if long := largest(rows, "runtime"):
        lines.append(f"the longest limit: {long.rule}, ended after {minutes(long.runtime)}")
    return lines


def reckoned(plan: Plan) -> list[str]:
    """Return what the figures rest on."""
    rates = plan.extent.rates
    notes = [
        f"Reading is reckoned with {rates.read_mb:,.0f} MB/s a job and measuring with "
        f"{rates.pair_elements:.2g} pairs of elements a second and thread (plan › "
        "read_mb_per_second, pair_elements_per_second); every job starts in 3 s.",
        "Memory and limits are those of a first attempt. Jobs are `made` whose files are there; "
        "whether these are up to date is told by --dry-run.",
    ]
    for how, words in HOW.items():
        if rules := [row.rule for row in plan.rows if row.how == how]:
            notes.append(f"Hours {words}: {', '.join(rules)}.")
    if any(_works(row) and None in (row.mem_mb, row.runtime) for row in plan.rows):
        notes.append(f"`{UNKNOWN}`: an earlier job's results decide it.")
    return notes


def text(plan: Plan) -> str:
    """Return the plan for a terminal, columns aligned."""
    table = [("", HEADER), *((row.target, cells(row)) for row in plan.rows)]
    widths = [max(len(line[column]) for _, line in table) for column in range(len(HEADER))]
    lines = [plan.title, *(_wrapped(line, "- ") for line in findings(plan)), ""]
    last = ""
    for target, line in table:
        if target != last:
            lines += ["", target or EVERYTHING]
        last = target
        told = [
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            if any(cells[column] for _, cells in table[1:])
        ]
        lines.append("  ".join(["", *told]).rstrip())
    return "\n".join([*lines, "", *(_wrapped(note, "") for note in reckoned(plan))]) + "\n"


def _wrapped(line: str, mark: str) -> str:
    return textwrap.fill(
        line, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False
    )


def page(plan: Plan) -> str:
    """Return the plan as a page in Markdown."""
    targets = dict.fromkeys(row.target for row in plan.rows)
    sections = [
        Section(
            title=target or EVERYTHING,
            header=HEADER,
            rows=[cells(row) for row in plan.rows if row.target == target],
        )
        for target in targets
    ]
    notes = Section(title="What this rests on", text=" ".join(reckoned(plan)))
    return markdown(plan.title, findings(plan), [*sections, notes])


def table(plan: Plan) -> str:
    """Return the rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in fields(Row))
    for row in plan.rows:
        writer.writerow(
            f"{value:.6g}" if isinstance(value, float) else "" if value is None else value
            for value in astuple(row)
        )
    return out.getvalue()


def cells(row: Row) -> tuple[str, ...]:
    """Return a row's cells as texts with units."""
    does_work = _works(row)
    return (
        row.rule,
        counted(row.jobs),
        counted(row.done),
        str(row.threads),
        str(row.gpu) if row.gpu else "",
        hours(row.core_hours) if does_work else "",
        hours(row.core_hours_left) if does_work else "",
        (UNKNOWN if row.mem_mb is None else size(row.mem_mb)) if does_work else "",
        (UNKNOWN if row.runtime is None else minutes(row.runtime)) if does_work else "",
        size(row.read_mb) if row.read_mb else "",
        size(row.written_mb) if row.written_mb else "",
    )


def _works(row: Row) -> bool:
    """Return whether a row is of jobs that compute, rather than of a target that gathers files."""
    return row.core_hours > 0 or row.rule == TOTAL


def counted(number: float) -> str:
    """
    Return a count, with its exponent where it is long.

    >>> counted(26796), counted(1.73e15)
    ('26,796', '1.7e15')
    """
    if number < 1e9:
        return f"{number:,.0f}"
    mantissa, exponent = f"{number:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def hours(value: float) -> str:
    """
    Return hours with two digits.

    >>> hours(0.0), hours(0.034), hours(6.7), hours(1234.5)
    ('0', '0.034', '6.7', '1,234')
    """
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def minutes(value: int | None) -> str:
    """
    Return minutes as minutes, hours or days.

    >>> minutes(10), minutes(271), minutes(7504)
    ('10 min', '4.5 h', '5.2 d')
    """
    told = value or 0
    if told < 120:
        return f"{told} min"
    return f"{told / 60:.1f} h" if told < 2880 else f"{told / 1440:.1f} d"


def size(megabytes: float) -> str:
    """
    Return MB (10^6 bytes) in the unit that suits.

    >>> size(0), size(0.027), size(320), size(48856), size(6.9e6)
    ('0 kB', '27 kB', '320 MB', '48.9 GB', '6.9 TB')
    """
    unit, factor = next(
        ((unit, factor) for unit, factor in UNITS if megabytes >= factor), ("kB", 1e-3)
    )
    value = megabytes / factor
    return f"{value:.3g} {unit}" if value < 1e3 else f"{value:,.0f} {unit}"
