"""Alignment: how alike two representations of the same samples are, whatever their axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.projection.moments import Standard, moments_of
from atlas.projection.neighbours import Neighbours
from atlas.projection.products import Products
from atlas.projection.rows import READING_BYTES, Rows, block_size, width
from atlas.projection.shuffling import Null, edges_of, shuffled

FEWEST = 4
"""Samples below which the unbiased estimate is not defined."""
LARGEST_BLOCK = 1024
PER_PRODUCT = 20
"""Bytes for each pair of features: their sum, a block's part of it, and a stretch of that."""


@dataclass(frozen=True)
class Alignment:
    """Linear CKA of two representations, and what independent ones would have."""

    unbiased: float
    """1 for equal, rotated or scaled ones, near 0 for independent ones; NaN if one is constant."""
    null_spread: float
    """
    Standard deviation of `unbiased` when the samples of one are shuffled; its mean is then 0.

    Exactly √(2 / (n (n - 3))), for any number of features: see `null_spread()`.
    """
    biased: float
    """As first published: grows with features / samples."""
    biased_null: float
    """Mean of `biased` when the samples of one are shuffled, exactly."""
    samples: int
    features: tuple[int, int]


@dataclass(eq=False)
class _Side:
    """One representation: centred, of unit mean variance, and its sums."""

    rows: Rows
    standard: Standard | None
    """None where all samples are equal."""
    squares: NDArray[np.float64]
    """Shape (n,): each sample's product with itself."""
    row_sums: NDArray[np.float64]
    """Shape (n,): sum of its products with the others."""
    own: float = 0.0
    """Sum of all squared products of two different samples."""


def alignment(
    first: Rows, second: Rows, *, memory_bytes: int, device: str = "cpu", what: str = "rows"
) -> Alignment:
    """
    Return the linear CKA of two representations of the same samples, in the same order.

    As `alignments`, of one each.
    """
    pair = alignments([first], [second], memory_bytes=memory_bytes, device=device, what=what)
    return pair[0][0]


def alignments(
    first: Sequence[Rows],
    second: Sequence[Rows],
    *,
    memory_bytes: int,
    device: str = "cpu",
    what: str = "rows",
) -> list[list[Alignment]]:
    """
    Return the linear CKA of each of the first representations with each of the second.

    With K = X Xᵀ and L = Y Yᵀ, K̃ and L̃ the same with zeros on the diagonal, and 1 the vector of
    ones (Song et al. 2012; used for CKA by Nguyen et al. 2021):

        HSIC₁(K, L) = (tr K̃L̃ + 1ᵀK̃1 1ᵀL̃1 / ((n-1)(n-2)) - 2 1ᵀK̃L̃1 / (n-2)) / (n (n-3))
        CKA = HSIC₁(K, L) / √(HSIC₁(K, K) HSIC₁(L, L))

    HSIC₁ does not change when a constant is added to all samples, so the mean is taken off first,
    which keeps the digits. The biased CKA (Kornblith et al. 2019) is ‖XᵀY‖² / (‖XᵀX‖ ‖YᵀY‖).

    Two routes give the same numbers; the one with fewer products is taken. By samples: blocks of K
    and L for all representations at once, none of which is ever whole. By features: ‖XᵀY‖² less
    the diagonals, where the (d, d) matrices fit in memory.

    Parameters
    ----------
    first, second
        Each of shape (n, ...) with one n of at least 4; widths may differ.
    memory_bytes
        Bounds blocks and products.
    device
        "cpu", or a device of torch for the products.
    what
        What the rows are, for messages.

    Raises
    ------
    AtlasError
        When the numbers of samples differ or are below 4, a value is not finite, or memory is too
        small.
    """
    counts = {rows.shape[0] for rows in (*first, *second)}
    if len(counts) != 1:
        raise AtlasError(
            f"{what}: similarity needs the same samples on both sides, but there are"
            f" {' and '.join(f'{count:,}' for count in sorted(counts))}"
        )
    (count,) = counts
    if count < FEWEST:
        raise AtlasError(f"{what}: similarity needs {FEWEST} samples or more, not {count}")
    sides = [[_side(rows, memory_bytes, what) for rows in some] for some in (first, second)]
    products = Products(device)
    if _is_by_features(sides, memory_bytes):
        cross = _by_features(sides, memory_bytes, products, what)
    else:
        cross = _by_samples(sides, memory_bytes, products, what)
    return [
        [_aligned(left, right, cross[row, column]) for column, right in enumerate(sides[1])]
        for row, left in enumerate(sides[0])
    ]


