"""The nearest networks by sketch, against all distances taken one by one."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.fingerprints import nearest as searching
from atlas.fingerprints.nearest import Network, nearest


def network(sums: np.ndarray, *, keys=None, elements=1000, squares=None) -> Network:
    """Return a network whose sketches are these, of (keys, 256)."""
    keys = keys or [f"B{number}" for number in range(len(sums))]
    return Network(
        keys=tuple((key, "layout") for key in keys),
        elements=np.full(len(sums), elements),
        squares=(sums.astype(np.float64) ** 2).sum(axis=1) if squares is None else squares,
        sums=sums.astype(np.float32),
    )


def family(count: int, *, spread: float = 0.05, blocks: int = 3, seed: int = 0) -> list[Network]:
    generator = np.random.default_rng(seed)
    base = generator.standard_normal((blocks, 256))
    scales = spread * generator.uniform(0.5, 2, count)
    return [network(base + scale * generator.standard_normal(base.shape)) for scale in scales]


def slowly(networks: list[Network], count: int) -> list[list[int]]:
    """Take every distance from its definition, and sort."""
    found = []
    for place, one in enumerate(networks):
        distances = []
        for other_place, other in enumerate(networks):
            shared = [key for key in one.keys if key in other.keys]
            if place == other_place or not shared:
                continue
            rows = [one.keys.index(key) for key in shared]
            others = [other.keys.index(key) for key in shared]
            difference = one.sums[rows].astype(float) - other.sums[others].astype(float)
            norm = (one.squares[rows].sum() * other.squares[others].sum()) ** 0.25
            distances.append((np.linalg.norm(difference) / norm, other_place))
        found.append([other for _, other in sorted(distances)[:count]])
    return found


@pytest.mark.parametrize("tile", [4, 7, 512])
@pytest.mark.parametrize("spread", [0.05, 1e-5])
def test_the_nearest_are_those_of_all_distances(monkeypatch, tile, spread):
    monkeypatch.setattr(searching, "TILE", tile)
    networks = family(30, spread=spread)
    found = nearest(networks, 5)
    assert [places.tolist() for places in found.places] == slowly(networks, 5)


def test_layouts_are_compared_over_what_they_share(monkeypatch):
    monkeypatch.setattr(searching, "TILE", 4)
    networks = family(20, blocks=4)
    for number in range(0, 20, 3):  # an inpainting model has another first layer
        other = networks[number]
        networks[number] = network(other.sums, keys=["B0x", "B1", "B2", "B3"])
    found = nearest(networks, 6)
    assert [places.tolist() for places in found.places] == slowly(networks, 6)


def test_what_shares_little_is_not_compared():
    one, other = family(2, blocks=4)
    stranger = network(other.sums, keys=["B0", "C1", "C2", "C3"])
    found = nearest([one, other, stranger], 5)
    assert [places.tolist() for places in found.places] == [[1], [0], []]


def test_networks_of_zeros_have_no_neighbours():
    found = nearest([*family(2), network(np.zeros((3, 256)))], 5)
    assert [places.tolist() for places in found.places] == [[1], [0], []]


def test_ties_go_by_place():
    base, step = np.ones((1, 256)), np.zeros((4, 1, 256))
    for number in range(4):
        step[number, 0, number] = 0.5  # all as far from the base
    networks = [network(base), *(network(base + each) for each in step)]
    assert nearest(networks, 3).places[0].tolist() == [1, 2, 3]


def test_close_networks_in_a_crowd_keep_their_order():
    """Products alone would not tell these apart: their distances are 1e-7 of the norm."""
    generator = np.random.default_rng(0)
    base = generator.integers(-9, 9, (1, 256)) * 2.0**-3
    steps = [2.0**-20 * number for number in range(1, 40)]
    networks = [network(base)]
    networks += [network(base + step * (np.arange(256) == 0)) for step in steps]
    found = nearest(networks, 10)
    assert found.places[0].tolist() == list(range(1, 11))
    expected = np.array(steps[:10]) / np.sqrt((base**2).sum())
    np.testing.assert_allclose(found.estimates[0], expected, rtol=1e-4)


def test_estimates_are_alike_from_both_sides():
    found = nearest(family(12), 11)
    table = np.zeros((12, 12))
    for place, (others, estimates) in enumerate(zip(found.places, found.estimates, strict=True)):
        table[place, others] = estimates
    np.testing.assert_array_equal(table, table.T)


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_have_no_neighbours(count):
    assert [list(places) for places in nearest(family(count), 5).places] == [[]] * count
