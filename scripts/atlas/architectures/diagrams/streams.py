"""What diagrams say of streams: who belongs to which, who reads which, and what skips blocks."""

from collections.abc import Iterable, Sequence
from html import escape
from math import prod

from atlas.architectures.diagrams.style import GAP, SMALL, STREAMS
from atlas.architectures.portraits import Flow, Piece, Shape, Source, Structure

HEAD, IMAGE, TEXT, TIME = "head", "image", "text", "time"

BOXES = {
    TEXT: "Text embedders",
    IMAGE: "Image embedders",
    "reference image": "Reference image embedders",
    TIME: "Time and conditions",
    HEAD: "Head",
}
"""Stream to the title of its modules outside the units, from left to right."""

DOWN, UP = "↓", "↑"
"""Before the shape of what halves or doubles rows and columns."""

BOX_OF = {"pooled text": TEXT, "sizes and classes": TIME}
"""Stream to that whose box its modules lie in, where it has none."""


def boxes(structure: Structure) -> dict[str, list[Piece]]:
    """Return the pieces outside the units by stream, in the order of BOXES; empty ones too."""
    found: dict[str, list[Piece]] = {stream: [] for stream in BOXES}
    for piece in structure.outside:
        found[BOX_OF.get(piece.stream, piece.stream)].append(piece)
    return found


def given(structure: Structure) -> dict[str, list[Source]]:
    """Return the arguments by stream, in the order of STREAMS."""
    return {
        stream: own
        for stream in STREAMS
        if (own := [source for source in structure.sources if source.stream == stream])
    }


class Readers:
    """Tells which streams the units and pieces of a denoiser are given."""

    def __init__(self, structure: Structure) -> None:
        self._units = {unit.mark: number for number, unit in enumerate(structure.units)}
        self._stream = {source.name: source.stream for source in structure.sources}
        self._stream |= {piece.mark: piece.stream for piece in structure.outside}
        self._stream |= dict.fromkeys(self._units, IMAGE)
        embedders = (piece for piece in structure.outside if piece.stream == IMAGE)
        self._embedded = [piece.shape for piece in embedders if piece.shape]
        self.flows: dict[str, list[Flow]] = {}
        """By who is given it."""
        for flow in structure.flows:
            self.flows.setdefault(flow.end, []).append(flow)

    def image_tokens(self, at_least: int) -> int:
        """Return the tokens that the image's embedders put out: of a video, of all frames."""
        found = [
            prod(shape) // (shape[1] if len(shape) > 3 else shape[-1]) for shape in self._embedded
        ]
        return max(found, default=at_least)

    def hands_over(self, start: str, end: str) -> bool:
        """Say whether one unit is given something by another."""
        return any(flow.start == start for flow in self.flows.get(end, ()))

    def streams(self, mark: str) -> list[str]:
        """Return the streams that a unit or piece is given, in the order of STREAMS."""
        found = {self.stream(flow) for flow in self.flows.get(mark, ())}
        return [stream for stream in STREAMS if stream in found]

    def stream(self, flow: Flow) -> str:
        """Return the stream of what is handed over."""
        stream = self._stream[flow.start]
        return IMAGE if stream == HEAD else stream

    def sampling(self, piece: Piece) -> str:
        """Return an arrow down or up where a unit halves or doubles rows and columns."""
        before = self._units[piece.mark] - 1
        given = [
            shape[-2]
            for flow in self.flows.get(piece.mark, ())
            if self.stream(flow) == IMAGE and self._units.get(flow.start) == before
            for shape in flow.shapes
            if piece.shape and len(shape) == len(piece.shape) > 3
        ]
        if not given or piece.shape is None or given[0] == piece.shape[-2]:
            return ""
        return DOWN if given[0] > piece.shape[-2] else UP

    def skips(self) -> list[tuple[str, str]]:
        """Return the marks of units that hand something over a unit between them."""
        return [
            (flow.start, mark)
            for mark, place in self._units.items()
            for flow in self.flows.get(mark, ())
            if self._units.get(flow.start, place) < place - 1 and is_numbered(mark)
        ]

    def entrance(self, marks: Sequence[str], stream: str) -> str:
        """
        Say where a stream enters a run of blocks: "into attn2 of every block"; else nothing.

        Parameters
        ----------
        marks
            Of the blocks.
        """
        own = {mark: [flow for flow in self.flows.get(mark, ()) if self.stream(flow) == stream]
               for mark in marks}  # fmt: skip
        reading = [mark for mark in marks if own[mark]]
        if not reading:
            return ""
        places = dict.fromkeys(name for flow in own[reading[0]] for name in flow.into)
        image = {shape for flow in self.flows[reading[0]] if self.stream(flow) == IMAGE
                 for shape in flow.shapes}  # fmt: skip
        is_joined = (
            not places
            and is_numbered(reading[0])
            and all(set(flow.shapes) & image for flow in own[reading[0]])
        )
        told = "into "
        if places:
            told = f"into {', '.join(places)} of "
        elif is_joined:
            told = "joined with the image in "
        if len(reading) == len(marks):
            return f"{told}every block" if len(marks) > 1 else f"{told}this block"
        if len(reading) == 1:
            return f"{told}block {_number(reading[0])}"
        return f"{told}{len(reading)} of the blocks"

    def goes_along(self, start: str, end: str, image_tokens: int) -> bool:
        """Say whether text goes from one unit to another beside the image or joined with it."""
        shapes = [
            shape
            for flow in self.flows.get(end, ())
            if flow.start == start
            for shape in flow.shapes
        ]
        return any(is_sequence(shape) and shape[1] != image_tokens for shape in shapes)


def is_sequence(shape: Shape) -> bool:
    """Say whether a shape is that of tokens: batch, tokens, width."""
    return len(shape) == 3


def is_numbered(mark: str) -> bool:
    """Say whether a mark is that of a block in a list, or of a UNet's unit."""
    return mark[-1].isdigit()


def _number(mark: str) -> str:
    """Return a block's number in its list; of a unit that has none its mark."""
    last = mark.rpartition(".")[2]
    return f"{int(last):02d}" if last.isdigit() else mark


def tags(streams: Iterable[str], span: int = 1) -> str:
    """Return a cell that names streams in their colours, each behind an arrow."""
    told = "".join(
        f'<font point-size="{SMALL}" color="{STREAMS[stream]}">← {stream}{GAP}</font>'
        for stream in streams
    )
    return f'<td align="left" valign="bottom" colspan="{span}">{told}</td>'


def tag(text: str, colour: str, span: int) -> str:
    """Return a cell that says what a run of blocks reads."""
    told = escape(f"← {text}", quote=False)
    return (
        f'<td align="left" valign="bottom" colspan="{span}">'
        f'<font point-size="{SMALL}" color="{colour}">{told}</font></td>'
    )


def skipped(pairs: Sequence[tuple[str, str]]) -> str:
    """
    Write where long skips between blocks come from.

    >>> skipped([("blocks.18", "blocks.21"), ("blocks.0", "blocks.39")])
    'long skips of blocks 18, 00'
    """
    numbers = [_number(start) for start, _ in pairs]
    told = numbers if len(numbers) < 4 else [*numbers[:2], f"… {numbers[-1]}"]
    return f"long skips of blocks {', '.join(told)}"
