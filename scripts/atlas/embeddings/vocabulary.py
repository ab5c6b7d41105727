"""
Compare two text encoders token by token: their tables of embeddings, without a forward pass.

What is reported is that rows differ, and how. That a row moved doesn't prove that its word was
trained, nor what it means now: the layers above read it, and they may have changed too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.embeddings import common_factor
from atlas.embeddings.common_factor import LEAST_NORMAL, MOST, PRECISION, Factor
from atlas.embeddings.token_tables import BLOCK_BYTES, BLOCK_ROWS, TokenTable
from atlas.fingerprints.elements.decoding import decode, round_to

IDENTICAL, ROUNDED, SHRUNK, MOVED, NONFINITE = STATUSES = (
    "identical",
    "rounded",
    "shrunk",
    "moved",
    "nonfinite",
)
"""
What may be said of a token's row, the first that holds; see `Comparison` for what each proves.
"""

SCHEMA = pa.schema(
    {
        "token": pa.int32(),
        "text": pa.string(),
        "status": pa.string(),
        "distance": pa.float64(),
        "relative": pa.float64(),
        "cosine": pa.float64(),
        "scale": pa.float64(),
        "own": pa.float64(),
        "rank": pa.int32(),
    }
)

IN_HAND = 1 << 16
"""Elements compared at a time: their float64 copies stay in a core's cache."""

GLANCE = 32
"""Columns that are looked at first, since a row that doesn't fit mostly shows it at once."""

NOT_A_FACTOR = (np.inf, -np.inf)
"""Bounds of a row that is no multiple of the base's."""


@dataclass(frozen=True)
class Summary:
    """What a comparison comes to."""

    base: str
    other: str
    """Labels of the tables."""
    compared: int
    """Tokens that both have: ids are compared, from 0 on."""
    only_base: int
    only_other: int
    """Tokens at the end of the longer table, that the other lacks: they aren't compared."""
    counts: Mapping[str, int]
    """Tokens by status, all of STATUSES."""
    factor: Factor | None
    """What the shrunk rows were multiplied by: the median of their scales; None without any."""
    median: float | None
    ninety_percent: float | None
    largest: float | None
    """Of the relative moves of all rows that have one; None where none has."""

    def sentence(self) -> str:
        """Return all of it in one sentence."""
        parts = [f"{count:,} {status}" for status, count in self.counts.items() if count]
        told = f"{self.other} against {self.base}: of {self.compared:,} tokens {', '.join(parts)}"
        if self.factor:
            told += f"; the shrunk rows are {self.factor.value:.9g} times the base's"
        if self.largest is not None:
            told += (
                f"; relative move: median {self.median:.3g}, 90 % below {self.ninety_percent:.3g},"
                f" largest {self.largest:.3g}"
            )
        for label, count in ((self.base, self.only_base), (self.other, self.only_other)):
            if count:
                told += (
                    f"; the last {count:,} tokens of {label} are not compared: it alone has them"
                )
        return told


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    Two tables of token embeddings, a row of base called a and of the other b.

    `rows` has the columns of SCHEMA, a token each, in order of id. `distance` is |b - a|, with
    sums in float64; `relative` is distance / |a|; `cosine` of the angle between them; `scale` is
    <a, b> / <a, a>. `own` is the move beyond the shrinking: |b - s a| with the common factor s,
    and the distance itself for rows that are identical or rounded, or where there is no s. `rank`
    is by `own`, 1 moved most, equal ones by id. What is not defined is null: of rows of zeros, of
    rows with NaN, and texts of ids beyond those given.

    The statuses, and what they prove:

    identical
        Bit for bit, after widening to float32 where dtypes differ. Proves that the row was left as
        it was, or moved by less than its dtype can hold.
    rounded
        One is the other rounded to float16, bfloat16 or a dtype of the two, in every element (or
        only zeros changed their sign); or each element is within 4 * 2^-24 of itself, which
        arithmetic in float32 leaves, such as a weighted average of equal rows, and a rounding to
        the stored dtype. Proves that storing and arithmetic explain all of the difference; not
        that nothing smaller was learnt.
    shrunk
        The row is s times the base's, with one s for all such rows, in every element, within the
        tolerance of the factor and one rounding to the stored dtype: see `common_factor`. It is
        what decoupled weight decay leaves of tokens that got no gradient, and what a weighted
        average with such a model leaves. Doesn't prove either: a table that was scaled looks the
        same (s may be above 1), and a row that learnt less than the tolerance does.
    moved
        None of these: no rounding, and no common factor, explains the row. The size of the move is
        in `own`. A unit in the last place of float16 may still come of arithmetic in float16.
    nonfinite
        The row has NaN or an infinity in one of the tables: no number is given.
    """

    rows: pa.Table
    summary: Summary


def compare(base: TokenTable, other: TokenTable, texts: Sequence[str]) -> Comparison:
    """
    Compare the tokens that two tables have in common, in one pass and bounded memory.

    Parameters
    ----------
    texts
        Of the tokens by id; there may be fewer than rows, as tables are padded.

    Raises
    ------
    AtlasError
        When the tables differ in width, have no token in common, or can't be read as they were.
    """
    if base.width != other.width:
        raise AtlasError(
            f"{base.label} and {other.label}: token embeddings of {base.width} and {other.width}"
            " numbers can't be compared; choose models with the same text encoder"
        )
    common = min(base.rows, other.rows)
    if not common or not base.width:
        raise AtlasError(f"{base.label} and {other.label}: no token embeddings to compare")
    found = _Rows(common)
    for start, ours, theirs in _blocks(base, other):
        _take(found, start, ours, theirs, dtypes=(base.dtype, other.dtype))
    factor = _explain(found, (base.dtype, other.dtype))
    rows = _table(found, factor, texts)
    return Comparison(rows, _summary(base, other, found.status, rows, factor))


class _Rows:
    """What is known of each row; the sums of squares are of those that are not identical."""

    def __init__(self, count: int) -> None:
        self.status = np.full(count, IDENTICAL, dtype="<U9")
        self.square = np.zeros(count)
        """|a|^2, |b - a|^2, and <a, b - a>: nothing cancels in what is made of them."""
        self.apart = np.zeros(count)
        self.along = np.zeros(count)
        self.elements = np.zeros(count, np.int64)
        """Elements of the base's row other than 0."""
        self.low = np.full(count, NOT_A_FACTOR[0])
        self.high = np.full(count, NOT_A_FACTOR[1])


