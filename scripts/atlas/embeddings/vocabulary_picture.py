"""What each model of a group did to the vocabulary of the base: shares, moves, and tokens."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import floor, log10
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from atlas.embeddings.vocabulary import IDENTICAL, MOVED, NONFINITE, ROUNDED, SHRUNK
from atlas.plots import style
from atlas.plots.context import SEPARATOR
from atlas.plots.layout import Mark, Page, open_page, wrapped
from atlas.plots.style import ACCENT, FAINT, PALE, SMALL, SOFT, applied, fonts, text_width
from atlas.plots.words import significant, titled

LOOKS = {
    MOVED: ("moved", ACCENT),
    SHRUNK: ("shrunk by a common factor", "#ddaa33"),
    ROUNDED: ("equal but for rounding", "#88ccee"),
    IDENTICAL: ("bit for bit identical", style.IDENTICAL),
    NONFINITE: ("NaN or infinite", "#882255"),
}
"""Meaning and colour of each status, as the bars have them from left to right."""

NAME, BAR, HISTOGRAM, TOKENS, GAP = 1.5, 2.15, 2.3, 3.1, 0.3
"""Widths in inches of the columns, and of the gap between two."""
COUNTS = 0.36
"""More of a gap for the histograms' counts."""

BAR_AT = NAME + GAP
HISTOGRAM_AT = BAR_AT + BAR + COUNTS + GAP
TOKENS_AT = HISTOGRAM_AT + HISTOGRAM + GAP
"""Where the columns begin."""

HAIR = 0.012
"""Inches of a share that is too small to be seen."""
HEAD, ROW, BETWEEN, SCALE = 0.24, 0.68, 0.14, 0.42
"""Heights in inches: of the columns' titles, a row, the gap below it, and the scale."""
LINE = 0.165
"""Inches from one line of text to the next."""
LINES = 4
"""Lines that fit a row."""
BINS = 48
"""About so many bins across the histograms."""
MOST_TOKENS = 8
LONGEST = 16
"""Tokens that are named of each model, and characters that are shown of one."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a row of the picture shows of one model."""

    label: str
    counts: dict[str, int]
    """Of each status of LOOKS that there is."""
    moves: dict[str, NDArray[np.float64]]
    """Relative moves above 0 by status."""
    factor: float | None
    """The median of the shrunk rows' scales."""
    most: list[str]
    """The tokens that moved most, as text."""

    @property
    def compared(self) -> int:
        """How many tokens were compared."""
        return sum(self.counts.values())

    @property
    def moved(self) -> int:
        """How many tokens moved."""
        return self.counts.get(MOVED, 0)


def draw(tables: Mapping[str, pa.Table], *, base: str, component: str) -> Figure:
    """
    Draw a row for each model: shares of tokens by status, relative moves, what moved most.

    Parameters
    ----------
    tables
        Label of a model to its `Comparison.rows` against the base, in the order of the rows.
    base
        Label of the base.
    component
        Whose tokens, such as text_encoder_2.
    """
    rows = [_drawn(label, table) for label, table in tables.items()]
    edges = _edges(rows)
    highest = max((_bars(row, edges)[1] for row in rows), default=1)
    present = {status for row in rows for status in row.counts}
    with applied():
        page = open_page(
            title=_claim(rows, base),
            subtitle=_subtitle(rows, base, component),
            width=TOKENS_AT + TOKENS,
            height=HEAD + len(rows) * (ROW + BETWEEN) + (SCALE if len(edges) else 0.0),
            legend=[Mark(*look, "bar") for status, look in LOOKS.items() if status in present],
            notes=_notes(rows),
        )
        heads = ((BAR_AT, "tokens"), (HISTOGRAM_AT, "relative moves"), (TOKENS_AT, "moved most"))
        for x, head in heads:
            page.write(x, 0.06, head, color=SOFT)
        for number, row in enumerate(rows):
            y = HEAD + number * (ROW + BETWEEN)
            _write_lines(page, 0.0, y, _cut_lines(row.label, NAME), weight="bold")
            _draw_bar(page, y, row)
            if len(edges):
                axes = page.axes(HISTOGRAM_AT, y, HISTOGRAM, ROW)
                _draw_histogram(axes, row, edges, highest, last=number == len(rows) - 1)
            else:
                page.write(HISTOGRAM_AT, y + LINE / 2, "none", color=SOFT)
            _write_tokens(page, y, row)
    return page.figure


