"""
The path of models in the order of their making: steps, turns, and how straight it is.

All of it follows from the distances between the models alone, without a weight, because l2 is the
distance of a Euclidean space: with x_k a model's weights and d the l2 between two models,

    (x_b − x_a)·(x_d − x_c) = (d(a, d)² + d(b, c)² − d(a, c)² − d(b, d)²) / 2

Squares of steps at right angles add up to that of the direct distance, as Pythagoras has it. l1 has
no angles: its lengths are summed and set beside the direct one, no more.

What rounding leaves: a distance with a relative error e leaves an angle near 0 or 180 degrees
uncertain by some √(8 e) radians where steps are of a size (2·10⁻⁶ degrees in float64), by √r / 2
times that where one step is r times as long as the other; angles in between by some e · r.
Distances that are impossible in one space by more than SLACK, as those that rest on different
tensors may be, give no angle.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.relations import matrices
from atlas.relations.group_matrices import COVERAGE
from atlas.relations.matrices import Matrix

FloatArray = npt.NDArray[np.float64]

COLUMNS = [
    "component", "step", "from", "to", "l2", "relative_l2", "angle", "from_first", "path",
    "root_sum_of_squares", "straightness", "towards_last", "along", "l1", "l1_from_first",
    "l1_path", "coverage",
]  # fmt: skip

BESIDE = ("relative_l2", "l1")
"""Measures that are told of where the group's matrices have them."""

SLACK = 1e-6
"""Relative: what is beyond the possible by no more is taken for rounding."""


def files(folder: Path) -> list[Path]:
    """Return the l2 matrices of a folder of matrices, by component."""
    return sorted(folder.glob("*.l2.csv"))


def read(file: Path, *, group: str, imported: bool) -> dict[str, Matrix]:
    """
    Return what `table` is given: an l2 matrix with its coverage, and what is beside it of BESIDE.

    Parameters
    ----------
    file
        One of `files`.
    imported
        Whether it is a published one, whose zeros may mean never compared.
    """
    stem = file.name.removesuffix(".l2.csv")
    component = matrices.component_of(stem)
    found = {
        measure: matrices.read(
            path, component=component, measure=measure, group=group, ambiguous_zeros=imported
        )
        for measure in ("l2", *BESIDE, COVERAGE)
        if (path := file.with_name(f"{stem}.{measure}.csv")).exists()
    }
    if COVERAGE in found:
        found["l2"] = replace(found["l2"], coverage=found.pop(COVERAGE).values)
    return found


def table(l2: Matrix, relative_l2: Matrix | None = None, l1: Matrix | None = None) -> pd.DataFrame:
    """
    Return a row per step of one component's path: COLUMNS, NaN where a number is not known.

    Models that were compared with no other in this component have no place on the path. Where the
    matrix has ambiguous zeros, a 0 between two models is not known.

    Parameters
    ----------
    l2
        Distances in the order of making, with their coverage where it is known.
    relative_l2, l1
        The relative distances and the sums of absolute differences of the same models.
    """
    on_path = np.flatnonzero(l2.compared())
    if len(on_path) < 2:
        return pd.DataFrame(columns=COLUMNS)
    ids = [l2.ids[place] for place in on_path]
    here = np.arange(1, len(ids))
    columns: dict[str, object] = {
        "component": [l2.component] * len(here),
        "step": here,
        "from": ids[:-1],
        "to": ids[1:],
        "relative_l2": _of_steps(relative_l2, on_path),
        "coverage": _coverage(l2, on_path),
    }
    columns |= measures(_known(l2)[np.ix_(on_path, on_path)])
    columns |= _in_l1(l1, on_path)
    return pd.DataFrame({name: columns[name] for name in COLUMNS})


def measures(distances: FloatArray) -> dict[str, FloatArray]:
    """
    Return what is told of each step of a path: arrays of shape (N − 1,), NaN where not known.

    Parameters
    ----------
    distances
        Between the N points of the path, in order: float64 (N, N), symmetric, 0 on the diagonal,
        NaN where a distance is missing.

    Returns
    -------
    dict
        `l2`: a step's length. `angle`: degrees between it and the one before; 0 is straight on, 180
        is back; NaN at a step of no length. `from_first`: distance from the first point. `path`:
        sum of the steps so far. `root_sum_of_squares`: root of the sum of their squares, which is
        `from_first` where all are at right angles. `straightness`: from_first / path.
        `towards_last`: degrees between the step and the straight line from the first point to the
        last. `along`: where the step's end lies on that line, 0 at the first point and 1 at the
        last. Of two points there are no angles.

    >>> {name: values.tolist() for name, values in measures(np.array([[0.0, 2], [2, 0]])).items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'l2': [2.0], 'angle': [nan], 'from_first': [2.0], 'path': [2.0],
     'root_sum_of_squares': [2.0], 'straightness': [1.0], 'towards_last': [nan], 'along': [1.0]}
    """
    size = len(distances)
    before, here = np.arange(size - 1), np.arange(1, size)
    steps, from_first = distances[before, here], distances[0, here]
    path = np.cumsum(steps)
    angle, towards_last = np.full_like(steps, np.nan), np.full_like(steps, np.nan)
    if size > 2:
        angle[1:] = turns(steps[:-1], steps[1:], distances[before[:-1], here[1:]])
        towards_last = _towards_last(distances)
    return {
        "l2": steps,
        "angle": angle,
        "from_first": from_first,
        "path": path,
        "root_sum_of_squares": np.sqrt(np.cumsum(steps**2)),
        "straightness": _at_most_1(_divided(from_first, path)),
        "towards_last": towards_last,
        "along": _along(distances),
    }


