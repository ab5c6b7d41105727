"""Read tensors for what a library is asked by: digests, and sums where they are needed."""

import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.decoding import decode, round_to
from atlas.fingerprints.elements.digests import digest_of
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.elements.projection import STRETCH, Projection, seed_of
from atlas.fingerprints.elements.reading import read_range
from atlas.fingerprints.elements.rounding import Rounding
from atlas.fingerprints.fingerprint import COMPILED, WORTH_COMPILING
from atlas.fingerprints.sketches import LARGEST_NORM
from atlas.library.identities import AS_IS, FORMS
from atlas.tensors.tensors import ITEM_BYTES, Tensor, rounds_to

SAMPLED = 4
"""One of so many stretches tells what rounding leaves in all: exponents are spread alike."""

HASHED_BYTES = 1 << 18
"""Read at a time where nothing is decoded."""


@dataclass(frozen=True)
class Measured:
    """What was read of one floating tensor."""

    digests: Mapping[str, str | None]
    """By form of FORMS; None of those that were not asked for."""
    sums: NDArray[np.float64] | None
    """float64 (SUMS,); None where only digests were asked for."""
    squares: float
    """NaN or infinite where an element is, and where only digests were asked for."""
    rounding: float | None
    """L2 that rounding to its dtype leaves, by a sample; None where sums were not asked for."""

    @property
    def counts(self) -> bool:
        """Whether it goes into its block's sketch."""
        return isfinite(self.squares) and self.squares < LARGEST_NORM**2


def measure(
    files: OpenFiles,
    tensors: Sequence[Tensor],
    pool: Executor,
    *,
    forms: Collection[str] = (),
    with_sums: bool,
) -> list[Measured]:
    """
    Return what is asked for of each floating tensor, from one read.

    Parameters
    ----------
    forms
        Dtypes that digests are taken of besides, once rounded, where tensors lose by it.
    with_sums
        Whether to project the elements; a digest alone takes half of the time.
    """
    return list(pool.map(lambda tensor: _measured(files, tensor, forms, with_sums), tensors))


def load_compiled_for(elements: int) -> None:
    """Load the compiled code where so many elements are worth it."""
    if elements >= WORTH_COMPILING:
        import atlas.fingerprints.elements.compiled  # noqa: F401 - found in sys.modules


def _measured(
    files: OpenFiles, tensor: Tensor, forms: Collection[str], with_sums: bool
) -> Measured:
    targets = [form for form in rounds_to(tensor.dtype) if form in forms and form != tensor.dtype]
    item = ITEM_BYTES[tensor.dtype]
    own = digest_of(tensor.dtype, tensor.shape)
    others = {form: digest_of(form, tensor.shape) for form in targets}
    projection, squares = Projection(seed_of(tensor.name)), 0.0
    rounding, sampled = Rounding(tensor.dtype), 0
    decoding = _Decoding(tensor)
    is_plain = not (targets or with_sums)
    step = HASHED_BYTES // item if is_plain else STRETCH
    buffer = aligned_empty(min(step, tensor.numel) * item)
    for start in range(0, tensor.numel, step):
        raw = buffer[: (min(start + step, tensor.numel) - start) * item]
        read_range(files, tensor, start, raw)
        own.update(raw.data)
        if is_plain:
            continue
        with np.errstate(over="ignore", invalid="ignore"):  # some NaN signal when cast
            values = decoding.of(raw)
            for form in targets:
                others[form].update(round_to(values.astype(np.float32, copy=False), form).data)
            if with_sums:
                decoding.project(projection, values)
                squares += float(np.dot(values, values))
                if start // STRETCH % SAMPLED == 0:
                    decoding.add_rounding(rounding, values)
                    sampled += values.size
    digests: dict[str, str | None] = dict.fromkeys(FORMS)
    digests |= {form: digest.hexdigest() for form, digest in others.items()}
    digests[AS_IS] = own.hexdigest()
    if tensor.dtype in digests:
        digests[tensor.dtype] = digests[AS_IS]
    if not with_sums:
        return Measured(digests, None, nan, None)
    left = rounding.norm * sqrt(tensor.numel / sampled) if sampled else 0.0
    return Measured(digests, projection.sums, squares, left)


class _Decoding:
    """Decodes and projects one tensor's stretches, by compiled code where that is loaded."""

    def __init__(self, tensor: Tensor) -> None:
        self._dtype = tensor.dtype
        self._compiled: Any = sys.modules.get(COMPILED)
        kind = np.float64 if tensor.dtype == "f64" else np.float32
        size = min(STRETCH, tensor.numel) * np.dtype(kind).itemsize
        self._scratch = aligned_empty(size if self._compiled else 0).view(kind)

    def of(self, raw: NDArray[np.uint8]) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return a stretch's elements."""
        if not self._compiled:
            return decode(raw, self._dtype)
        values: NDArray[Any] = self._scratch[: raw.size // ITEM_BYTES[self._dtype]]
        code = self._compiled.CODES[self._dtype]
        self._compiled.decode_into(raw, code, self._compiled.FLOAT8, values)
        return values

    def add_rounding(
        self, rounding: Rounding, values: NDArray[np.float32] | NDArray[np.float64]
    ) -> None:
        """Take in one of the tensor's stretches."""
        if self._compiled:
            self._compiled.compiled_rounding.add(rounding, values)
        else:
            rounding.add(values)

    def project(
        self, projection: Projection, values: NDArray[np.float32] | NDArray[np.float64]
    ) -> None:
        """Take in the tensor's next stretch."""
        if self._compiled:
            self._compiled.project(projection, values)
        else:
            projection.add(values.astype(np.float64))
