"""What frames every diagram: its title, the sums below, the legend, and how it is drawn."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import Any

from atlas.architectures.diagrams import style
from atlas.architectures.diagrams.listings import cell, row, table
from atlas.architectures.diagrams.streams import BOXES, Readers, boxes, given
from atlas.architectures.diagrams.style import (
    COLOURS,
    FONT,
    GAP,
    INK,
    SMALL,
    STREAMS,
    TEXT,
    count,
    kind_of,
    macs,
    share,
    times,
)
from atlas.architectures.portraits import Encoder, Missing, Piece, Portrait, Source
from atlas.basis.tables import replacing

DOTS_PER_INCH = 120
NOTICE_WIDTH = 90
"""Letters in a line of a notice."""


def graph(portrait: Portrait, **attributes: Any) -> Any:
    """Return an empty graph with the title and the style of all diagrams."""
    import pygraphviz

    drawing = pygraphviz.AGraph(directed=True, strict=False)
    drawing.graph_attr.update(
        fontname=FONT, bgcolor="white", pad="0.08", nodesep="0.12", ranksep="0.16",
        splines="spline", label=_title(portrait), labelloc="t", labeljust="l", **attributes,
    )  # fmt: skip
    drawing.node_attr.update(shape="plain", fontname=FONT, fontsize=str(TEXT), fontcolor=INK)
    drawing.edge_attr.update(color=STREAMS["image"], penwidth="1.6", arrowsize="0.7")
    return drawing


def notice(missing: Missing) -> Any:
    """Return, in place of a drawing, why there is none."""
    import pygraphviz

    drawing = pygraphviz.AGraph()
    drawing.graph_attr.update(fontname=FONT, bgcolor="white", pad="0.25")
    drawing.node_attr.update(shape="plain", fontname=FONT, fontsize=str(TEXT), fontcolor=INK)
    lines = wrap(missing.problem, NOTICE_WIDTH)
    title = cell(f"{missing.name} could not be surveyed", size=style.TITLE, bold=True)
    drawing.add_node("problem", label=table([row(title), *(row(cell(line)) for line in lines)]))
    return drawing


def _title(portrait: Portrait) -> str:
    """Say what the drawing shows: sizes in the title, the inputs in the line below."""
    whole = portrait.structure
    title = (
        f"{portrait.label}: {count(whole.parameters)} parameters in {len(whole.units)} units, "
        f"{macs(whole.macs)} per forward"
    )
    text = f", {portrait.tokens} text tokens" if portrait.tokens else ""
    forwards = portrait.forwards_per_step
    below = (
        f"{whole.class_name}, {portrait.kind} · one forward of {portrait.batch} "
        f"{_subject(portrait)} of {portrait.side} × {portrait.side} pixels{text}, "
        f"{portrait.dtype} · "
        f"{forwards} forward{'s' if forwards > 1 else ''} per step · "
        "shares are of the denoiser's parameters and MACs"
    )
    lines = [
        row(cell(title, size=style.TITLE, bold=True)),
        row(cell(below, size=TEXT, soft=True)),
        row('<td height="8"></td>'),
    ]
    return f'<<table border="0" cellborder="0" cellspacing="0">{"".join(lines)}</table>>'


def sums(portrait: Portrait, parts: Mapping[str, Sequence[Piece]]) -> str:
    """Return the table that adds the drawn parts up to the whole."""
    whole = portrait.structure
    rows = [
        row(
            cell("Sums", bold=True),
            cell("parameters", size=SMALL, soft=True, align="right", span=2),
            cell("MACs", size=SMALL, soft=True, align="right", span=2),
        )
    ]
    for name, pieces in parts.items():
        weights, work = sum(p.parameters for p in pieces), sum(p.macs for p in pieces)
        rows.append(_sum(name, weights, work, portrait))
    rows.append(_sum("total", whole.parameters, whole.macs, portrait, bold=True))
    if whole.buffers >= 10**6:
        rows.append(
            row(cell(f"and {count(whole.buffers)} in buffers (tables of positions)", size=SMALL,
                     soft=True, span=5))
        )  # fmt: skip
    return table(rows)


def _sum(name: str, weights: int, work: int, portrait: Portrait, *, bold: bool = False) -> str:
    whole = portrait.structure
    values = (
        f"{weights:,}",
        share(weights, whole.parameters),
        macs(work),
        share(work, whole.macs),
    )
    return row(
        cell(name, size=SMALL, bold=bold),
        *(cell(value, size=SMALL, align="right", bold=bold) for value in values),
    )


def legend(kinds: Sequence[str], edges: Mapping[str, str]) -> str:
    """Return the legend: the kinds of blocks by colour, and beside them the edges."""
    left = [
        cell("\u2003", colour=COLOURS[kind]) + cell(f"{GAP}{kind}", size=SMALL)
        for kind in dict.fromkeys(kinds)
    ]
    right = [
        f'<td><font color="{colour}"><b>{GAP}→{GAP}</b></font></td>' + cell(name, size=SMALL)
        for name, colour in edges.items()
    ]
    rows = [row(cell("Colours", bold=True, span=2), cell(f"{GAP}Streams", bold=True, span=2))]
    rows += [row(one, other) for one, other in zip_longest(left, right, fillvalue=EMPTY)]
    return table(rows)


EMPTY = "<td></td><td></td>"
"""Two cells of nothing."""


def stacked(tables: Sequence[str]) -> str:
    """Return ready tables one below the other, as one label."""
    body = "".join(f'<tr><td align="left">{told[1:-1]}</td></tr>' for told in tables)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{body}</table>>'


def inputs(portrait: Portrait) -> dict[str, str]:
    """Return a table per stream of what the denoiser is given, and of who made it."""
    told = {
        stream: _input(portrait, stream, sources)
        for stream, sources in given(portrait.structure).items()
    }
    if portrait.encoders and "text" not in told:
        told["text"] = table([row(cell("Text in", bold=True)), *_encoders(portrait.encoders)])
    return told


def _subject(portrait: Portrait) -> str:
    return f"clip of {portrait.frames} frames" if portrait.frames else "image"


def _input(portrait: Portrait, stream: str, sources: Sequence[Source]) -> str:
    is_latent = stream == "image" and portrait.downsampling > 1
    title = "Latent in" if is_latent else f"{stream.capitalize()} in"
    rows = [row(cell(title, bold=True, span=3))]
    if stream == "image":
        rows.append(row(cell(times(portrait.latent), size=SMALL, span=3)))
    for source in sources:
        if stream != "image" or source.shape != portrait.latent:
            rows.append(row(
                cell(source.name, size=SMALL),
                cell(times(source.shape), size=SMALL, align="right", span=2),
            ))  # fmt: skip
        rows += _encoders([each for each in portrait.encoders if each.name in source.encoders])
    if stream == "text":
        reading = [unit for unit in portrait.structure.units if _reads(portrait, unit.mark)]
        if portrait.structure.units[0].mark.startswith("IN") and reading:
            rows.append(row(cell(f"read by the {len(reading)} units with ← text", size=SMALL,
                                 span=3)))  # fmt: skip
        known = {name for source in portrait.structure.sources for name in source.encoders}
        rest = [each for each in portrait.encoders if each.name not in known]
        rows += [row(cell("encoders, which of them is not told", size=SMALL, soft=True, span=3)),
                 *_encoders(rest)] if rest else []  # fmt: skip
    return table(rows)


def _reads(portrait: Portrait, mark: str) -> bool:
    """Say whether a unit is given text."""
    return "text" in Readers(portrait.structure).streams(mark)


def _encoders(found: Sequence[Encoder]) -> list[str]:
    """Return the rows of text encoders, no part of the denoiser: tokens and parameters."""
    return [
        row(
            cell(f"of {encoder.class_name}", size=SMALL, soft=True),
            cell(f"{encoder.tokens} tokens", size=SMALL, soft=True, align="right"),
            cell(count(encoder.parameters), size=SMALL, soft=True, align="right"),
        )
        for encoder in found
    ]


def foot(
    portrait: Portrait, units: Mapping[str, Sequence[Piece]], edges: Mapping[str, str]
) -> dict[str, str]:
    """Return the tables of sums and of colours, the units by their groups."""
    outside = {name: pieces for name, pieces in boxes(portrait.structure).items() if pieces}
    named = {BOXES[name].lower(): pieces for name, pieces in outside.items()}
    kinds = [*(kind_of(piece) for pieces in units.values() for piece in pieces), *named]
    return {"sums": sums(portrait, {**units, **named}), "legend": legend(kinds, edges)}


def stream_edges(portrait: Portrait) -> dict[str, str]:
    """Return the streams of a portrait and their colours, for the legend."""
    found = {*given(portrait.structure)} | {piece.stream for piece in portrait.structure.outside}
    return {stream: colour for stream, colour in STREAMS.items() if stream in found}


def save(drawing: Any, svg: Path, png: Path) -> None:
    """
    Lay a drawing out once and write it as SVG and as PNG.

    pygraphviz' wheels carry Graphviz with cairo: no system program is called.
    """
    svg.parent.mkdir(parents=True, exist_ok=True)
    drawing.layout(prog="dot")
    with replacing(svg) as partial:
        partial.write_bytes(drawing.draw(format="svg"))
    drawing.graph_attr["dpi"] = str(DOTS_PER_INCH)
    with replacing(png) as partial:
        partial.write_bytes(drawing.draw(format="png"))