def null_spread(samples: int) -> float:
    """
    Return the standard deviation of the unbiased CKA when one side's samples are shuffled.

    Let A and B be K̃ and L̃ after U-centring (Székely and Rizzo 2014): zero diagonal, rows that sum
    to 0. Then n (n-3) HSIC₁ = Σ A_ij B_ij, and over all permutations π the sum Σ A_ij B_π(i)π(j)
    has the mean 0 and the variance 2 ΣA² ΣB² / (n (n-3)): pairs of index pairs that coincide,
    share one index or none have the sums 2ΣA², -4ΣA² and 2ΣA², as the rows sum to 0. So the spread
    of the quotient depends on n alone. Its distribution need not be normal: with few effective
    dimensions its right tail is longer.
    """
    return float(np.sqrt(2 / (samples * (samples - 3))))


def mutual_neighbours(first: Neighbours, second: Neighbours) -> float:
    """
    Return the mean share of a sample's k nearest neighbours that are the same in both.

    The mutual k-nearest-neighbour metric of Huh et al. 2024 (The Platonic Representation
    Hypothesis), between 0 and 1; NaN when there are no neighbours.

    Raises
    ------
    AtlasError
        When the two have not the same samples or not the same k.
    """
    count, k = _shape(first, second)
    if k == 0:
        return float("nan")
    return np.intersect1d(edges_of(first.indices).keys, edges_of(second.indices).keys).size / (
        count * k
    )


def mutual_null(first: Neighbours, second: Neighbours) -> Null:
    """
    Return what `mutual_neighbours` is when one side's samples are shuffled: k / (n - 1).

    The spread is exact over all orders, for these two graphs: hubs, and edges that go both ways,
    make it wider than that of independent draws.
    """
    count, k = _shape(first, second)
    if k == 0:
        return Null(float("nan"), float("nan"))
    found = shuffled(edges_of(first.indices), edges_of(second.indices))
    return Null(found.mean / (count * k), found.spread / (count * k))


def _side(rows: Rows, memory_bytes: int, what: str) -> _Side:
    moments = moments_of(rows, memory_bytes=memory_bytes, what=what)
    spread = float(np.sqrt(moments.variance.mean()))
    standard = None
    if spread > 0:
        standard = Standard.of(moments, standardise=False)
        # one factor for all features: CKA does not change, and float32 can't overflow
        standard.factor[:] = 1 / spread
    zeros = np.zeros(rows.shape[0])
    return _Side(rows, standard, zeros, zeros.copy())


def _is_by_features(sides: list[list[_Side]], memory_bytes: int) -> bool:
    """Tell whether products of features are fewer than products of samples, and fit in memory."""
    widths = [[width(side.rows) for side in some] for some in sides]
    count = sides[0][0].rows.shape[0]
    by_samples = count**2 * (sum(widths[0]) + sum(widths[1]))
    by_features = (
        2
        * count
        * (sum(widths[0]) * sum(widths[1]) + sum(each**2 for some in widths for each in some))
    )
    largest = max(each for some in widths for each in some)
    room = memory_bytes - PER_PRODUCT * largest**2
    return by_features < by_samples and room >= 128 * READING_BYTES * largest


def _by_features(
    sides: list[list[_Side]], memory_bytes: int, products: Products, what: str
) -> NDArray[np.float64]:
    """Return Σ K̃_ij L̃_ij of all pairs as ‖XᵀY‖² less the diagonals, and fill in the sides."""
    whole = np.zeros((len(sides[0]), len(sides[1])))
    for side in (*sides[0], *sides[1]):
        side.own = _squared_norm(side, side, memory_bytes, products, what)
        # the rows are centred: all products of a sample sum to 0, so those with others to -k
        side.row_sums = -side.squares
        side.own -= float(side.squares @ side.squares)
    for row, left in enumerate(sides[0]):
        for column, right in enumerate(sides[1]):
            whole[row, column] = _squared_norm(left, right, memory_bytes, products, what)
            whole[row, column] -= float(left.squares @ right.squares)
    return whole


