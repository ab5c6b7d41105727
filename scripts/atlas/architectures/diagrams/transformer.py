"""A transformer: embedders, folded runs of equal blocks, the head; each type of block expanded."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

from atlas.architectures.diagrams import frame, listings
from atlas.architectures.diagrams.listings import cell, row, table
from atlas.architectures.diagrams.streams import BOXES, HEAD, IMAGE, Readers, boxes
from atlas.architectures.diagrams.style import COLOURS, LINE, SMALL, STREAMS, times
from atlas.architectures.portraits import Piece, Portrait


def draw(portrait: Portrait) -> Any:
    """Return the drawing of a transformer, not yet laid out."""
    drawing = frame.graph(portrait)
    readers = Readers(portrait.structure)
    tokens = readers.image_tokens(portrait.image_tokens)
    runs = folded(portrait.structure.units)
    skips = _skips(runs, readers)
    for number, pieces in enumerate(runs):
        own = [pair for (_, end), pairs in skips.items() if end == number for pair in pairs]
        drawing.add_node(
            f"run{number}",
            label=listings.run(pieces, portrait.structure, tokens, readers, own),
        )
    for number, (above, below) in enumerate(pairwise(runs)):
        along = readers.goes_along(above[-1].mark, below[0].mark, tokens)
        is_given = readers.hands_over(above[-1].mark, below[0].mark)
        drawing.add_edge(f"run{number}", f"run{number + 1}", weight="20", color=_beside(along),
                         style="solid" if is_given else "invis")  # fmt: skip
    for start, end in skips:
        drawing.add_edge(f"run{start}", f"run{end}", style="dashed", color=LINE, penwidth="1.2",
                         constraint="false", tailport="w", headport="w")  # fmt: skip
    _add_inputs(drawing, portrait, runs, readers)
    _add_head(drawing, portrait, runs, readers)
    _add_samples(drawing, portrait, runs)
    _add_feet(drawing, portrait, last=f"run{len(runs) - 1}", is_skipping=bool(skips))
    return drawing


def _beside(has_text: bool) -> str:
    """Return the colours of an edge of the image, and of the text that goes along."""
    return f"{STREAMS[IMAGE]}:{STREAMS['text']}" if has_text else STREAMS[IMAGE]


def folded(units: Sequence[Piece]) -> list[list[Piece]]:
    """Return runs of consecutive blocks that are equal but for their number."""
    return [list(same) for _, same in groupby(units, key=_alike)]


def _alike(piece: Piece) -> tuple[Any, ...]:
    group = piece.mark.rpartition(".")[0]
    return group, piece.classes, piece.parameters, piece.macs, piece.shape


def _skips(
    runs: Sequence[Sequence[Piece]], readers: Readers
) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """Return the long skips between blocks by the runs that they join."""
    run_of = {piece.mark: number for number, run in enumerate(runs) for piece in run}
    found: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for start, end in readers.skips():
        found.setdefault((run_of[start], run_of[end]), []).append((start, end))
    return found


def _add_inputs(
    drawing: Any, portrait: Portrait, runs: Sequence[Sequence[Piece]], readers: Readers
) -> None:
    """Draw what goes in above the embedders that read it, and these above the blocks."""
    whole = portrait.structure
    embedders = {name: own for name, own in boxes(whole).items() if own and name != HEAD}
    for name, pieces in embedders.items():
        colour = COLOURS[BOXES[name].lower()]
        told = listings.listing(BOXES[name], pieces, whole, colour, readers)
        drawing.add_node(name, label=told)
    box_of = {piece.mark: name for name, own in embedders.items() for piece in own}
    run_of = {piece.mark: f"run{number}" for number, run in enumerate(runs) for piece in run}
    sources = frame.inputs(portrait)
    for stream, told in sources.items():
        drawing.add_node(f"{stream} in", label=told)
    source_of = {source.name: f"{source.stream} in" for source in whole.sources}
    ends = {**box_of, **run_of}
    edges: dict[tuple[str, str], str] = {}
    for flow in whole.flows:
        start = box_of.get(flow.start) or source_of.get(flow.start)
        if start and flow.end in ends and start != ends[flow.end]:
            edges.setdefault((start, ends[flow.end]), readers.stream(flow))
    entered: set[str] = set()
    for (start, end), stream in edges.items():
        # Of several runs that read a stream the first has an edge: their lines tell it of all.
        if end.startswith("run") and start in entered:
            continue
        entered |= {start} if end.startswith("run") else set()
        is_level = start in embedders and end in embedders
        drawing.add_edge(
            start, end, color=STREAMS[stream], weight="20" if stream == IMAGE else "1",
            constraint="false" if is_level else "true",
        )  # fmt: skip
    _set_side_by_side(drawing, list(embedders))
    boxes_of = {start: end for start, end in edges if end in embedders}
    order = list(BOXES)
    above = sorted((f"{stream} in" for stream in sources),
                   key=lambda node: order.index(boxes_of.get(node, IMAGE)))  # fmt: skip
    _set_side_by_side(drawing, above)


def _set_side_by_side(drawing: Any, nodes: Sequence[str]) -> None:
    drawing.add_subgraph(nodes, rank="same")
    for left, right in pairwise(nodes):
        drawing.add_edge(left, right, style="invis")


def _add_head(
    drawing: Any, portrait: Portrait, runs: Sequence[Sequence[Piece]], readers: Readers
) -> None:
    """Draw the head and what comes out."""
    name = "Prediction out" if portrait.downsampling > 1 else "Image out"
    head = boxes(portrait.structure)[HEAD]
    tokens = readers.image_tokens(portrait.image_tokens)
    along = any(readers.goes_along(runs[-1][-1].mark, piece.mark, tokens) for piece in head)
    told = table([row(cell(name, bold=True)), row(cell(times(portrait.latent), size=SMALL))])
    drawing.add_node("output", label=told)
    last = f"run{len(runs) - 1}"
    if not head:
        drawing.add_edge(last, "output", weight="20")
        return
    listed = listings.listing("Head", head, portrait.structure, COLOURS["head"], readers)
    drawing.add_node(HEAD, label=listed)
    drawing.add_edge(last, HEAD, weight="20", color=_beside(along))
    drawing.add_edge(HEAD, "output", weight="20")


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


def _add_feet(drawing: Any, portrait: Portrait, *, last: str, is_skipping: bool) -> None:
    units: dict[str, list[Piece]] = {}
    for unit in portrait.structure.units:
        units.setdefault(unit.mark.rpartition(".")[0] or unit.mark, []).append(unit)
    edges = frame.stream_edges(portrait)
    if is_skipping:
        edges["long skips (dashed)"] = LINE
    for node, told in frame.foot(portrait, units, edges).items():
        drawing.add_node(node, label=told)
    # To the right, below the expanded blocks, is room.
    above = HEAD if boxes(portrait.structure)[HEAD] else last
    for left, right in ((above, "sums"), ("output", "legend")):
        drawing.add_subgraph([left, right], rank="same")
        drawing.add_edge(left, right, style="invis")
    if portrait.structure.samples:
        drawing.add_edge(f"sample{len(portrait.structure.samples) - 1}", "sums", style="invis")
    drawing.add_edge("sums", "legend", style="invis", weight="5")
