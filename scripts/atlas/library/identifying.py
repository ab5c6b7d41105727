"""Find out what a checkpoint is by a library, reading no more of it than decides that."""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import nan, sqrt

from atlas.fingerprints.elements.files import OpenFiles, unchanged
from atlas.fingerprints.sketches import Projected, layout_of, sketch
from atlas.library.entries import Block, Part, Row, part_of
from atlas.library.gathering import Gathered, gather
from atlas.library.identities import FORMS, forms_between, forms_worth_taking, named_digests
from atlas.library.index import Index, Match, Same, same_as
from atlas.library.measuring import Measured, load_compiled_for, measure
from atlas.names.components import OTHER
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import FLOATING, Checkpoint, Tensor

NEAREST = 10
"""Relatives that are told of each component."""


class Stage(StrEnum):
    """What a component was decided by."""

    HEADER = "header"
    """No component of the library has tensors like these: nothing was read."""
    DIGESTS = "digests"
    """The library has these very weights, or what they were rounded from or to."""
    SKETCHES = "sketches"
    """It has relatives."""


@dataclass(frozen=True)
class Identified:
    """What one component is."""

    part: Part
    """As far as it was read: digests are None where it was not read to the end."""
    stage: Stage
    same: tuple[Same, ...]
    nearest: tuple[Match, ...]
    """Of other weights; those of the source where the component is the same as some."""
    gathered: tuple[Gathered, ...]
    """What it is made of, by sketch; nothing of what is the same as some."""
    read_bytes: int
    """Of the file, each once."""


@dataclass
class _Reading:
    """A component on its way."""

    component: str
    blocks: dict[str, list[Tensor]]
    kin: set[int]
    """Places of models to compare with."""
    alive: dict[int, Part]
    """Those whose blocks so far are the same, as they are or once rounded."""
    measured: dict[str, list[Measured]] = field(default_factory=dict)
    done: dict[str, Block] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    """Blocks that are the same as those of a model in some form, so far without a sketch."""


def identify(
    checkpoint: Checkpoint,
    index: Index,
    *,
    error: float | None = None,
    count: int = NEAREST,
    threads: int = 1,
) -> list[Identified]:
    """
    Return what each component of a checkpoint is, in order of component.

    A component that is like none of the library by its header is not read at all. Of others blocks
    are read, the smallest first: as long as all are those of some model of the library, for their
    digests alone; once they are not, for sketches too.

    Parameters
    ----------
    error
        How exact the distance to the nearest has to be, as a share of it: reading of a component
        stops there, and the distance is that of the blocks read. None reads all of it.
    count
        Relatives to tell.

    Raises
    ------
    AtlasError
        A file can't be read to its end, or changes meanwhile.
    """
    held: dict[str, list[Tensor]] = {}
    for tensor in checkpoint.tensors:
        if tensor.component != OTHER and tensor.dtype in FLOATING:
            held.setdefault(tensor.component, []).append(tensor)
    files = OpenFiles()
    with unchanged(checkpoint.files), ThreadPoolExecutor(threads) as pool:
        elements = sum(tensor.numel for some in held.values() for tensor in some)
        asked = _Question(index, files, pool, error, count, elements)
        return [
            asked.answered(
                component,
                held[component],
                checkpoint.architectures.get(component),
                is_model=checkpoint.kind == MODEL,
            )
            for component in sorted(held)
        ]


def block_layouts(tensors: Iterable[Tensor]) -> list[tuple[str, str, int]]:
    """Return block, layout and elements of each block, as the header alone tells."""
    blocks: dict[str, list[Tensor]] = {}
    for tensor in sorted(tensors, key=lambda tensor: tensor.name):
        blocks.setdefault(tensor.block, []).append(tensor)
    return [
        (
            block,
            layout_of((each.name, each.shape) for each in some),
            sum(each.numel for each in some),
        )
        for block, some in sorted(blocks.items())
    ]


