"""What frames every diagram: its title, the sums below, the legend, and how it is drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from atlas.architectures.diagrams import style
from atlas.architectures.diagrams.listings import cell, row, table
from atlas.architectures.diagrams.style import COLOURS, FONT, INK, SMALL, TEXT, count, macs, share
from atlas.architectures.portraits import Missing, Piece, Portrait
from atlas.basis.tables import replacing

DOTS_PER_INCH = 120
NOTICE_WIDTH = 90
"""Letters in a line of a notice."""


def graph(portrait: Portrait, **attributes: Any) -> Any:
    """Return an empty graph with the title and the style of all diagrams."""
    import pygraphviz

    drawing = pygraphviz.AGraph(directed=True, strict=False)
    drawing.graph_attr.update(
        fontname=FONT, bgcolor="white", pad="0.25", nodesep="0.2", ranksep="0.18",
        splines="spline", label=_title(portrait), labelloc="t", labeljust="l", **attributes,
    )  # fmt: skip
    drawing.node_attr.update(shape="plain", fontname=FONT, fontsize=str(TEXT), fontcolor=INK)
    drawing.edge_attr.update(color=style.IMAGE, penwidth="1.6", arrowsize="0.7")
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
        f"{whole.class_name}, {portrait.kind} · one forward of {portrait.batch} image of "
        f"{portrait.side} × {portrait.side} pixels{text}, {portrait.dtype} · "
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
    """Return the legend: the kinds of blocks by colour, and the edges."""
    rows = [row(cell("Colours", bold=True, span=2))]
    rows += [
        row(cell("\u2003", colour=COLOURS[kind]), cell(kind, size=SMALL))
        for kind in dict.fromkeys(kinds)
    ]
    rows += [row(f'<td><font color="{colour}"><b>→</b></font></td>', cell(name, size=SMALL))
             for name, colour in edges.items()]  # fmt: skip
    return table(rows)


def encoders(portrait: Portrait, title: str) -> str:
    """Return the text, and what reads it before the denoiser; it is none of its parameters."""
    if not portrait.encoders:
        return table([row(cell(title, bold=True)), row(cell(f"{portrait.tokens} tokens"))])
    rows = [row(cell(title, bold=True, span=3))]
    rows += [
        row(
            cell(encoder.class_name, size=SMALL),
            cell(f"{encoder.tokens} tokens", size=SMALL, align="right"),
            cell(f"{count(encoder.parameters)} parameters", size=SMALL, soft=True, align="right"),
        )
        for encoder in portrait.encoders
    ]
    return table(rows)


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