def _drawn(label: str, table: pa.Table) -> Drawn:
    status = np.array(table["status"].to_pylist(), dtype=str)
    relative, scale = (_numbers(table, name) for name in ("relative", "scale"))
    ranks = _numbers(table, "rank")
    moved = np.flatnonzero(status == MOVED)
    first = moved[np.argsort(ranks[moved], kind="stable")][:MOST_TOKENS]
    texts = [table["text"][int(row)].as_py() for row in first]
    ids = [table["token"][int(row)].as_py() for row in first]
    shrunk = scale[status == SHRUNK]
    return Drawn(
        label=label,
        counts={each: n for each in LOOKS if (n := int((status == each).sum()))},
        moves={each: relative[(status == each) & (relative > 0)] for each in LOOKS},
        factor=float(np.median(shrunk)) if len(shrunk) else None,
        most=[shown(text, token) for text, token in zip(texts, ids, strict=True)],
    )


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a column with NaN for null: shape (rows,)."""
    return np.array(table[name].to_pylist(), dtype=np.float64)


def shown(text: str | None, token: int) -> str:
    r"""
    Return a token's text as any picture can hold it: on one line, visible, and not too long.

    Characters that can't be seen, that turn the direction of writing, or that no font here has
    are written by their numbers; a token without a text by its id.

    >>> shown("cat</w>", 2368), shown("a\n\u202eb", 1), shown(None, 7)
    ('cat</w>', 'a\\n\\u202eb', '#7')
    """
    if text is None:
        return f"#{token}"
    seen = [_seen(character) for character in text]
    kept = ""
    for piece in seen:  # an escape is kept whole or not at all
        if len(kept) + len(piece) > LONGEST - (kept + piece != "".join(seen)):
            return f"{kept}…"
        kept += piece
    return kept or f"#{token}"


def _seen(character: str) -> str:
    """Return a character, or its number where it can't be seen."""
    if character == " ":
        return "␣"
    kind = unicodedata.category(character)
    alone = kind[0] in "CZ" or kind[0] == "M"  # a mark would land on its neighbour
    if alone or not _has_glyph(character):
        return character.encode("unicode_escape").decode("ascii")
    return character


@cache
def _faces() -> list[Any]:
    """Return the fonts that pictures are drawn with."""
    return [get_font(findfont(FontProperties(family=[name]))) for name in fonts()]


def _has_glyph(character: str) -> bool:
    return any(face.get_char_index(ord(character)) for face in _faces())


def _edges(rows: Sequence[Drawn]) -> NDArray[np.float64]:
    """Return the edges of all histograms' bins, or none where no row of any model moved."""
    moves = np.concatenate([each for row in rows for each in row.moves.values()] or [np.empty(0)])
    if not moves.size:
        return np.empty(0)
    low, high = float(np.log10(moves.min())), float(np.log10(moves.max()))
    if high - low < 1:
        low, high = np.floor(low), np.floor(high) + 1
    per_decade = max(1, round(BINS / (high - low)))
    steps = np.arange(np.floor(low * per_decade) - 1, np.ceil(high * per_decade) + 2)
    return np.asarray(10 ** (steps / per_decade))


def _bars(row: Drawn, edges: NDArray[np.float64]) -> tuple[dict[str, NDArray[np.int_]], int]:
    """Return the counts of each status, and the largest of them."""
    if not len(edges):
        return {}, 1
    counts = {status: np.histogram(moves, edges)[0] for status, moves in row.moves.items()}
    return counts, max(int(each.max()) for each in counts.values())


def _draw_bar(page: Page, y: float, row: Drawn) -> None:
    """Draw the shares of the statuses, and write their counts below."""
    height, left = 0.16, 0.0
    for status, count in row.counts.items():
        width = BAR * count / row.compared
        where = (page.left + BAR_AT + min(left, BAR - HAIR), page.top + y)
        colour = LOOKS[status][1]
        page.canvas.add_patch(Rectangle(where, max(width, HAIR), height, color=colour, lw=0))
        left += width
    told = [_told(row, status) for status in row.counts]
    lines = wrapped(", ".join(told).replace(" ", "\u00a0").replace(",\u00a0", ", "), SMALL, BAR)
    _write_lines(page, BAR_AT, y + height + 0.03, lines[: LINES - 1], color=SOFT)


