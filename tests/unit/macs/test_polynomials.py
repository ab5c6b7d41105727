"""Exact polynomials: recovered from few values, refused where there is none, their envelopes."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from atlas.macs.polynomials import TERMS, Polynomial, envelope, fit, made, total

POINTS = [(64, 64), (128, 96), (256, 32), (384, 128), (768, 160), (192, 224)]
OTHER = [(65, 65), (33, 12), (4096, 512)]


def one(term: tuple[int, int], factor: int | Fraction = 1) -> Polynomial:
    return made({term: Fraction(factor)})


@pytest.mark.parametrize("seed", range(20))
def test_a_whole_second_degree_is_recovered_from_six_points(seed):
    chance = random.Random(seed)
    truth = made({term: Fraction(chance.randrange(1, 10**12), 16) for term in TERMS})
    scaled = [int(16 * truth.at(point)) for point in POINTS]
    found = fit(POINTS, scaled)
    assert found is not None
    assert all(found.at(point) == 16 * truth.at(point) for point in OTHER)


@pytest.mark.parametrize(
    "truth",
    [
        *(one(term, 7) for term in TERMS),
        one((1, 0), 5) + one((0, 1), 5),
        made({(2, 0): Fraction(3), (1, 1): Fraction(6), (0, 2): Fraction(3)}),
        one((2, 0), 3) + one((1, 1), 3),
        one((1, 1), 3) + one((0, 2), 3),
        one((2, 0), Fraction(1, 64)),
    ],
    ids=str,
)
def test_layers_and_attention_are_known_by_two_points(truth):
    points = [(64, 64), (128, 96)]
    found = fit(points, [int(truth.at(point)) for point in points])
    assert found is not None
    assert all(found.at(point) == truth.at(point) for point in OTHER)


def test_two_points_do_not_make_a_sum_of_two_terms():
    truth = one((0, 0), 11) + one((1, 0), 3)
    assert fit(POINTS[:2], [int(truth.at(point)) for point in POINTS[:2]]) is None
    assert fit(POINTS[:3], [int(truth.at(point)) for point in POINTS[:3]]) == truth


def test_without_text_its_terms_are_left_out():
    points = [(64, 0), (128, 0), (256, 0)]
    truth = one((0, 0), 9) + one((2, 0), 4)
    assert fit(points, [int(truth.at(point)) for point in points]) == truth


def test_padding_to_multiples_is_no_polynomial():
    points = [*POINTS, (320, 48)]
    values = [(-(-image // 50) * 50) ** 2 for image, _ in points]
    assert fit(points, values) is None


def test_one_value_more_or_less_is_refused():
    truth = made({term: Fraction(factor) for factor, term in enumerate(TERMS, start=3)})
    points = [*POINTS, (320, 48)]
    values = [int(truth.at(point)) for point in points]
    assert fit(points, values) == truth
    values[3] += 1
    assert fit(points, values) is None


def test_a_sum_is_the_sum_of_values_and_zeros_vanish():
    parts = [one((1, 0), 2), one((1, 0), -2), one((0, 2), 5)]
    assert total(parts) == one((0, 2), 5)
    assert str(total([])) == "0"
    assert str(one((0, 0), Fraction(7, 2)) + one((1, 1), 3)) == "7/2 + 3 n·t"


@pytest.mark.parametrize("seed", range(20))
def test_an_envelope_is_the_maximum_of_all_lines(seed):
    chance = random.Random(seed)
    lines = [
        (Fraction(chance.randrange(-50, 500)), Fraction(chance.randrange(0, 40), 3))
        for _ in range(chance.randrange(1, 60))
    ]
    hull = envelope(lines)
    for count in [0, *range(1, 200, 7), 10**6]:
        assert max(a + b * count for a, b in hull) == max(a + b * count for a, b in lines)
    assert len(hull) == len({slope for _, slope in hull}) <= len(lines)


def test_no_line_of_an_envelope_can_be_left_out():
    lines = [(Fraction(10), Fraction(0)), (Fraction(6), Fraction(1)), (Fraction(0), Fraction(2))]
    assert envelope([*lines, (Fraction(5), Fraction(1)), (Fraction(1), Fraction(1, 2))]) == lines
