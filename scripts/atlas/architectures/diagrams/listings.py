"""The small tables that diagrams are made of, in Graphviz's HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from atlas.architectures.diagrams.streams import Readers, is_numbered, skipped, tag, tags
from atlas.architectures.diagrams.style import (
    COLOURS,
    GAP,
    LINE,
    SAMPLER,
    SHORT,
    SMALL,
    SOFT,
    STREAMS,
    TEXT,
    count,
    kind_of,
    macs,
    share,
    times,
    width,
)
from atlas.architectures.portraits import Piece, Structure

MARGIN = 4
"""Points at the right of a table: Graphviz takes letters for 2.5 % narrower than browsers do."""

INDENT = "\u2003"

LEAST_SHOWN = 10_000
"""Parameters below which a module that multiplies nothing is not shown on the second level."""


def table(rows: Iterable[str], colour: str = "white", widths: Sequence[int] = ()) -> str:
    """Return a whole label: a bordered table of ready rows, its columns at least so wide."""
    sizer = "".join(f'<td width="{width}" height="1" cellpadding="0"></td>' for width in widths)
    body = "".join(rows) + (f"<tr>{sizer}</tr>" if sizer else "")
    return (
        f'<<table border="1" color="{LINE}" cellborder="0" cellspacing="0" cellpadding="2"'
        f' bgcolor="{colour}"><tr><td><table border="0" cellborder="0" cellspacing="0"'
        f' cellpadding="0">{body}</table></td><td cellpadding="0" width="{MARGIN}"></td></tr>'
        "</table>>"
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


def unit(piece: Piece, whole: Structure, widths: Sequence[int], readers: Readers) -> str:
    """Return a unit of a UNet: mark, classes, streams that it reads, shape, sums with shares."""
    foreign = [stream for stream in readers.streams(piece.mark) if stream != "image"]
    rows = [
        row(cell(piece.mark, bold=True), cell(classes_of(piece), align="right")),
        row(
            tags(foreign),
            cell(f"{readers.sampling(piece)} {times(piece.shape)}", align="right", size=SMALL,
                 soft=True),
        ),
        amounts(piece, whole),
    ]  # fmt: skip
    return table(rows, COLOURS[kind_of(piece)], widths)


def unit_widths(pieces: Sequence[Piece], whole: Structure) -> tuple[int, int]:
    """Return the widths in points of the two columns that all of these units fit."""
    told = [amounts_of(piece, whole) for piece in pieces]
    names = [classes_of(piece) for piece in pieces]
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


def run(
    pieces: Sequence[Piece],
    whole: Structure,
    image_tokens: int,
    readers: Readers,
    skips: Sequence[tuple[str, str]],
) -> str:
    """Return equal consecutive blocks of a transformer as one table."""
    first = pieces[0]
    weights = sum(piece.parameters for piece in pieces)
    work = sum(piece.macs for piece in pieces)
    marks = [piece.mark for piece in pieces]
    entrances = {stream: readers.entrance(marks, stream) for stream in STREAMS if stream != "image"}
    header = row(cell(run_name(pieces), bold=True, span=4))
    rows = [
        header,
        row(cell(" + ".join(first.classes), span=4)),
        *(row(tag(f"{stream} {told}", STREAMS[stream], 4))
          for stream, told in entrances.items() if told),
        *([row(tag(skipped(skips), SOFT, 4))] if skips else []),
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
    if not is_numbered(piece.mark):
        return "out"
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

    A block that stands alone has just its number; a unit without one its own name.
    """
    group, _, first = pieces[0].mark.rpartition(".")
    if not first.isdigit():
        return " + ".join(piece.mark for piece in pieces)
    last = pieces[-1].mark.rpartition(".")[2]
    if len(pieces) == 1:
        return f"{group} {int(first):02d}"
    return f"{group} {int(first):02d}–{int(last):02d} ×{len(pieces)}"


def listing(
    title: str, pieces: Sequence[Piece], whole: Structure, colour: str, readers: Readers
) -> str:
    """Return pieces outside the units as one table: what they are, and read of other streams."""
    rows = [row(cell(title, bold=True, span=2))]
    for piece in pieces:
        class_name = " + ".join(piece.classes)
        own = {piece.stream} if piece.stream != "head" else {"image"}
        foreign = [stream for stream in readers.streams(piece.mark) if stream not in own]
        rows += [
            row(cell(piece.mark), cell(class_name, size=SMALL, soft=True, align="right")),
            row(
                tags(foreign),
                cell(times(piece.shape) if piece.shape else "", size=SMALL, soft=True,
                     align="right"),
            )
            if piece.shape or foreign
            else "",
            amounts(piece, whole),
        ]  # fmt: skip
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
    return [
        max(width(f"{GAP}{text}" if side == "right" else text, SMALL) for text in column)
        for side, column in zip(SIDES, columns, strict=True)
    ]


def _lines(sample: Piece) -> list[tuple[int, tuple[str, ...]]]:
    """Return level and texts of each line of an expanded block."""
    return [line for part in sample.parts for line in _expanded(part, 0)]


def _expanded(part: Piece, level: int) -> list[tuple[int, tuple[str, ...]]]:
    """
    Return a module's line and, below it, those of its parts that weigh or multiply.

    What is too small to be shown stands in one line, so that the lines add up.
    """
    lines = [(level, _told(part, level))]
    small = [piece for piece in part.parts if not piece.macs and piece.parameters < LEAST_SHOWN]
    for piece in part.parts:
        if piece not in small:
            lines += _expanded(piece, level + 1)
    owning = [piece for piece in small if piece.parameters]
    if len(owning) == 1:
        lines.append((level + 1, _told(owning[0], level + 1)))
    elif owning:
        weights = sum(piece.parameters for piece in owning)
        rest = Piece(f"{len(owning)} small modules", (), ("",), weights, 0, 0, None)
        lines.append((level + 1, _told(rest, level + 1)))
    return lines


def _told(part: Piece, level: int) -> tuple[str, ...]:
    return (
        INDENT * level + part.mark.rpartition(".")[2],
        f"{GAP}{part.classes[0]}",
        times(part.shape),
        count(part.parameters),
        macs(part.macs),
    )


def _pale(colour: str) -> str:
    """Mix a colour with white, half and half."""
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{(part + 255) // 2:02x}" for part in parts)


def classes_of(piece: Piece) -> str:
    """
    Write the classes of a unit; ResNets that halve or double rows and columns are told as such.

    >>> classes_of(Piece("IN04", ("down_blocks.0.downsamplers.0",), ("ResnetBlock2D",), 1, 0, 1,
    ...            None))
    'ResNet that downsamples'
    """
    if len(piece.paths) != len(piece.classes):
        return classes(piece.classes)
    told = []
    for path, name in zip(piece.paths, piece.classes, strict=True):
        sampler = SAMPLER.search(path)
        is_resnet = "resnet" in name.lower()
        told.append(f"{SHORT.get(name, name)} that {sampler[1]}samples" if sampler and is_resnet
                    else name)  # fmt: skip
    return classes(told)


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
