"""What a library knows of a model: its components, and of each block a sketch and digests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.fingerprints.sketches import SketchedBlock, Sketches, layout_of, read_sketches
from atlas.library.identities import AS_IS, FORMS, Digests, Named, bare_digests, named_digests
from atlas.names.components import OTHER
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import FLOATING, ITEM_BYTES

READ = ["name", "component", "block", "dtype", "shape", "numel", "digest"]
READ += [f"digest_{form}" for form in FORMS if form != AS_IS]
ROUNDING = "rounding"
"""Column of what rounding to its own dtype leaves in a tensor, where fingerprints have it."""


@dataclass(frozen=True)
class Block:
    """One block of a component."""

    block: str
    elements: int
    """That went into the sketch."""
    left_out: int
    layout: str
    """Digest of the names and shapes that went in: sketches of equal ones are comparable."""
    squares: float
    """Sum of the squares of these elements."""
    floor: float | None
    """L2 that rounding to their own dtype leaves in them; None where it is not known."""
    digests: Digests
    sums: NDArray[np.float32]
    """float32 (SUMS,)."""


@dataclass(frozen=True)
class Part:
    """One component of a model."""

    component: str
    architecture: str | None
    dtypes: tuple[str, ...]
    """The commonest first."""
    tensors: int
    parameters: int
    nbytes: int
    layout: str
    """Digest of the names and shapes of all its floating tensors, as a header tells them."""
    digests: Digests
    """Of names and contents."""
    contents: Digests
    """Of contents under any names."""
    blocks: tuple[Block, ...]
    """In order; none of what is no model, as a LoRA."""


@dataclass(frozen=True)
class Entry:
    """One model of a library."""

    model: str
    label: str
    kind: str
    parts: tuple[Part, ...]
    """In order of component."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What its metadata say, where the fingerprint has them."""

    def part(self, component: str) -> Part | None:
        """Return a component, None where there is no such one."""
        return next((each for each in self.parts if each.component == component), None)


@dataclass(frozen=True)
class Row:
    """What an entry needs to know of one floating tensor."""

    name: str
    component: str
    block: str
    dtype: str
    shape: tuple[int, ...]
    numel: int
    digests: Mapping[str, str | None]
    rounding: float | None = None

    @property
    def named(self) -> Named:
        """Its digests, under its name within the component."""
        return Named(self.name.partition("/")[2] or self.name, self.dtype, self.digests)


def part_of(
    component: str,
    rows: Sequence[Row],
    sketched: Sequence[tuple[SketchedBlock, NDArray[np.float32]]],
    architecture: str | None,
) -> Part:
    """Return a component from its floating tensors and the sketches of its blocks."""
    held: dict[str, list[Row]] = {}
    for row in rows:
        held.setdefault(row.block, []).append(row)
    named = [row.named for row in rows]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.dtype] = counts.get(row.dtype, 0) + row.numel
    return Part(
        component=component,
        architecture=architecture,
        dtypes=tuple(sorted(counts, key=lambda dtype: (-counts[dtype], dtype))),
        tensors=len(rows),
        parameters=sum(row.numel for row in rows),
        nbytes=sum(row.numel * ITEM_BYTES[row.dtype] for row in rows),
        layout=component_layout(rows),
        digests=named_digests(named),
        contents=bare_digests(named),
        blocks=tuple(
            Block(
                block=each.block,
                elements=each.elements,
                left_out=each.left_out,
                layout=each.layout,
                squares=each.squares,
                floor=floor_of(held.get(each.block, [])),
                digests=named_digests(row.named for row in held.get(each.block, [])),
                sums=sums,
            )
            for each, sums in sketched
            if each.elements
        ),
    )


def component_layout(tensors: Iterable[Any]) -> str:
    """Return the digest of the names and shapes of a component's floating tensors."""
    ordered = sorted((each.name, tuple(each.shape)) for each in tensors)
    return layout_of((name.partition("/")[2] or name, shape) for name, shape in ordered)


def floor_of(rows: Iterable[Row]) -> float | None:
    """Return the L2 that rounding leaves in tensors; None where it is not known of one."""
    squares = 0.0
    for row in rows:
        if row.rounding is None:
            return None
        squares += row.rounding**2
    return float(np.sqrt(squares))


def read_entry(model: str, label: str, fingerprint: Path) -> Entry | None:
    """
    Return what a library keeps of a fingerprint; None where its checkpoint could not be read.

    Raises
    ------
    AtlasError
        The fingerprint was made before there were sketches.
    DamagedFileError
        It is not as it was written.
    """
    table, notes = sealed.read(fingerprint, READ)
    if "problem" in notes:
        return None
    roundings = _roundings(fingerprint, len(table))
    rows: dict[str, list[Row]] = {}
    columns = {name: table[name].to_pylist() for name in READ}
    for place in range(len(table)):
        at = {name: column[place] for name, column in columns.items()}
        if at["dtype"] in FLOATING and at["component"] != OTHER:
            rows.setdefault(at["component"], []).append(_row(at, roundings[place]))
    kind = str(notes.get("kind", MODEL))
    sketches = read_sketches(fingerprint) if kind == MODEL else Sketches((), np.zeros((0, 0), "f4"))
    sketched: dict[str, list[tuple[SketchedBlock, NDArray[np.float32]]]] = {}
    for block, sums in zip(sketches.blocks, sketches.sums, strict=True):
        sketched.setdefault(block.component, []).append((block, sums))
    architectures = notes.get("architectures", {})
    parts = tuple(
        part_of(
            component, rows[component], sketched.get(component, []), architectures.get(component)
        )
        for component in sorted(rows)
    )
    return Entry(model, label, kind, parts)


def _row(at: Mapping[str, Any], rounding: float | None) -> Row:
    digests = {form: at["digest" if form == AS_IS else f"digest_{form}"] for form in FORMS}
    return Row(
        name=at["name"],
        component=at["component"],
        block=at["block"],
        dtype=at["dtype"],
        shape=tuple(at["shape"]),
        numel=at["numel"],
        digests=digests,
        rounding=rounding,
    )


def _roundings(fingerprint: Path, rows: int) -> list[float | None]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(fingerprint) as file:
        if ROUNDING not in file.schema_arrow.names:
            return [None] * rows
        found: list[float | None] = file.read(columns=[ROUNDING])[ROUNDING].to_pylist()
        return found
