"""What the pictures of MACs share: rows that name architectures, and words for numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from atlas.macs import summary
from atlas.macs.request import Size
from atlas.macs.summary import COMPARED
from atlas.plots.style import INK, SMALL, text_width

Row = Mapping[str, Any]


def common_size(rows: Sequence[Row], prompt: str) -> Size | None:
    """Return the size that most architectures are made for and were counted at."""
    sizes = dict.fromkeys((row["width_pixels"], row["height_pixels"]) for row in rows)
    members = {size: len(summary.at(rows, size, prompt)) for size in sizes if None not in size}
    best = max(members, key=lambda size: (members[size], size == COMPARED, size), default=None)
    return best if best and members[best] else None


def left_out(rows: Sequence[Row]) -> list[str]:
    """Return the notes that name what is not compared: doubtful figures, and videos."""
    counted = [row for row in rows if row["forward_macs"]]
    reasons = {
        "their figures are doubtful": [row["label"] for row in counted if row["problem"]],
        "they make videos": [row["label"] for row in counted if row["frames"]],
    }
    return [
        f"Left out, as {reason}: {', '.join(dict.fromkeys(names))}."
        for reason, names in reasons.items()
        if names
    ]


def counted(number: int) -> str:
    """
    Write a number of architectures.

    >>> counted(1), counted(28)
    ('1 architecture', '28 architectures')
    """
    return f"{number} architecture{'s' if number != 1 else ''}"


def between(low: tuple[str, str], high: tuple[str, str]) -> str:
    """
    Write two values with what has them, equal names once.

    >>> between(("2 %", "SANA"), ("42 %", "SD 1.5")), between(("2 %", "SANA"), ("2 %", "SANA"))
    ('2 % (SANA) to 42 % (SD 1.5)', '2 % (SANA)')
    """
    return " to ".join(dict.fromkeys(f"{value} ({name})" for value, name in (low, high)))


def label_width(labels: Sequence[str]) -> float:
    """Return the room in inches that labels need."""
    return max(text_width(label, SMALL) for label in labels) + 0.12


def short(value: float) -> str:
    """Write a number with the digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def finish(axes: Any, labels: Sequence[str], unit: str) -> None:
    """Name the bars and the scale, without more lines than needed."""
    axes.set_yticks(range(len(labels)), labels, color=INK)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(unit)
    axes.margins(x=0)