def _told(row: Drawn, status: str) -> str:
    told = f"{row.counts[status]:,} {status}"
    if status == SHRUNK and row.factor is not None:
        # as many digits as tell it from 1
        digits = max(4, 1 - floor(log10(max(abs(1 - row.factor), 1e-8))))
        return f"{told} × {significant(row.factor, digits)}"
    return told


def _draw_histogram(
    axes: Any, row: Drawn, edges: NDArray[np.float64], highest: int, *, last: bool
) -> None:
    """Draw the moves of one model; the lowest has the scale of all."""
    axes.set(xscale="log", yscale="log", xlim=(edges[0], edges[-1]))
    axes.set_ylim(0.6, max(highest, 10) * 1.6)
    for status, counts in _bars(row, edges)[0].items():
        if counts.any():
            floor = np.where(counts > 0, counts, 0.1)
            colour = LOOKS[status][1]
            axes.stairs(floor, edges, baseline=0.1, fill=True, color=colour, alpha=0.35, lw=0)
            axes.stairs(floor, edges, baseline=0.1, color=colour, lw=1.0)
    plain = FuncFormatter(lambda value, _: significant(value, 1))
    for axis, most in ((axes.xaxis, 5), (axes.yaxis, 3)):
        axis.set_major_locator(LogLocator(numticks=most))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(plain)
    axes.tick_params(length=2.5, width=0.6, labelbottom=last)
    axes.grid(color=FAINT, lw=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    if not any(len(moves) for moves in row.moves.values()):
        axes.set_facecolor(PALE)
        axes.text(
            0.5, 0.5, "no row moved", transform=axes.transAxes,
            ha="center", va="center", color=SOFT, fontsize=SMALL,
        )  # fmt: skip
    if last:
        axes.set_xlabel("distance / norm of the base's row", fontsize=SMALL)


def _write_tokens(page: Page, y: float, row: Drawn) -> None:
    """Write tokens one by one, each a text of its own: none turns its neighbours' direction."""
    if not row.most:
        page.write(TOKENS_AT, y + LINE / 2, "none", color=SOFT)
    across, line = 0.0, 0
    for token in row.most:
        width = text_width(token, SMALL)
        if across and across + width > TOKENS:
            across, line = 0.0, line + 1
        if line == LINES:
            return
        page.write(TOKENS_AT + across, y + (line + 0.5) * LINE, token)
        across += width + 0.16


def _cut_lines(text: str, width: float) -> list[str]:
    """Break a text into as many lines as a row has; what is left is cut off."""
    lines = wrapped(text, SMALL, width, "bold")
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1][:-1]}…"]


def _write_lines(page: Page, x: float, y: float, lines: Sequence[str], **look: Any) -> None:
    for number, line in enumerate(lines):
        page.write(x, y + (number + 0.5) * LINE, line, **look)


def _claim(rows: Sequence[Drawn], base: str) -> str:
    if not rows:
        return f"No model to compare with {base}"
    most = max(rows, key=lambda row: row.moved / max(row.compared, 1))
    if not most.moved:
        whose = rows[0].label if len(rows) == 1 else f"any of {len(rows)} models"
        if all(set(row.counts) == {IDENTICAL} for row in rows):
            return f"No token of {base} differs in {whose}: all are bit for bit identical"
        return f"No token of {base} moved in {whose}, beyond shrinking and rounding"
    share = most.moved / most.compared
    told = f"{most.moved:,} of {most.compared:,} tokens ({significant(100 * share, 2)} %)"
    if len(rows) == 1:
        return f"{most.label} moved {told} of {base}"
    return f"Of {len(rows)} models, {most.label} moved most: {told}"


def _subtitle(rows: Sequence[Drawn], base: str, component: str) -> str:
    sizes = sorted({row.compared for row in rows})
    tokens = f"{' or '.join(f'{size:,}' for size in sizes)} tokens" if sizes else ""
    parts = [
        f"{titled(component)}: rows of the token embeddings against those of {base}",
        tokens,
        "euclidean",
        "log counts, log moves",
    ]
    return SEPARATOR.join(part for part in parts if part)


def _notes(rows: Sequence[Drawn]) -> list[str]:
    notes = [
        "Identical rows have no place on a log scale. That a row moved tells that it was changed,"
        " not what its word means now."
    ]
    if any(row.factor is not None for row in rows):
        notes.append(
            "Rows that shrank by a common factor are what weight decay leaves of tokens without"
            " gradients; moved most is by the distance beyond that shrinking."
        )
    return notes
