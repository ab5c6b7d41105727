"""A UNet: the IN units down, the middle, the OUT units up, skips across at equal rank."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from atlas.architectures.diagrams import frame, listings
from atlas.architectures.diagrams.streams import BOXES, HEAD, TEXT, Readers, boxes
from atlas.architectures.diagrams.style import COLOURS, LINE, STREAMS
from atlas.architectures.portraits import Piece, Portrait


def fits(portrait: Portrait) -> bool:
    """Say whether a portrait has the units of a UNet; Stable Cascade's are none of them."""
    return bool(columns(portrait)["IN"] and columns(portrait)["OUT"])


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
    _add_feet(drawing, portrait, readers, bottom, bottom if middle else up[0].mark)
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
    tables = frame.inputs(portrait)
    conditions = [stream for stream in tables if stream not in {"image", "text"}]
    if conditions:
        tables[CONDITIONS] = frame.stacked([tables.pop(stream) for stream in conditions])
    above = [f"{node} in" for node in tables if node != "image"]
    # The text's own embedders stand beside it: below, between the columns, is no place for all.
    above[1:1] = [TEXT] if TEXT in found else []
    for node, told in tables.items():
        drawing.add_node(f"{node} in", label=told)
    node_of = {source.name: _node(source.stream) for source in whole.sources} | box_of
    edges: dict[tuple[str, str], dict[str, None]] = {}
    for flow in whole.flows:
        start, end = node_of.get(flow.start), box_of.get(flow.end)
        if start and end and start != end and HEAD not in {start, end}:
            edges.setdefault((start, end), {})[STREAMS[readers.stream(flow)]] = None
    for (start, end), colours in edges.items():
        is_level = (start in above and end in above) or (start != TEXT and start in found)
        drawing.add_edge(start, end, color=":".join(colours),
                         constraint="false" if is_level else "true")  # fmt: skip
    drawing.add_edge("image in", first, weight="20")
    drawing.add_edge(HEAD, last, weight="20", dir="back")
    between = [name for name in found if name not in {HEAD, TEXT}]
    _set_side_by_side(drawing, ["image in", *between, HEAD])
    _set_side_by_side(drawing, above)
    if "text" in tables:
        drawing.add_edge("text in", "image in", style="invis", weight="10")


CONDITIONS = "conditions"
"""The node above those that embed the time, sizes, classes and pooled text."""


def _node(stream: str) -> str:
    return f"{stream} in" if stream in {"image", "text"} else f"{CONDITIONS} in"


def _set_side_by_side(drawing: Any, nodes: Sequence[str]) -> None:
    drawing.add_subgraph(nodes, rank="same")
    for left, right in pairwise(nodes):
        drawing.add_edge(left, right, style="invis")


def _add_feet(drawing: Any, portrait: Portrait, readers: Readers, bottom: str, below: str) -> None:
    """Draw the sums below one unit, and the legend below another, where there are two lowest."""
    units = {f"{name} units": pieces for name, pieces in columns(portrait).items() if pieces}
    edges = {**frame.stream_edges(portrait), "skip connection (dashed)": LINE}
    if any(readers.sampling(piece) for piece in portrait.structure.units):
        edges["↓ ↑ halves or doubles rows and columns"] = "white"
    for node, told in frame.foot(portrait, units, edges).items():
        drawing.add_node(node, label=told)
        drawing.add_edge(bottom if node == "sums" else below, node, style="invis")
    drawing.add_subgraph(["sums", "legend"], rank="same")
