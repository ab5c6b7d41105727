"""Read a part once, whole, and count what several ways make of it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from atlas.basis.errors import AtlasError
from atlas.distances.plan import Content
from atlas.fingerprints.elements.digests import digest_of
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.elements.reading import read_range
from atlas.proofs.parts import Tensors
from atlas.proofs.values import Chunk, Making, Tally
from atlas.tensors.tensors import ITEM_BYTES

CHUNK_ELEMENTS = 1 << 16
"""Elements in hand at a time: what is computed of them stays in a core's cache."""


def stream(
    files: OpenFiles,
    tensors: Sequence[Tensors],
    makings: Sequence[Making],
    *,
    threads: int = 1,
    seen: Callable[[int], None] = lambda _: None,
) -> list[Tally]:
    """
    Return what each way makes of all elements.

    Memory is that of a few chunks a thread, whatever the size of the tensors.

    Parameters
    ----------
    seen
        Is told the bytes of each tensor that was read.

    Raises
    ------
    AtlasError
        When a file can't be read, or holds other weights than when it was fingerprinted.
    """
    totals = [Tally()] * len(makings)

    def one(each: Tensors) -> list[Tally]:
        return _of_tensor(files, each, makings)

    with ThreadPoolExecutor(threads) as pool:
        waiting = iter(tensors)
        while batch := list(islice(waiting, 4 * threads)):
            for each, found in zip(batch, pool.map(one, batch), strict=True):
                totals = [total + tally for total, tally in zip(totals, found, strict=True)]
                seen(sum(content.numel * ITEM_BYTES[content.dtype] for content in each.contents))
    return totals


def _of_tensor(files: OpenFiles, tensors: Tensors, makings: Sequence[Making]) -> list[Tally]:
    totals = [Tally()] * len(makings)
    for chunk in _chunks(files, tensors):
        found = [chunk.tally(making, tensors.own) for making in makings]
        totals = [total + tally for total, tally in zip(totals, found, strict=True)]
    return totals


def _chunks(files: OpenFiles, tensors: Tensors) -> Iterator[Chunk]:
    """Yield a tensor piece by piece, and check after the last that it is what was fingerprinted."""
    contents = tensors.contents
    dtypes = tuple(content.dtype for content in contents)
    digests = [digest_of(content.dtype, content.shape) for content in contents]
    for start in range(0, tensors.target.numel, CHUNK_ELEMENTS):
        count = min(CHUNK_ELEMENTS, tensors.target.numel - start)
        raw = [np.empty(count * ITEM_BYTES[dtype], np.uint8) for dtype in dtypes]
        for content, digest, piece in zip(contents, digests, raw, strict=True):
            read_range(files, content, start, piece)
            digest.update(piece.data)
        yield Chunk(dtypes, raw)
    for content, digest in zip(contents, digests, strict=True):
        if digest.hexdigest() != content.digest:
            raise _changed(tensors.name, content)


def _changed(name: str, content: Content) -> AtlasError:
    files = ", ".join(sorted({str(part.file) for part in content.parts}))
    return AtlasError(
        f"{files}: {name} holds other weights than when it was fingerprinted, so nothing is said of"
        " it. If the file was replaced, run again: it is fingerprinted anew; else check the disk"
    )
