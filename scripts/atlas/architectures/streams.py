"""Which stream each argument and each module outside the units of a denoiser belongs to."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations, pairwise
from typing import Any

from atlas.architectures.architecture import Architecture, Component
from atlas.architectures.portraits import Flow, Shape, Source
from atlas.architectures.tracing import Makers, Trace, named_tensors
from atlas.basis.shipped import load

IMAGE, REFERENCE, TEXT, POOLED, TIME = "image", "reference image", "text", "pooled text", "time"
HEAD = "head"
UNSEEN = "unseen"
"""In place of a stream: masks, positions and what nobody knows; they are not drawn."""

NAMED = {
    HEAD: r"^(norm_out|proj_out|all_final_layer|final_|conv_norm_out|conv_out|scale_shift_table)",
    TEXT: r"^(context_|caption_|txt_|text_|cap_|encoder_hid_proj)",
    TIME: r"^(time|t_embedder|adaln|class_|add_|distilled_|double_stream|single_stream)",
    IMAGE: "",
}
"""Stream to names of modules that belong to it where no tensor tells: the first that fits."""


def stream_of(argument: str) -> str:
    """
    Return the stream that an argument carries, by its name; UNSEEN if it is none.

    >>> stream_of("pooled_projections"), stream_of("img_ids")
    ('pooled text', 'unseen')
    """
    return next((name for name, pattern in _patterns() if pattern.search(argument)), UNSEEN)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(rule["stream"], re.compile(rule["pattern"])) for rule in load("streams")["streams"]]


def sources(architecture: Architecture, arguments: Mapping[str, Any]) -> list[Source]:
    """Return the arguments that carry a stream, and the text encoders that make them."""
    shapes: dict[str, Shape] = {}
    for name, tensor in named_tensors(arguments):
        shapes.setdefault(name, tuple(tensor.shape))
    streams = {name: stream_of(name) for name in shapes}
    known = [name for name in shapes if streams[name] != UNSEEN]
    alone = [name for name in known if streams[name] in {TEXT, POOLED}]
    return [
        Source(
            name,
            streams[name],
            shapes[name],
            _encoders(architecture, streams[name], shapes[name], len(alone) == 1),
        )
        for name in known
    ]


def _encoders(
    architecture: Architecture, stream: str, shape: Shape, is_alone: bool
) -> tuple[str, ...]:
    """
    Return the text encoders whose sizes fit an argument, as many as do; none if that is not sure.

    A pooled text is as wide as what it is joined of. Tokens are either joined one after the
    other, padded to the widest, or side by side; layers of one encoder are stacked in width.
    """
    if stream not in {TEXT, POOLED}:
        return ()
    known = architecture.text_encoders
    if len(known) == 1 and is_alone:
        return tuple(known)
    fits = _fits_pooled if stream == POOLED else _fits_tokens
    for size in range(len(known), 0, -1):
        found = [
            tuple(name for name, _ in group)
            for group in combinations(known.items(), size)
            if fits([component for _, component in group], shape)
        ]
        if found:
            return found[0] if len(found) == 1 else ()
    return ()


def _fits_pooled(encoders: Sequence[Component], shape: Shape) -> bool:
    widths = [_width(encoder, pooled=True) for encoder in encoders]
    return all("CLIP" in each.class_name for each in encoders) and sum(widths) == shape[-1]


def _fits_tokens(encoders: Sequence[Component], shape: Shape) -> bool:
    """
    Say whether encoders together make tokens of this shape [batch, tokens, width].

    Side by side the CLIPs of Stable Diffusion XL; one after the other, where those of equal
    length lie side by side first, the CLIPs and the T5 of Stable Diffusion 3.
    """
    *_, tokens, width = shape
    lengths = [encoder.tokens or 0 for encoder in encoders]
    widths = [_width(encoder) for encoder in encoders]
    if len(encoders) == 1:
        return lengths[0] == tokens and widths[0] > 0 and width % widths[0] == 0
    by_length: dict[int, int] = {}
    for length, own in zip(lengths, widths, strict=True):
        by_length[length] = by_length.get(length, 0) + own
    is_beside = by_length == {tokens: width}
    is_behind = len(by_length) > 1 and sum(by_length) == tokens
    return is_beside or (is_behind and max(by_length.values()) == width)


def _width(encoder: Component, *, pooled: bool = False) -> int:
    keys = ("projection_dim",) if pooled and "Projection" in encoder.class_name else ()
    found = (encoder.config.get(key) for key in (*keys, "hidden_size", "d_model"))
    return next((int(width) for width in found if width), 0)


class Graph:
    """
    Who is given what by whom, as a graph.

    Parameters
    ----------
    edges
        (maker, reader) pairs; makers are arguments, parameters, parts.
    units
        Marks of the units among the parts.
    arguments
        Argument to the stream that it carries.
    """

    def __init__(
        self, edges: Iterable[tuple[str, str]], units: Collection[str], arguments: Mapping[str, str]
    ) -> None:
        self._units = frozenset(units)
        self._arguments = dict(arguments)
        self._makers: dict[str, list[str]] = {}
        self._readers: dict[str, list[str]] = {}
        for maker, reader in edges:
            self._makers.setdefault(reader, []).append(maker)
            self._readers.setdefault(maker, []).append(reader)
        self._known: dict[str, frozenset[str]] = {}

    def carried(self, *parts: str) -> frozenset[str]:
        """Return the streams that parts are made of; what a unit puts out carries the image."""
        return frozenset().union(*(self._carried(part) for part in parts))

    def _carried(self, part: str) -> frozenset[str]:
        if part in self._arguments:
            return frozenset({self._arguments[part]})
        if part in self._units:
            return frozenset({IMAGE})
        if part not in self._known:
            self._known[part] = frozenset()  # a part that reads itself adds nothing
            self._known[part] = self.carried(*self._makers.get(part, ()))
        return self._known[part]

    def is_behind(self, *parts: str, seen: Makers = frozenset()) -> bool:
        """Say whether any of these parts reads what a unit, or a part behind one, puts out."""
        makers = {maker for part in parts for maker in self._makers.get(part, ())} - seen
        return bool(makers) and (
            not makers.isdisjoint(self._units) or self.is_behind(*makers, seen=seen | makers)
        )

    def readers(self, part: str) -> list[str]:
        """Return who is given what a part puts out."""
        return self._readers.get(part, [])


class Streams:
    """
    The streams of a denoiser's forward, and the pieces outside its units that they go through.

    Parameters
    ----------
    trace
        The forward that was followed: its parts are the units and, outside, modules of pieces.
    units
        Marks of the units.
    given
        The arguments that carry streams.
    pieces
        Path of each piece outside the units to the parts in it.
    undivided
        Paths of pieces that stay whole, whatever flows through them.
    """

    def __init__(
        self,
        trace: Trace,
        units: Collection[str],
        given: Iterable[Source],
        pieces: Mapping[str, Sequence[str]],
        undivided: Collection[str] = (),
    ) -> None:
        self._trace = trace
        self._units = frozenset(units)
        given = list(given)
        self._arguments = {source.name: source.stream for source in given}
        self._lengths = {source.shape[-2] for source in given if source.stream == TEXT}
        fine = Graph(trace.flows, units, self._arguments)
        self.pieces: dict[str, list[str]] = {}
        """Path of each piece to its parts, those that mix streams divided into their parts."""
        for path, parts in pieces.items():
            is_mixed = path not in undivided and self._is_mixed(fine, path, parts)
            self.pieces |= {part: [part] for part in parts} if is_mixed else {path: [*parts]}
        self._piece_of = {part: path for path, parts in self.pieces.items() for part in parts}
        self._shapes = self._between_pieces()
        self._graph = Graph(self._shapes, units, self._arguments)
        self._known: dict[str, str] = {}
        self._inside: dict[str, list[str]] = {}
        for path in trace.given:
            self._inside.setdefault(path.rpartition(".")[0], []).append(path)

    def _is_mixed(self, graph: Graph, piece: str, parts: Sequence[str]) -> bool:
        """
        Say whether a piece of several parts is better told by them.

        It is where it embeds image and text, or puts out tensors of nothing in common, as the
        module that embeds Lumina 2's timestep and its text does.
        """
        if len(parts) < 2 or graph.is_behind(*parts):
            return False
        leaving = [graph.carried(*makers) for makers in self._trace.leaving.get(piece, ())]
        is_apart = any(one and other and not one & other for one, other in pairwise(leaving))
        return is_apart or {IMAGE, TEXT} <= graph.carried(*parts)

    def _between_pieces(self) -> dict[tuple[str, str], dict[Shape, None]]:
        """Return the shapes of what units and pieces are given, by (maker, reader)."""
        found: dict[tuple[str, str], dict[Shape, None]] = {}
        for (maker, part), shapes in self._trace.flows.items():
            place = self._piece_of.get(maker, maker), self._piece_of.get(part, part)
            if place[0] != place[1]:
                found.setdefault(place, {}).update(shapes)
        return found

    def of_piece(self, path: str) -> str:
        """Return the stream that a piece outside the units belongs to, or HEAD."""
        carried = self._graph.carried(path) - {UNSEEN}
        readers = self._graph.readers(path)
        if self._graph.is_behind(path):
            return HEAD
        if carried:
            return TEXT if self._hands_text_on(path, carried) else _of_streams(carried)
        # A parameter that no module owns belongs to what it is used with.
        if readers and all(each not in self._units and self._graph.is_behind(each)
                           for each in readers):  # fmt: skip
            return HEAD
        beside = (self._piece_of.get(each, each) for each in self._trace.companions.get(path, ()))
        carried = self._graph.carried(*beside) - {UNSEEN}
        if carried:
            return _of_streams(carried)
        return next(stream for stream, pattern in NAMED.items() if re.search(pattern, path))

    def _hands_text_on(self, path: str, carried: Collection[str]) -> bool:
        """Say whether a piece puts out as many tokens as a text has, whatever else it reads."""
        return {IMAGE, REFERENCE}.isdisjoint(carried) and TEXT in carried and any(
            len(shape) > 2 and shape[-2] in self._lengths
            for (maker, _), shapes in self._shapes.items()
            if maker == path
            for shape in shapes
        )  # fmt: skip

    def flows(self) -> list[Flow]:
        """Return who is given what by whom; masks and positions are left out."""
        makers = {*self._arguments, *self._units, *self.pieces}
        readers = self._units | set(self.pieces)
        ends = dict.fromkeys(end for _, end in self._shapes)
        order = {end: number for number, end in enumerate(ends)}

        def place(item: tuple[tuple[str, str], Any]) -> tuple[int, str]:
            """Order by reader as they run; their makers are sets, of another order every time."""
            (start, end), _ = item
            return order[end], start

        return [
            Flow(start, end, tuple(shapes), self._into(start, end))
            for (start, end), shapes in sorted(self._shapes.items(), key=place)
            if start in makers and end in readers
        ]

    def _into(self, start: str, end: str) -> tuple[str, ...]:
        """
        Return the modules of a unit that are given what comes from start without the image.

        Text may be modulated by the time before it enters; the time enters alone.
        """
        inside = self._inside.get(end, [])
        if not inside:
            return ()
        own = self._stream(start)
        allowed = {own, TIME} if own == TEXT else {own}
        return tuple(
            path.rpartition(".")[2]
            for path in inside
            if any(
                start in pieces and {self._stream(piece) for piece in pieces} <= allowed
                for pieces in ({self._piece_of.get(maker, maker) for maker in makers}
                               for makers in self._trace.given[path])
            )
        )  # fmt: skip

    def _stream(self, maker: str) -> str:
        """Return the one stream that an argument, a unit, a piece or a parameter stands for."""
        if maker in self._units:
            return IMAGE
        known = self._arguments.get(maker)
        if known is None and maker not in self._known:
            self._known[maker] = self.of_piece(maker)
        return known or self._known[maker]


def _of_streams(carried: Collection[str]) -> str:
    """Return the stream of what is made of these: images before all, then time, then text."""
    for stream in (IMAGE, REFERENCE):
        if stream in carried:
            return stream
    return TEXT if set(carried) <= {TEXT, POOLED} else TIME