@dataclass(frozen=True)
class _Question:
    index: Index
    files: OpenFiles
    pool: Executor
    error: float | None
    count: int
    elements: int
    """Of the checkpoint."""

    def answered(
        self, component: str, tensors: list[Tensor], architecture: str | None, *, is_model: bool
    ) -> Identified:
        blocks: dict[str, list[Tensor]] = {}
        for tensor in sorted(tensors, key=lambda tensor: tensor.name):
            blocks.setdefault(tensor.block, []).append(tensor)
        kin = self.index.kin(component, block_layouts(tensors)) if is_model else []
        bare = _part(component, tensors, {}, [], architecture)
        if not kin and not self._has_size(bare):
            return Identified(bare, Stage.HEADER, (), (), (), 0)
        parts = {place: self.index.entries[place].part(component) for place in kin}
        reading = _Reading(
            component, blocks, set(kin), {place: part for place, part in parts.items() if part}
        )
        order = sorted(blocks, key=lambda block: (sum(t.nbytes for t in blocks[block]), block))
        for block in order:
            self._read(reading, block)
            if self._is_enough(reading, bare):
                break
        return self._told(reading, tensors, architecture, bare)

    def _has_size(self, part: Part) -> bool:
        """Tell whether a component of the library may hold the same under any names."""
        size = part.tensors, part.parameters
        return any(
            (each.tensors, each.parameters) == size
            for entry in self.index.entries
            for each in entry.parts
        )

    def _read(self, reading: _Reading, block: str) -> None:
        """Read a block: for its digests first, as long as it may be known."""
        tensors = reading.blocks[block]
        may_be_known = bool(reading.alive) or not reading.kin
        forms = forms_worth_taking(
            (tensor.dtype for tensor in tensors),
            (dtype for part in self._alike(reading) for dtype in part.dtypes),
        )
        measured = self._measured(tensors, forms, with_sums=not may_be_known)
        reading.measured[block] = measured
        digests = named_digests(row.named for row in _rows(tensors, measured))
        reading.alive = {
            place: part
            for place, part in reading.alive.items()
            if any(
                each.block == block and forms_between(digests, each.digests) for each in part.blocks
            )
        }
        known = self.index.same_block(reading.component, block, digests[0])
        if known is not None:
            reading.done[block] = known
        elif not may_be_known:
            self._sketched(reading, block)
        elif reading.kin:
            reading.pending.append(block)
        if not reading.alive and reading.kin:
            for waiting in reading.pending:
                again = self._measured(reading.blocks[waiting], (), with_sums=True)
                reading.measured[waiting] = [
                    replace(new, digests=old.digests)
                    for new, old in zip(again, reading.measured[waiting], strict=True)
                ]
                self._sketched(reading, waiting)
            reading.pending.clear()

    def _measured(
        self, tensors: Sequence[Tensor], forms: Collection[str], *, with_sums: bool
    ) -> list[Measured]:
        if with_sums:
            load_compiled_for(self.elements)
        return measure(self.files, tensors, self.pool, forms=forms, with_sums=with_sums)

    def _alike(self, reading: _Reading) -> Iterable[Part]:
        """Return the components that this one may be the same as, once either is rounded."""
        if reading.kin:
            return reading.alive.values()
        elements = sum(tensor.numel for some in reading.blocks.values() for tensor in some)
        return (
            part
            for entry in self.index.entries
            for part in entry.parts
            if part.parameters == elements
        )

    def _sketched(self, reading: _Reading, block: str) -> None:
        tensors, measured = reading.blocks[block], reading.measured[block]
        part = _part(reading.component, tensors, {block: measured}, tensors, None)
        if part.blocks:
            reading.done[block] = part.blocks[0]

    def _is_enough(self, reading: _Reading, bare: Part) -> bool:
        if self.error is None or reading.alive or not reading.done:
            return False
        so_far = replace(bare, blocks=tuple(reading.done[each] for each in sorted(reading.done)))
        found = self.index.search(so_far, 1, among=sorted(reading.kin))
        return bool(found) and found[0].l2.error <= self.error

    def _told(
        self, reading: _Reading, tensors: list[Tensor], architecture: str | None, bare: Part
    ) -> Identified:
        read = sum(t.nbytes for block in reading.measured for t in reading.blocks[block])
        part = bare
        if len(reading.measured) == len(reading.blocks):
            part = _part(reading.component, tensors, reading.measured, [], architecture)
        blocks = tuple(reading.done[block] for block in sorted(reading.done))
        part = replace(part, blocks=blocks)
        same = same_as(part, self.index.entries) if part is not bare else []
        asked, own = part, {each.model for each in same if each.component == part.component}
        if same and reading.pending:
            source = self._part_named(same[0])
            asked = source if source.component == part.component else part
        nearest = [
            match
            for match in self.index.search(asked, self.count + len(own))
            if match.model not in own
        ]
        stage = Stage.DIGESTS if same else Stage.SKETCHES if nearest else Stage.HEADER
        gathered = gather(part, self.index) if stage == Stage.SKETCHES else []
        return Identified(
            part, stage, tuple(same), tuple(nearest[: self.count]), tuple(gathered), read
        )

    def _part_named(self, same: Same) -> Part:
        return next(
            part
            for entry in self.index.entries
            if entry.model == same.model
            for part in entry.parts
            if part.component == same.component
        )


def _rows(tensors: Sequence[Tensor], measured: Sequence[Measured]) -> list[Row]:
    return [
        Row(
            name=tensor.name,
            component=tensor.component,
            block=tensor.block,
            dtype=tensor.dtype,
            shape=tensor.shape,
            numel=tensor.numel,
            digests=each.digests,
            rounding=each.rounding,
        )
        for tensor, each in zip(tensors, measured, strict=True)
    ]


def _part(
    component: str,
    tensors: Sequence[Tensor],
    measured: dict[str, list[Measured]],
    sketched: Sequence[Tensor],
    architecture: str | None,
) -> Part:
    """Return a component from what was measured of its blocks, with sketches of some tensors."""
    ordered = sorted(tensors, key=lambda tensor: tensor.name)
    blocks: dict[str, list[Tensor]] = {}
    for tensor in ordered:
        blocks.setdefault(tensor.block, []).append(tensor)
    unread = Measured(dict.fromkeys(FORMS), None, nan, None)
    given = [
        (tensor, each)
        for block, some in blocks.items()
        for tensor, each in zip(some, measured.get(block) or [unread] * len(some), strict=True)
    ]
    rows = _rows(*zip(*given, strict=True))
    projected = sketch(_projected(tensor, each) for tensor, each in given) if sketched else None
    pairs = list(zip(projected.blocks, projected.sums, strict=True)) if projected else []
    return part_of(component, rows, pairs, architecture)


def _projected(tensor: Tensor, measured: Measured) -> Projected:
    return Projected(
        name=tensor.name,
        component=tensor.component,
        block=tensor.block,
        shape=tensor.shape,
        numel=tensor.numel,
        norm=sqrt(measured.squares) if measured.counts else 0.0,
        sums=measured.sums if measured.counts else None,
    )
