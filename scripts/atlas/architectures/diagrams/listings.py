"""The small tables that diagrams are made of, in Graphviz's HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from atlas.architectures.diagrams.style import (
    COLOURS,
    LINE,
    SHORT,
    SMALL,
    SOFT,
    TEXT,
    count,
    kind_of,
    macs,
    share,
    times,
    width,
)
from atlas.architectures.portraits import Piece, Structure

GAP = "\u2002"
"""Graphviz pads cells alike on all sides: a space before a text keeps columns apart."""

INDENT = "\u2003"

LEAST_SHOWN = 10_000
"""Parameters below which a module that multiplies nothing is not shown on the second level."""


def table(rows: Iterable[str], colour: str = "white", widths: Sequence[int] = ()) -> str:
    """Return a whole label: a bordered table of ready rows, its columns at least so wide."""
    sizer = "".join(f'<td width="{width}" height="1" cellpadding="0"></td>' for width in widths)
    body = "".join(rows) + (f"<tr>{sizer}</tr>" if sizer else "")
    return (
        f'<<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="1"'
        f' bgcolor="{colour}">{body}</table>>'
    )


def row(*cells: str) -> str:
    """Return one row of ready cells."""
    return f"<tr>{''.join(cells)}</tr>"


def cell(
    text: str, *, align: str = "left", size: int = TEXT, bold: bool = False, span: int = 1,
    soft: bool = False, colour: str | None = None,
) -> str:  # fmt: skip
    """Return one cell of plain text."""
    told = escape(f"{GAP}{text}" if align == "right" and text else text, quote=False)
    told = f"<b>{told}</b>" if bold and told else told
    font = f' color="{SOFT}"' if soft else ""
    ground = f' bgcolor="{colour}"' if colour else ""
    told = f'<font point-size="{size}"{font}>{told}</font>' if told else ""
    return f'<td align="{align}" valign="bottom" colspan="{span}"{ground}>{told}</td>'


def unit(piece: Piece, whole: Structure, widths: Sequence[int]) -> str:
    """Return a unit of a UNet: its mark, classes, shape, parameters and MACs with shares."""
    rows = [
        row(cell(piece.mark, bold=True), cell(classes(piece.classes), align="right")),
        row(cell(""), cell(times(piece.shape), align="right", size=SMALL, soft=True)),
        amounts(piece, whole),
    ]
    return table(rows, COLOURS[kind_of(piece)], widths)


def unit_widths(pieces: Sequence[Piece], whole: Structure) -> tuple[int, int]:
    """Return the widths in points of the two columns that all of these units fit."""
    told = [amounts_of(piece, whole) for piece in pieces]
    names = [classes(piece.classes) for piece in pieces]
    return (
        max(width(weights, SMALL) for weights, _ in told),
        max(
            *(width(f"{GAP}{work}", SMALL) for _, work in told),
            *(width(f"{GAP}{name}", TEXT) for name in names),
        ),
    )


def amounts(piece: Piece, whole: Structure) -> str:
    """Return a row of two cells: parameters and MACs, with shares."""
    weights, work = amounts_of(piece, whole)
    return row(cell(weights, size=SMALL), cell(work, align="right", size=SMALL))


def amounts_of(piece: Piece, whole: Structure) -> tuple[str, str]:
    """Return the texts of a piece's parameters and MACs, with shares."""
    weights = f"{count(piece.parameters)} parameters, {share(piece.parameters, whole.parameters)}"
    return weights, f"{macs(piece.macs)}, {share(piece.macs, whole.macs)}"


def run(pieces: Sequence[Piece], whole: Structure, image_tokens: int) -> str:
    """Return equal consecutive blocks of a transformer as one table."""
    first = pieces[0]
    weights = sum(piece.parameters for piece in pieces)
    work = sum(piece.macs for piece in pieces)
    header = row(cell(run_name(pieces), bold=True, span=4))
    rows = [
        header,
        row(cell(" + ".join(first.classes), span=4)),
        row(
            cell(_stream(first, image_tokens), size=SMALL, soft=True),
            cell(times(first.shape), align="right", size=SMALL, span=3),
        ),
        _amounts("parameters", count(first.parameters), len(pieces), count(weights),
                 share(weights, whole.parameters)),
        _amounts("MACs", macs(first.macs), len(pieces), macs(work), share(work, whole.macs)),
    ]  # fmt: skip
    return table(rows, COLOURS[kind_of(first)], widths=(70, 90, 55, 40))


def _stream(piece: Piece, image_tokens: int) -> str:
    """Say what a block's output is: the image's tokens, or text and image joined."""
    joined = piece.shape is not None and len(piece.shape) == 3 and piece.shape[1] != image_tokens
    return "image and text out" if joined else "image stream out"