def turns(first: FloatArray, second: FloatArray, across: FloatArray) -> FloatArray:
    """
    Return the angles in degrees between steps and the ones before them.

    The law of cosines, cos φ = (c² − a² − b²) / (2 a b), in the form of half angles, which loses no
    digits where φ is near 0 or 180 degrees:

        tan² (φ / 2) = (a + b − c) (a + b + c) / ((c − |a − b|) (c + |a − b|))

    Parameters
    ----------
    first, second, across
        Lengths of the earlier step (a), of the later one (b), and of both at once (c).

    Returns
    -------
    ndarray
        0 for straight on, 180 for back; NaN where a step has no length, or where no triangle has
        such sides.

    >>> turns(*np.array([[3.0, 1, 1], [4.0, 1, 0], [5.0, 2, 1]])).tolist()
    [90.0, 0.0, nan]
    """
    around, difference = first + second, np.abs(first - second)
    bent, straight = around - across, across - difference
    impossible = np.minimum(bent, straight) < -SLACK * around
    half = np.arctan2(
        np.sqrt(np.maximum(bent, 0) * (around + across)),
        np.sqrt(np.maximum(straight, 0) * (across + difference)),
    )
    known = (first > 0) & (second > 0) & ~impossible
    return np.asarray(np.where(known, np.degrees(2 * half), np.nan))


def _towards_last(distances: FloatArray) -> FloatArray:
    """
    Return the angles in degrees between each step and the line from the first point to the last.

    cos φ = ((d(k, 0)² − d(k−1, 0)²) + (d(k−1, L)² − d(k, L)²)) / (2 d(k−1, k) d(0, L))
    """
    size = len(distances)
    before, here = np.arange(size - 1), np.arange(1, size)
    away = _squares(distances[here, 0], distances[before, 0])
    nearer = _squares(distances[before, -1], distances[here, -1])
    lengths = 2 * distances[before, here] * distances[0, -1]
    cosine = _divided(away + nearer, lengths)
    possible = np.abs(cosine) <= 1 + SLACK
    return np.asarray(np.where(possible, np.degrees(np.arccos(np.clip(cosine, -1, 1))), np.nan))


def _along(distances: FloatArray) -> FloatArray:
    """
    Return where each point but the first lies on the line from the first to the last.

    The share is (d(k, 0)² + d(0, L)² − d(k, L)²) / (2 d(0, L)²): below 0 or above 1 is beyond an
    end of the line.
    """
    length = distances[0, -1]
    from_first, to_last = distances[0, 1:], distances[-1, 1:]
    squares = from_first**2 + _squares(np.full_like(to_last, length), to_last)
    return _divided(squares, np.full_like(squares, 2 * length**2))


def _squares(greater: FloatArray, less: FloatArray) -> FloatArray:
    """Return the difference of squares, as a product, so that close ones keep their digits."""
    return (greater - less) * (greater + less)


def _divided(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return quotients, NaN for what is divided by nothing."""
    known = whole > 0
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=known))


def _at_most_1(shares: FloatArray) -> FloatArray:
    """Return shares that can't exceed 1: NaN for what is no rounding."""
    return np.where(shares > 1 + SLACK, np.nan, np.minimum(shares, 1.0))


def _known(matrix: Matrix) -> FloatArray:
    """Return a matrix's values, NaN for zeros that may mean never compared, 0 on the diagonal."""
    values = matrix.values.copy()
    if matrix.ambiguous_zeros:
        values[values == 0] = np.nan
    np.fill_diagonal(values, 0.0)
    return values


def _of_steps(matrix: Matrix | None, on_path: npt.NDArray[np.intp]) -> FloatArray:
    """Return a matrix's value of each step; NaN without a matrix."""
    if matrix is None:
        return np.full(len(on_path) - 1, np.nan)
    return np.asarray(matrix.values[on_path[:-1], on_path[1:]])


def _in_l1(matrix: Matrix | None, on_path: npt.NDArray[np.intp]) -> dict[str, FloatArray]:
    """Return each step's l1, the direct one from the first model, and the sum of the steps."""
    if matrix is None:
        return dict.fromkeys(("l1", "l1_from_first", "l1_path"), _of_steps(None, on_path))
    values = _known(matrix)
    steps = values[on_path[:-1], on_path[1:]]
    return {
        "l1": steps,
        "l1_from_first": values[on_path[0], on_path[1:]],
        "l1_path": np.cumsum(steps),
    }


def _coverage(l2: Matrix, on_path: npt.NDArray[np.intp]) -> FloatArray:
    """Return the least share of parameters that any distance of a step's row rests on."""
    steps = max(0, len(on_path) - 1)
    if l2.coverage is None:
        return np.full(steps, np.nan)
    held = l2.coverage[np.ix_(on_path, on_path)].copy()
    np.fill_diagonal(held, np.inf)
    before, here = np.arange(steps), np.arange(1, steps + 1)
    two_before = np.maximum(before - 1, 0)
    ends = [(before, here), (two_before, here), (two_before, before)]
    ends += [(point, np.full_like(point, end)) for point in (before, here) for end in (0, steps)]
    ends += [(np.zeros_like(here), np.full_like(here, steps))]
    found = np.stack([held[one, other] for one, other in ends])
    return np.asarray(found.min(axis=0, initial=np.inf))
