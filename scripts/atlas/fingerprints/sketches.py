"""Sketches of a model: 256 numbers for each block, of which differences tell distances."""

import base64
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.fingerprints.elements.projection import SUMS
from atlas.names.components import OTHER

KEY = b"diffusion-atlas.sketches"
"""Where a fingerprint's file has them: beside its rows, which are read without them."""

LARGEST_NORM = 2.0**100
"""Of a tensor that a sketch takes in: sums are kept in float32."""


@dataclass(frozen=True)
class Projected:
    """What a sketch needs to know of one tensor."""

    name: str
    component: str
    block: str
    shape: tuple[int, ...]
    numel: int
    norm: float
    sums: NDArray[np.float64] | None
    """float64 (SUMS,); None of integers and of tensors with NaN or infinities."""

    @property
    def counts(self) -> bool:
        """Whether the tensor goes into its block's sketch."""
        return self.sums is not None and self.norm < LARGEST_NORM


@dataclass(frozen=True)
class SketchedBlock:
    """One block of a component, and what went into its sketch."""

    component: str
    block: str
    elements: int
    """That were projected."""
    left_out: int
    """Elements of integers and of tensors that are not finite: nothing is known of them."""
    layout: str
    """Digest of the names and shapes that were projected: sketches of equal ones are comparable."""
    squares: float
    """Sum of the squares of the elements projected."""


@dataclass(frozen=True)
class Sketches:
    """All sketches of one model, in order of component and block."""

    blocks: tuple[SketchedBlock, ...]
    sums: NDArray[np.float32]
    """float32 (blocks, SUMS)."""


def sketch(tensors: Iterable[Projected]) -> Sketches:
    """Return the sketches of a model's tensors, which are added up in order of name."""
    held: dict[tuple[str, str], list[Projected]] = defaultdict(list)
    for tensor in sorted(tensors, key=lambda tensor: tensor.name):
        if tensor.component != OTHER:
            held[tensor.component, tensor.block].append(tensor)
    sums = np.zeros((len(held), SUMS))
    for row, place in enumerate(sorted(held)):
        for tensor in held[place]:
            if tensor.counts and tensor.sums is not None:
                sums[row] += tensor.sums
    return Sketches(
        tuple(_block(*place, held[place]) for place in sorted(held)), sums.astype(np.float32)
    )


def _block(component: str, block: str, tensors: list[Projected]) -> SketchedBlock:
    counted = [tensor for tensor in tensors if tensor.counts]
    elements = sum(tensor.numel for tensor in counted)
    return SketchedBlock(
        component=component,
        block=block,
        elements=elements,
        left_out=sum(tensor.numel for tensor in tensors) - elements,
        layout=layout_of((tensor.name, tensor.shape) for tensor in counted),
        squares=sum(tensor.norm**2 for tensor in counted),
    )


def layout_of(tensors: Iterable[tuple[str, tuple[int, ...]]]) -> str:
    """Return the digest of names and shapes, in order of name: equal ones are sketched alike."""
    text = "\n".join(f"{name}[{shape}]" for name, shape in tensors)
    return xxhash.xxh3_64_hexdigest(text.encode("utf-8", "surrogatepass"))


def packed(sketches: Sketches) -> bytes:
    """Return sketches as a file's metadata keeps them: JSON, with sums as base64 of float32."""
    blocks = [
        [each.component, each.block, each.elements, each.left_out, each.layout, each.squares]
        for each in sketches.blocks
    ]
    sums = base64.b64encode(sketches.sums.astype("<f4").tobytes()).decode("ascii")
    return json.dumps({"blocks": blocks, "sums": sums}).encode()


def unpacked(text: bytes) -> Sketches:
    """Return the sketches that `packed` has made a text of."""
    held: dict[str, Any] = json.loads(text)
    sums = np.frombuffer(base64.b64decode(held["sums"]), "<f4").reshape(-1, SUMS)
    return Sketches(
        tuple(SketchedBlock(*block) for block in held["blocks"]), sums.astype(np.float32)
    )


def read_sketches(path: Path) -> Sketches:
    """
    Return the sketches of a fingerprint; none of a checkpoint that is no model, or can't be read.

    Raises
    ------
    AtlasError
        The fingerprint was made before there were sketches.
    DamagedFileError
        It is not as it was written.
    """
    beside = sealed.read_beside(path)
    if KEY not in beside:
        if not len(sealed.read(path, ["name"])[0]):
            return sketch([])
        raise AtlasError(f"{path}: made before there were sketches; delete it, and run again")
    return unpacked(beside[KEY])