def _amounts(what: str, each: str, number: int, total: str, part: str) -> str:
    told = f"{number} × {each} =" if number > 1 else ""
    return row(
        cell(what, size=SMALL, soft=True),
        cell(told, align="right", size=SMALL, soft=True),
        cell(total, align="right", size=SMALL),
        cell(part, align="right", size=SMALL),
    )


def run_name(pieces: Sequence[Piece]) -> str:
    """
    Name a run of blocks by their list and numbers: transformer_blocks 00–18 ×19.

    A block that stands alone has just its number.
    """
    group, _, first = pieces[0].mark.rpartition(".")
    last = pieces[-1].mark.rpartition(".")[2]
    if len(pieces) == 1:
        return f"{group} {int(first):02d}"
    return f"{group} {int(first):02d}–{int(last):02d} ×{len(pieces)}"


def listing(title: str, pieces: Sequence[Piece], whole: Structure, colour: str) -> str:
    """Return pieces outside the units as one table: a line for each."""
    rows = [row(cell(title, bold=True, span=2))]
    for piece in pieces:
        class_name = " + ".join(piece.classes)
        rows += [
            row(cell(piece.mark), cell(class_name, size=SMALL, soft=True, align="right")),
            row(cell(""), cell(times(piece.shape), size=SMALL, soft=True, align="right"))
            if piece.shape
            else "",
            amounts(piece, whole),
        ]
    return table(rows, colour)


HEADINGS = ("module", f"{GAP}class", "out", "parameters", "MACs")
SIDES = ("left", "left", "right", "right", "right")
SOFTENED = (False, True, True, False, False)
"""Columns of an expanded block: their headings, the side they are set to, which are paler."""


def expansion(sample: Piece, number: int, widths: Sequence[int]) -> str:
    """Return one block with its modules two levels down."""
    group = sample.mark.rpartition(".")[0]
    heading = (
        f"One of {number}: {sample.mark}" if number > 1 else f"The one of its type: {sample.mark}"
    )
    header = [
        row(cell(heading, bold=True, span=5)),
        row(cell(f"{' + '.join(sample.classes)} of {group}", span=5)),
        row(*(cell(name, size=SMALL, soft=True, align=side) for name, side in zip(
            HEADINGS, SIDES, strict=True))),
    ]  # fmt: skip
    rows = [
        row(
            *(
                cell(text, size=SMALL, align=side, soft=level > 0 or is_soft)
                for text, side, is_soft in zip(texts, SIDES, SOFTENED, strict=True)
            )
        )
        for level, texts in _lines(sample)
    ]
    total = row(
        cell("block", bold=True, size=SMALL, span=3),
        cell(count(sample.parameters), bold=True, size=SMALL, align="right"),
        cell(macs(sample.macs), bold=True, size=SMALL, align="right"),
    )
    return table([*header, *rows, total], _pale(COLOURS[kind_of(sample)]), widths)


def expansion_widths(samples: Sequence[Piece]) -> list[int]:
    """Return the widths in points of the columns that all of these expansions fit."""
    lines = [HEADINGS, *(texts for sample in samples for _, texts in _lines(sample))]
    columns = zip(*lines, strict=True)
    return [max(width(f"{GAP}{text}", SMALL) for text in column) for column in columns]


def _lines(sample: Piece) -> list[tuple[int, tuple[str, ...]]]:
    """Return level and texts of each line of an expanded block."""
    return [line for part in sample.parts for line in _expanded(part, 0)]


def _expanded(part: Piece, level: int) -> list[tuple[int, tuple[str, ...]]]:
    """Return a module's line, and its own modules' that weigh or multiply below it."""
    own = (
        INDENT * level + part.mark.rpartition(".")[2],
        f"{GAP}{part.classes[0]}",
        times(part.shape),
        count(part.parameters),
        macs(part.macs),
    )
    inner = [piece for piece in part.parts if piece.macs or piece.parameters >= LEAST_SHOWN]
    return [(level, own), *(line for piece in inner for line in _expanded(piece, level + 1))]


def _pale(colour: str) -> str:
    """Mix a colour with white, half and half."""
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{(part + 255) // 2:02x}" for part in parts)


def classes(names: Sequence[str]) -> str:
    """
    Write the classes of a unit, runs of one class counted.

    >>> classes(("ResnetBlock2D", "Transformer2DModel", "Upsample2D"))
    'ResNet + Transformer + Upsample'
    """
    told = []
    for name, same in groupby(SHORT.get(name, name) for name in names):
        number = len(list(same))
        told.append(f"{number} × {name}" if number > 1 else name)
    return " + ".join(told)
