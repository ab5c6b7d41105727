"""A UNet: the IN units down, the middle, the OUT units up, skips across at equal rank."""

from itertools import pairwise
from typing import Any

from atlas.architectures.diagrams import frame, listings
from atlas.architectures.diagrams.streams import BOXES, HEAD, Readers, boxes
from atlas.architectures.diagrams.style import COLOURS, LINE, STREAMS
from atlas.architectures.portraits import Piece, Portrait


def draw(portrait: Portrait) -> Any:
    """Return the drawing of a UNet, not yet laid out."""
    down, middle, up = (columns(portrait)[name] for name in ("IN", "MID", "OUT"))
    drawing = frame.graph(portrait)
    whole = portrait.structure
    readers = Readers(whole)
    widths = listings.unit_widths([*down, *up], whole)
    for piece in whole.units:
        own = listings.unit_widths([piece], whole) if piece in middle else widths
        drawing.add_node(piece.mark, label=listings.unit(piece, whole, own, readers))
    _add_chain(drawing, [piece.mark for piece in down])
    _add_chain(drawing, [piece.mark for piece in reversed(up)], upward=True)
    bottom = (middle or down)[-1].mark
    if middle:
        drawing.add_edge(down[-1].mark, bottom)
        drawing.add_edge(up[0].mark, bottom, dir="back")
    else:
        drawing.add_edge(bottom, up[0].mark, constraint="false")
    _add_ranks(drawing, down, up)
    for start, end in readers.skips():
        drawing.add_edge(start, end, style="dashed", color=LINE, constraint="false", penwidth="1.2")
    _add_ends(drawing, portrait, readers, down[0].mark, up[-1].mark)
    _add_feet(drawing, portrait, bottom)
    return drawing


def columns(portrait: Portrait) -> dict[str, list[Piece]]:
    """Return the units of the IN column, of the middle and of the OUT column."""
    return {
        name: [piece for piece in portrait.structure.units if piece.mark.startswith(name)]
        for name in ("IN", "MID", "OUT")
    }


def _add_chain(drawing: Any, marks: list[str], *, upward: bool = False) -> None:
    for above, below in pairwise(marks):
        drawing.add_edge(above, below, weight="20", dir="back" if upward else "forward")


def _add_ranks(drawing: Any, down: list[Piece], up: list[Piece]) -> None:
    """Set units that mirror each other side by side, from the bottom up."""
    for left, right in zip(reversed(down), up, strict=False):
        drawing.add_subgraph([left.mark, right.mark], rank="same")
        drawing.add_edge(left.mark, right.mark, style="invis")


def _add_ends(drawing: Any, portrait: Portrait, readers: Readers, first: str, last: str) -> None:
    """Draw what goes in, the embedders that read it, and the head above the OUT column."""
    whole = portrait.structure
    found = {name: pieces for name, pieces in boxes(whole).items() if pieces}
    for name, pieces in found.items():
        colour = COLOURS[BOXES[name].lower()]
        drawing.add_node(name, label=listings.listing(BOXES[name], pieces, whole, colour, readers))
    box_of = {piece.mark: name for name, own in found.items() for piece in own}
    sources = frame.inputs(portrait)
    for stream, told in sources.items():
        drawing.add_node(f"{stream} in", label=told)
    edges = {
        (f"{source.stream} in", box_of[flow.end]): source.stream
        for source in whole.sources
        for flow in whole.flows
        if flow.start == source.name and flow.end in box_of
    }
    for (start, end), stream in edges.items():
        drawing.add_edge(start, end, color=STREAMS[stream])
    drawing.add_edge("image in", first, weight="20")
    drawing.add_edge(HEAD, last, weight="20", dir="back")
    embedders = [name for name in found if name != HEAD]
    row_of = ["image in", *embedders, HEAD]
    drawing.add_subgraph(row_of, rank="same")
    for left, right in pairwise(row_of):
        drawing.add_edge(left, right, style="invis")
    above = [f"{stream} in" for stream in sources if stream != "image"]
    if "text" in sources:
        drawing.add_edge("text in", "image in", style="invis", weight="10")
    drawing.add_subgraph(above, rank="same")
    for left, right in pairwise(above):
        drawing.add_edge(left, right, style="invis")


def _add_feet(drawing: Any, portrait: Portrait, bottom: str) -> None:
    units = {f"{name} units": pieces for name, pieces in columns(portrait).items() if pieces}
    edges = {**frame.stream_edges(portrait), "skip connection (dashed)": LINE}
    for node, told in frame.foot(portrait, units, edges).items():
        drawing.add_node(node, label=told)
        drawing.add_edge(bottom, node, style="invis")
    drawing.add_subgraph(["sums", "legend"], rank="same")