def _blocks(
    base: TokenTable, other: TokenTable
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Yield both tables' rows of the same ids; the longer is read to its end, to be checked."""
    step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // (8 * base.width)))
    start = 0
    for ours, theirs in zip_longest(base.blocks(step), other.blocks(step)):
        if ours is not None and theirs is not None:
            count = min(len(ours), len(theirs))
            yield start, ours[:count], theirs[:count]
            start += count


def _take(
    found: _Rows,
    start: int,
    ours: NDArray[Any],
    theirs: NDArray[Any],
    *,
    dtypes: tuple[str, str],
) -> None:
    """Take in the rows of one block: the identical ones cost no arithmetic."""
    alike = _same_bits(ours, theirs)
    finite = np.isfinite(ours).all(axis=1)
    finite[~alike] &= np.isfinite(theirs[~alike]).all(axis=1)
    block = slice(start, start + len(ours))
    found.elements[block] = np.count_nonzero(ours, axis=1)
    found.status[block][~finite] = NONFINITE
    rest = np.flatnonzero(finite & ~alike)
    step = max(1, IN_HAND // ours.shape[1])
    for first in range(0, len(rest), step):
        rows = rest[first : first + step]
        _measure(found, start + rows, ours[rows], theirs[rows], dtypes)


def _same_bits(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which rows are equal bit for bit, in the wider of both dtypes: shape (rows,)."""
    if ours.dtype != theirs.dtype:
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    bits = np.uint64 if ours.dtype == np.float64 else np.uint32
    same: NDArray[np.bool_] = (ours.view(bits) == theirs.view(bits)).all(axis=1)
    return same


def _measure(
    found: _Rows,
    ids: NDArray[np.int64],
    ours: NDArray[Any],
    theirs: NDArray[Any],
    dtypes: tuple[str, str],
) -> None:
    """Measure rows that are finite and not identical, and see what explains them."""
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    difference = b - a
    found.square[ids] = np.einsum("ij,ij->i", a, a)
    found.apart[ids] = np.einsum("ij,ij->i", difference, difference)
    found.along[ids] = np.einsum("ij,ij->i", a, difference)
    rounded = _rounded(ours, theirs, dtypes)
    found.status[ids] = np.where(rounded, ROUNDED, MOVED)
    possible = np.flatnonzero(~rounded)
    for width in (GLANCE, a.shape[1]):
        x, y = a[possible, :width], b[possible, :width]
        low, high = common_factor.intervals(x, y, _allowance(x, y, dtypes))
        fits = (low < np.inf) & (low * (1 - MOST) <= high * (1 + MOST))
        possible, low, high = possible[fits], low[fits], high[fits]
    found.low[ids[possible]], found.high[ids[possible]] = low, high


def _explain(found: _Rows, dtypes: tuple[str, str]) -> Factor | None:
    """
    Tell the rows that arithmetic or a common factor explains from those that moved.

    Return the factor, or None where no row is shrunk. It is the median of these rows' scales, which
    leans on all of their elements: the bounds that told the rows lean on the outermost.
    """
    arithmetic = common_factor.strayed(found.low, found.high, 1.0) <= common_factor.LEAST
    found.status[(found.status == MOVED) & arithmetic] = ROUNDED
    left = np.flatnonzero(found.status == MOVED)
    low, high = found.low[left], found.high[left]
    factor = common_factor.find(low, high, found.elements[left], dtypes)
    if factor is None:
        return None
    shrunk = left[common_factor.strayed(low, high, factor.value) <= factor.tolerance]
    found.status[shrunk] = SHRUNK
    value = 1 + float(np.median(found.along[shrunk] / found.square[shrunk]))
    return Factor(value, factor.tolerance + abs(factor.value - value))


def _allowance(
    a: NDArray[np.float64], b: NDArray[np.float64], dtypes: tuple[str, str]
) -> NDArray[np.float64]:
    """
    Return how far storing may have put each element from a multiple of the base's.

    A base in the narrower dtype may be a rounded copy of what the training began with, and one in
    the same dtype is let be one where it has few digits: below its least normal number. Elements
    below that of float32 lose digits at every step: they are let pass.
    """
    base, other = dtypes
    few = LEAST_NORMAL[base] * 2.0 ** -PRECISION[base]
    allowance = common_factor.half_units(b, other) + (few + 2.0**-126)
    if PRECISION[base] < PRECISION[other]:
        allowance += common_factor.half_units(a, base)
    return allowance


def _rounded(
    ours: NDArray[Any], theirs: NDArray[Any], dtypes: tuple[str, str]
) -> NDArray[np.bool_]:
    """Tell which rows are those of the other table after rounding, in either direction."""
    # no floats of 8 bits but the tables' own: small rows round to zeros there
    targets = dict.fromkeys([*dtypes, "f32", "f16", "bf16"])
    held = np.zeros(len(ours), bool)
    for dtype in targets:
        for wide, narrow in ((ours, theirs), (theirs, ours)):
            rows = np.flatnonzero(~held)
            rows = rows[_is_rounded(wide[rows, :GLANCE], narrow[rows, :GLANCE], dtype)]
            held[rows] = _is_rounded(wide[rows], narrow[rows], dtype)
    return held


def _is_rounded(wide: NDArray[Any], narrow: NDArray[Any], dtype: str) -> NDArray[np.bool_]:
    """Tell which rows are equal after the first table's are rounded to a dtype."""
    if dtype == "f64":
        rounded: NDArray[Any] = wide
    else:
        with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite: not equal
            single = np.ascontiguousarray(wide, np.float32)
        bits = round_to(single, dtype)
        rounded = decode(bits.view(np.uint8), dtype).reshape(wide.shape)
    same: NDArray[np.bool_] = (rounded == narrow).all(axis=1)
    return same


def _table(found: _Rows, factor: Factor | None, texts: Sequence[str]) -> pa.Table:
    count = len(found.status)
    alike, finite = found.status == IDENTICAL, found.status != NONFINITE
    nonzero = finite & (found.elements > 0)
    square = np.where(alike | ~nonzero, 1.0, found.square)
    other = np.maximum(square + 2 * found.along + found.apart, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):  # rows of zeros have no angle
        cosine = np.clip((square + found.along) / np.sqrt(square * other), -1.0, 1.0)
    distance, own = np.sqrt(found.apart), _own(found, factor)
    known = list(texts[:count])
    columns = {
        "token": pa.array(np.arange(count, dtype=np.int32)),
        "text": pa.array(known + [None] * (count - len(known)), pa.string()),
        "status": pa.array(found.status.tolist(), pa.string()),
        "distance": _column(distance, finite),
        "relative": _column(distance / np.sqrt(square), nonzero),
        "cosine": _column(cosine, nonzero & (other > 0)),
        "scale": _column(1 + found.along / square, nonzero),
        "own": _column(own, finite),
        "rank": pa.array(_ranks(own, finite), mask=~finite),
    }
    return pa.table(columns, schema=SCHEMA)


def _own(found: _Rows, factor: Factor | None) -> NDArray[np.float64]:
    """Return the move beyond the shrinking: |b - s a|^2 = |(b - a) + (1 - s) a|^2."""
    if factor is None:
        return np.sqrt(found.apart)
    lost = 1 - factor.value
    beyond = found.apart + 2 * lost * found.along + lost**2 * found.square
    stored = np.isin(found.status, (IDENTICAL, ROUNDED))
    return np.sqrt(np.where(stored, found.apart, np.maximum(beyond, 0.0)))


def _ranks(own: NDArray[np.float64], finite: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return places from 1 on for what moved most, those without a number last."""
    ranks = np.empty(len(own), np.int32)
    ranks[np.lexsort((-own, ~finite))] = np.arange(1, len(own) + 1)
    return ranks


def _column(values: NDArray[np.float64], known: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~known)


def _summary(
    base: TokenTable,
    other: TokenTable,
    status: NDArray[np.str_],
    rows: pa.Table,
    factor: Factor | None,
) -> Summary:
    moves = rows["relative"].drop_null().to_numpy()
    spread = np.quantile(moves, (0.5, 0.9, 1.0)).tolist() if len(moves) else (None,) * 3
    return Summary(
        base.label,
        other.label,
        len(status),
        max(base.rows - other.rows, 0),
        max(other.rows - base.rows, 0),
        {each: int((status == each).sum()) for each in STATUSES},
        factor,
        *spread,
    )
