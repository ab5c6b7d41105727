"""Search, by sketches, for the networks that are nearest to each one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Key = tuple[str, str]
"""A block, and the layout of what was sketched of it: equal ones are compared."""

TILE = 512
"""Networks on each side of a product."""

SPARE = 16
"""
Candidates beyond those wanted, whose distances are taken anew by differences.

The search takes products, ‖a − b‖² = ‖a‖² + ‖b‖² − 2ab in float64 around a mean: they keep eight
digits of the norm, so that the last of close networks may be exchanged.
"""

LEAST_COMMON = 0.5
"""Share of the elements of both networks that their common blocks have to hold."""


@dataclass(frozen=True)
class Network:
    """One network's sketches."""

    keys: tuple[Key, ...]
    """In order."""
    elements: NDArray[np.int64]
    """int64 (keys,)."""
    squares: NDArray[np.float64]
    """float64 (keys,): sums of squares of the weights."""
    sums: NDArray[np.float32]
    """float32 (keys, 256)."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest of each network, nearest first; fewer where there are no more to compare."""

    places: list[NDArray[np.int64]]
    """Of each network those of its neighbours, in the order of the networks."""
    estimates: list[NDArray[np.float64]]
    """Relative L2 distances, as the sketches tell them."""


def nearest(networks: Sequence[Network], count: int) -> Neighbours:
    """
    Return the `count` nearest of each network by estimated relative L2 distance; ties by place.

    The distance is over the blocks that both have alike, as a share of the geometric mean of both
    norms over them; where these hold less than LEAST_COMMON of either, there is none. In memory are
    all sketches, in float32, and two tiles of them in float64.
    """
    layouts = _layouts(networks)
    wanted = count + SPARE
    found = np.full((len(networks), wanted), -1, np.int64)
    roughly = np.full((len(networks), wanted), np.inf)
    for number, one in enumerate(layouts):
        for other in layouts[number:]:
            common = _Common.of(one, other)
            if common is not None:
                for rows, columns, distances in _tiles(one, other, common):
                    _keep(found, roughly, rows, columns, distances)
                    if rows is not columns:
                        _keep(found, roughly, columns, rows, distances.T)
    return _measured(layouts, found, count)


@dataclass(frozen=True)
class _Layout:
    """The networks that have the same keys."""

    keys: tuple[Key, ...]
    elements: NDArray[np.int64]
    places: NDArray[np.int64]
    """int64 (networks,)."""
    squares: NDArray[np.float64]
    """float64 (networks, keys)."""
    sums: NDArray[np.float32]
    """float32 (networks, keys, 256)."""


@dataclass(frozen=True)
class _Common:
    """The columns of keys that two layouts share."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]

    @classmethod
    def of(cls, one: _Layout, other: _Layout) -> "_Common | None":
        """Return what they share; None where it is too little."""
        column = {key: place for place, key in enumerate(other.keys)}
        shared = [place for place, key in enumerate(one.keys) if key in column]
        held = one.elements[shared].sum()
        if held == 0 or held < LEAST_COMMON * max(one.elements.sum(), other.elements.sum()):
            return None
        there = [column[one.keys[place]] for place in shared]
        return cls(np.array(shared), np.array(there))


def _layouts(networks: Sequence[Network]) -> list[_Layout]:
    held: dict[tuple[Key, ...], list[int]] = defaultdict(list)
    for place, network in enumerate(networks):
        held[network.keys].append(place)
    return [
        _Layout(
            keys=keys,
            elements=networks[places[0]].elements,
            places=np.array(places),
            squares=np.stack([networks[place].squares for place in places]),
            sums=np.stack([networks[place].sums for place in places]),
        )
        for keys, places in sorted(held.items())
    ]


def _norms(squares: NDArray[np.float64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the roots of norms over columns: float64 (networks,), NaN for networks of zeros."""
    sums = squares[:, columns].sum(axis=1)
    return np.where(sums > 0, sums, np.nan) ** 0.25


def _flat(layout: _Layout, rows: slice, columns: NDArray[np.int64]) -> NDArray[np.float64]:
    part = layout.sums[rows][:, columns]
    return part.reshape(len(part), -1).astype(np.float64)


def _tiles(
    one: _Layout, other: _Layout, common: _Common
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Yield places of rows and columns, and their relative distances; inf where there is none."""
    middle = one.sums[:TILE][:, common.one].mean(axis=0, dtype=np.float64).reshape(-1)
    norms = _norms(one.squares, common.one), _norms(other.squares, common.other)
    for top in range(0, len(one.places), TILE):
        rows = slice(top, top + TILE)
        left = _flat(one, rows, common.one) - middle
        places = one.places[rows]
        for begin in range(top if one is other else 0, len(other.places), TILE):
            columns = slice(begin, begin + TILE)
            is_same = one is other and top == begin
            right = left if is_same else _flat(other, columns, common.other) - middle
            squares = -2 * (left @ right.T)
            squares += (left * left).sum(axis=1)[:, None]
            squares += (right * right).sum(axis=1)
            distances = np.sqrt(np.maximum(squares, 0))
            distances /= norms[0][rows, None] * norms[1][columns]
            distances[np.isnan(distances)] = np.inf
            if is_same:
                np.fill_diagonal(distances, np.inf)
            yield places, places if is_same else other.places[columns], distances


def _keep(
    found: NDArray[np.int64],
    roughly: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    distances: NDArray[np.float64],
) -> None:
    """Keep the nearest of what was found for these rows so far, and of these columns."""
    both = np.concatenate([roughly[rows], distances], axis=1)
    places = np.concatenate([found[rows], np.broadcast_to(columns, distances.shape)], axis=1)
    kept = np.argpartition(both, found.shape[1] - 1, axis=1)[:, : found.shape[1]]
    roughly[rows] = np.take_along_axis(both, kept, axis=1)
    found[rows] = np.take_along_axis(places, kept, axis=1)
    found[rows] = np.where(np.isinf(roughly[rows]), -1, found[rows])


def _measured(layouts: Sequence[_Layout], found: NDArray[np.int64], count: int) -> Neighbours:
    """Take the candidates' distances by differences, and keep the nearest."""
    number_of = np.zeros(len(found), np.int64)
    row_of = np.zeros(len(found), np.int64)
    for number, layout in enumerate(layouts):
        number_of[layout.places] = number
        row_of[layout.places] = np.arange(len(layout.places))
    result = Neighbours([], [])
    for place, row in enumerate(found):
        candidates = np.sort(row[row >= 0])
        estimates = np.empty(len(candidates))
        own = layouts[number_of[place]]
        for number in np.unique(number_of[candidates]):
            chosen = number_of[candidates] == number
            estimates[chosen] = _differences(
                own, row_of[place], layouts[number], row_of[candidates[chosen]]
            )
        order = np.argsort(estimates, kind="stable")[:count]
        result.places.append(candidates[order])
        result.estimates.append(estimates[order])
    return result


def _differences(
    one: _Layout, row: np.int64, other: _Layout, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the relative distances of one network to others of one layout."""
    common = _Common.of(one, other)
    assert common is not None
    own = one.sums[row, common.one].astype(np.float64)
    theirs = other.sums[np.ix_(rows, common.other)]
    squares = np.square(own - theirs).reshape(len(rows), -1).sum(axis=1)
    norms = _norms(one.squares[[row]], common.one) * _norms(other.squares[rows], common.other)
    return np.asarray(np.sqrt(squares) / norms)