def _squared_norm(
    left: _Side, right: _Side, memory_bytes: int, products: Products, what: str
) -> float:
    """Return ‖XᵀY‖², summed over samples in float64; of one side with itself, its squares too."""
    if left.standard is None or right.standard is None:
        return 0.0
    wider = max(left.rows, right.rows, key=width)
    size = block_size(
        wider,
        memory_bytes,
        per_value=READING_BYTES + 8,
        fixed=PER_PRODUCT * width(left.rows) * width(right.rows),
        most=LARGEST_BLOCK,
        what=what,
    )
    total = np.zeros((width(left.rows), width(right.rows)))
    for place, block in left.standard.blocks(left.rows, size):
        if left is right:
            left.squares[place] = np.einsum("ij,ij->i", block, block, dtype=np.float64)
            other = block
        else:
            other = right.standard.block(right.rows, place)
        total += products.of(block.T, other.T)
    return float(np.einsum("ij,ij->", total, total))


def _by_samples(
    sides: list[list[_Side]], memory_bytes: int, products: Products, what: str
) -> NDArray[np.float64]:
    """Return Σ K̃_ij L̃_ij of all pairs from blocks of products of samples; fill in the sides."""
    every = [*sides[0], *sides[1]]
    count = every[0].rows.shape[0]
    size = _sample_block(every, memory_bytes, what)
    whole = np.zeros((len(sides[0]), len(sides[1])))
    for start in range(0, count, size):
        low = slice(start, min(start + size, count))
        for begin in range(start, count, size):
            high = slice(begin, min(begin + size, count))
            weight = 1.0 if begin == start else 2.0
            stacks = [
                np.empty((len(some), (low.stop - start) * (high.stop - begin))) for some in sides
            ]
            for some, stack in zip(sides, stacks, strict=True):
                for side, flat in zip(some, stack, strict=True):
                    flat[:] = _block(side, low, high, products).ravel()
                    side.own += weight * float(flat @ flat)
            whole += weight * (stacks[0] @ stacks[1].T)
    return whole


def _sample_block(every: Sequence[_Side], memory_bytes: int, what: str) -> int:
    """Return samples of a block: two blocks of the widest, and a square of products for each."""
    wider = max((side.rows for side in every), key=width)
    each = (READING_BYTES + 4) * width(wider)
    per_pair = 8 * (len(every) + 3)
    alone = block_size(
        wider,
        memory_bytes,
        per_value=READING_BYTES + 4 + per_pair / width(wider),
        most=LARGEST_BLOCK,
        what=what,
    )
    # the root of per_pair b² + each b = memory
    root = np.sqrt(each**2 + 4.0 * per_pair * memory_bytes)
    return max(1, min(alone, int((root - each) / (2 * per_pair))))


def _block(side: _Side, low: slice, high: slice, products: Products) -> NDArray[np.float64]:
    """Return products of two blocks of samples, 0 on the diagonal, and add up the side's sums."""
    if side.standard is None:
        return np.zeros((low.stop - low.start, high.stop - high.start))
    left = side.standard.block(side.rows, low)
    right = left if low == high else side.standard.block(side.rows, high)
    block = products.of(left, right)
    if low == high:
        side.squares[low] = np.diagonal(block)
        np.fill_diagonal(block, 0.0)
    else:
        side.row_sums[high] += block.sum(axis=0)
    side.row_sums[low] += block.sum(axis=1)
    return block


def _aligned(left: _Side, right: _Side, cross: float) -> Alignment:
    """Make the two coefficients of the sums."""
    count = len(left.squares)
    pairs = ((left, right, cross), (left, left, left.own), (right, right, right.own))
    mixed, own, other = (
        total
        + a.row_sums.sum() * b.row_sums.sum() / ((count - 1) * (count - 2))
        - 2 * float(a.row_sums @ b.row_sums) / (count - 2)
        for a, b, total in pairs
    )
    whole, first, second = (total + float(a.squares @ b.squares) for a, b, total in pairs)
    norm = float(np.sqrt(first * second))
    traces = float(left.squares.sum() * right.squares.sum())
    return Alignment(
        unbiased=float(mixed / np.sqrt(own * other)) if own > 0 and other > 0 else float("nan"),
        null_spread=null_spread(count),
        biased=float(whole / norm) if norm > 0 else float("nan"),
        biased_null=float(traces / ((count - 1) * norm)) if norm > 0 else float("nan"),
        samples=count,
        features=(width(left.rows), width(right.rows)),
    )


def _shape(first: Neighbours, second: Neighbours) -> tuple[int, int]:
    if first.indices.shape != second.indices.shape:
        told = [
            f"{k} of {count:,} samples" for count, k in (first.indices.shape, second.indices.shape)
        ]
        raise AtlasError(
            f"neighbours can't be compared: {told[0]} on one side, {told[1]} on the other; take the"
            " same samples and the same k"
        )
    count, k = first.indices.shape
    return count, k
