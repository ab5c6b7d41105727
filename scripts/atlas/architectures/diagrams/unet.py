"""A UNet: the IN units down, the middle, the OUT units up, skips across at equal rank."""

from itertools import pairwise
from typing import Any

from atlas.architectures.diagrams import frame, listings
from atlas.architectures.diagrams.listings import cell, row, table
from atlas.architectures.diagrams.streams import by_stream
from atlas.architectures.diagrams.style import COLOURS, IMAGE, LINE, SMALL, kind_of, times
from atlas.architectures.portraits import Piece, Portrait


def draw(portrait: Portrait) -> Any:
    """Return the drawing of a UNet, not yet laid out."""
    down, middle, up = (columns(portrait)[name] for name in ("IN", "MID", "OUT"))
    drawing = frame.graph(portrait)
    whole = portrait.structure
    widths = listings.unit_widths([*down, *up], whole)
    for piece in whole.units:
        own = listings.unit_widths([piece], whole) if piece in middle else widths
        drawing.add_node(piece.mark, label=listings.unit(piece, whole, own))
    _add_chain(drawing, [piece.mark for piece in down])
    _add_chain(drawing, [piece.mark for piece in reversed(up)], upward=True)
    bottom = (middle or down)[-1].mark
    if middle:
        drawing.add_edge(down[-1].mark, bottom)
        drawing.add_edge(up[0].mark, bottom, dir="back")
    else:
        drawing.add_edge(bottom, up[0].mark, constraint="false")
    _add_ranks(drawing, down, up)
    for start, end in skips(down, up):
        drawing.add_edge(start, end, style="dashed", color=LINE, constraint="false", penwidth="1.2")
    _add_ends(drawing, portrait, down[0].mark, up[-1].mark)
    _add_feet(drawing, portrait, bottom)
    return drawing


def columns(portrait: Portrait) -> dict[str, list[Piece]]:
    """Return the units of the IN column, of the middle and of the OUT column."""
    return {
        name: [piece for piece in portrait.structure.units if piece.mark.startswith(name)]
        for name in ("IN", "MID", "OUT")
    }


def skips(down: list[Piece], up: list[Piece]) -> list[tuple[str, str]]:
    """
    Return the marks that skip connections join.

    As many IN as OUT units: each feeds the one that mirrors it. Else (Kandinsky 3) the last unit
    of each down block but the lowest feeds the first of the up block at its level.
    """
    if len(down) == len(up):
        return [(one.mark, other.mark) for one, other in zip(down, reversed(up), strict=True)]
    last = {_block(piece): piece.mark for piece in down if piece.paths[0].startswith("down_blocks")}
    first = {_block(piece): piece.mark for piece in reversed(up)}
    levels = len(last)
    return [(last[level], first[levels - 1 - level]) for level in range(levels - 1)]


def _block(piece: Piece) -> int:
    return int(piece.paths[0].split(".")[1])


def _add_chain(drawing: Any, marks: list[str], *, upward: bool = False) -> None:
    for above, below in pairwise(marks):
        drawing.add_edge(above, below, weight="20", dir="back" if upward else "forward")


def _add_ranks(drawing: Any, down: list[Piece], up: list[Piece]) -> None:
    """Set units that mirror each other side by side, from the bottom up."""
    for left, right in zip(reversed(down), up, strict=False):
        drawing.add_subgraph([left.mark, right.mark], rank="same")
        drawing.add_edge(left.mark, right.mark, style="invis")


def _add_ends(drawing: Any, portrait: Portrait, first: str, last: str) -> None:
    """Draw what goes in, what conditions the units, and the head above the OUT column."""
    whole = portrait.structure
    outside = by_stream(whole.outside)
    name = "latent" if portrait.downsampling > 1 else "image"
    drawing.add_node("input", label=table([
        row(cell(f"{name} in", bold=True)), row(cell(times(portrait.latent), size=SMALL))
    ]))  # fmt: skip
    conditions = [*outside["condition"], *outside["text"], *outside["image"]]
    nodes = {
        "conditions": ("Outside the units: conditions of all", conditions),
        "head": ("Outside the units: head", outside["head"]),
    }
    for node, (title, pieces) in nodes.items():
        colour = COLOURS["head" if node == "head" else "embedders and conditions"]
        drawing.add_node(node, label=listings.listing(title, pieces, whole, colour))
    drawing.add_edge("input", first, weight="20")
    drawing.add_edge("head", last, weight="20", dir="back")
    drawing.add_subgraph(["input", "conditions", "head"], rank="same")
    drawing.add_edge("input", "conditions", style="invis")
    drawing.add_edge("conditions", "head", style="invis")
    if portrait.tokens:
        drawing.add_node("text", label=frame.encoders(portrait, "Text in, read by all attentions"))
        drawing.add_edge("text", "conditions", style="invis")


def _add_feet(drawing: Any, portrait: Portrait, bottom: str) -> None:
    own = columns(portrait)
    parts = {f"{name} units": pieces for name, pieces in own.items() if pieces}
    parts["outside the units"] = list(portrait.structure.outside)
    kinds = [*(kind_of(piece) for piece in portrait.structure.units), "embedders and conditions"]
    drawing.add_node("sums", label=frame.sums(portrait, parts))
    drawing.add_node("legend", label=frame.legend(
        kinds, {"image": IMAGE, "skip connection (dashed)": LINE}))  # fmt: skip
    drawing.add_subgraph(["sums", "legend"], rank="same")
    drawing.add_edge(bottom, "sums", style="invis")
    drawing.add_edge(bottom, "legend", style="invis")
