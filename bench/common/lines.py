"""Lines of the benchmarks' table: baseline, ours, their ratio, and what is wanted of it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One comparison."""

    what: str
    baseline: str
    ours: str
    ratio: float | None = None
    """None where there is nothing to compare with."""
    wanted: str = ""
    """Such as "≥ 40" or "≤ 1.5", of the ratio."""

    @property
    def verdict(self) -> str:
        """Whether the ratio is as wanted."""
        if self.ratio is None or not self.wanted:
            return ""
        sign, bound = self.wanted.split()
        kept = self.ratio >= float(bound) if sign == "≥" else self.ratio <= float(bound)
        return "yes" if kept else "NO"


HEADER = ("what", "baseline", "ours", "ratio", "wanted", "met")


def markdown(lines: Iterable[Line]) -> str:
    """Return the lines as a table, columns aligned."""
    rows = [HEADER, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{line.ratio:.3g}×"
    return line.what, line.baseline, line.ours, ratio, line.wanted, line.verdict


def seconds(value: float) -> str:
    """Show seconds with three digits."""
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def size(nbytes: float) -> str:
    """Show bytes in MB or GB."""
    return f"{nbytes / 1e9:.3g} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.0f} MB"
