"""A transformer: embedders, folded runs of equal blocks, the head; each type of block expanded."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

from atlas.architectures.diagrams import frame, listings
from atlas.architectures.diagrams.listings import cell, row, table
from atlas.architectures.diagrams.streams import by_stream
from atlas.architectures.diagrams.style import (
    COLOURS,
    IMAGE,
    LINE,
    SMALL,
    TIME,
    WORDS,
    kind_of,
    times,
)
from atlas.architectures.portraits import Piece, Portrait

EMBEDDERS = {
    "text": ("Text embedders", "text embedders", WORDS),
    "image": ("Image embedders", "embedders and conditions", IMAGE),
    "condition": ("Time and other conditions", "embedders and conditions", TIME),
}
"""Stream to the title, kind and colour of edge of its embedders, from left to right."""


def draw(portrait: Portrait) -> Any:
    """Return the drawing of a transformer, not yet laid out."""
    drawing = frame.graph(portrait)
    outside = by_stream(portrait.structure.outside)
    runs = folded(portrait.structure.units)
    for number, pieces in enumerate(runs):
        drawing.add_node(
            f"run{number}", label=listings.run(pieces, portrait.structure, portrait.image_tokens)
        )
    for number in range(1, len(runs)):
        drawing.add_edge(f"run{number - 1}", f"run{number}", weight="20")
    _add_inputs(drawing, portrait, outside)
    last = _add_head(drawing, portrait, outside["head"], f"run{len(runs) - 1}")
    _add_samples(drawing, portrait, runs)
    _add_feet(drawing, portrait, outside, runs, last)
    return drawing


def folded(units: Sequence[Piece]) -> list[list[Piece]]:
    """Return runs of consecutive blocks that are equal but for their number."""
    return [list(same) for _, same in groupby(units, key=_alike)]


def _alike(piece: Piece) -> tuple[Any, ...]:
    group = piece.mark.rpartition(".")[0]
    return group, piece.classes, piece.parameters, piece.macs, piece.shape


def _add_inputs(drawing: Any, portrait: Portrait, outside: dict[str, list[Piece]]) -> None:
    """Draw what goes in above the embedders that read it."""
    name = "Latent in" if portrait.downsampling > 1 else "Image in"
    sources = {
        "text": frame.encoders(portrait, "Text in") if portrait.tokens else None,
        "image": table([row(cell(name, bold=True)), row(cell(times(portrait.latent), size=SMALL))]),
        "condition": table([row(cell("Timestep in", bold=True))]),
    }
    shown = []
    for stream, (title, kind, colour) in EMBEDDERS.items():
        source = sources[stream]
        if source is None:
            continue
        drawing.add_node(f"{stream}_in", label=source)
        reader = "run0"
        if outside[stream]:
            reader = stream
            drawing.add_node(
                stream,
                label=listings.listing(title, outside[stream], portrait.structure, COLOURS[kind]),
            )
            weight = "20" if stream == "image" else "1"
            drawing.add_edge(stream, "run0", color=colour, weight=weight)
            shown.append(stream)
        drawing.add_edge(f"{stream}_in", reader, color=colour)
    drawing.add_subgraph(shown, rank="same")
    for left, right in pairwise(shown):
        drawing.add_edge(left, right, style="invis")


def _add_head(drawing: Any, portrait: Portrait, head: list[Piece], last_run: str) -> str:
    """Draw the head and what comes out; return the last node."""
    name = "Prediction out" if portrait.downsampling > 1 else "Image out"
    shape = portrait.latent
    drawing.add_node(
        "output", label=table([row(cell(name, bold=True)), row(cell(times(shape), size=SMALL))])
    )
    drawing.add_node(
        "head", label=listings.listing("Head", head, portrait.structure, COLOURS["head"])
    )
    drawing.add_edge(last_run, "head", weight="20")
    drawing.add_edge("head", "output", weight="20")
    return "output"


def _add_samples(drawing: Any, portrait: Portrait, runs: Sequence[Sequence[Piece]]) -> None:
    """Draw one block of each type, expanded, to the right of the run that it is of."""
    previous = None
    widths = listings.expansion_widths(portrait.structure.samples)
    for number, sample in enumerate(portrait.structure.samples):
        own = next(n for n, run in enumerate(runs) if any(p.mark == sample.mark for p in run))
        alike = sum(_type(piece) == _type(sample) for piece in portrait.structure.units)
        node = f"sample{number}"
        drawing.add_node(node, label=listings.expansion(sample, alike, widths))
        drawing.add_edge(f"run{own}", node, color=LINE, penwidth="1", dir="none", minlen="1")
        drawing.add_subgraph([f"run{own}", node], rank="same")
        if previous:
            drawing.add_edge(previous, node, style="invis", weight="5")
        previous = node


def _type(piece: Piece) -> tuple[Any, ...]:
    return piece.mark.rpartition(".")[0], piece.classes, piece.parameters


def _add_feet(
    drawing: Any,
    portrait: Portrait,
    outside: dict[str, list[Piece]],
    runs: Sequence[Sequence[Piece]],
    last: str,
) -> None:
    names = {
        "text": "text embedders",
        "image": "image embedders",
        "condition": "time and conditions",
    }
    parts: dict[str, list[Piece]] = {}
    for unit in portrait.structure.units:
        parts.setdefault(unit.mark.rpartition(".")[0], []).append(unit)
    parts |= {name: outside[stream] for stream, name in names.items() if outside[stream]}
    parts["head"] = outside["head"]
    embedders = (kind for stream, (_, kind, _) in EMBEDDERS.items() if outside[stream])
    kinds = [*(kind_of(run[0]) for run in runs), *sorted(embedders), "head"]
    edges = {"image": IMAGE, "time and conditions, to all blocks": TIME}
    if portrait.tokens:
        edges["text"] = WORDS
    drawing.add_node("sums", label=frame.sums(portrait, parts))
    drawing.add_node("legend", label=frame.legend(kinds, edges))
    drawing.add_subgraph(["sums", "legend"], rank="same")
    drawing.add_edge(last, "sums", style="invis")
    drawing.add_edge(last, "legend", style="invis")
    drawing.add_edge("sums", "legend", style="invis")
