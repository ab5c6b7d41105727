"""What is said below a picture concerns that picture."""

import importlib

import numpy as np
import pytest

from drawn_texts import all_text
from synthetic_families import family, matrix_of

PART = "compared in part only"
ZEROS = "a 0 here can mean either"
KINDS = ("heatmap", "tree", "map", "spectral", "line")


def kinds_with(note, matrix):
    """Return the kinds of pictures that say so."""
    return [
        kind
        for kind in KINDS
        if note
        in all_text(importlib.import_module(f"atlas.plots.{kind}").draw(matrix)).replace("\n", " ")
    ]


def partly(a, b, *, apart=None, share=0.125):
    """Return five models, of which two were compared in part, and perhaps one with nothing."""
    values = family(5).values.copy()
    coverage = np.ones((5, 5))
    coverage[a, b] = coverage[b, a] = share
    if apart is not None:
        others = np.arange(5) != apart
        others[[a, b]] = False
        values[apart, others] = values[others, apart] = np.nan
        coverage[apart, others] = coverage[others, apart] = 0.0
    return matrix_of(values, coverage=coverage)


def test_a_pair_in_part_is_told_where_it_is_drawn():
    assert kinds_with(PART, partly(0, 1)) == list(KINDS)


def test_the_line_tells_of_its_own_distances_alone():
    assert kinds_with(PART, partly(2, 3)) == ["heatmap", "tree", "map", "spectral"]


def test_trees_maps_and_graphs_tell_of_the_models_that_they_draw():
    assert kinds_with(PART, partly(2, 3, apart=3)) == ["heatmap"]


@pytest.mark.parametrize(
    ("pair", "kinds"),
    [((0, 1), list(KINDS)), ((2, 3), ["heatmap", "tree", "map", "spectral"])],
)
def test_a_zero_that_can_mean_two_things_is_told_where_it_shows(pair, kinds):
    values = family(5).values.copy()
    values[pair[1]], values[:, pair[1]] = values[pair[0]], values[:, pair[0]]
    values[pair, pair[::-1]] = values[pair[1], pair[1]] = 0.0
    assert kinds_with(ZEROS, matrix_of(values, ambiguous_zeros=True)) == kinds


def test_a_zero_that_keeps_a_model_out_is_told():
    values = family(5).values.copy()
    values[2, 3] = values[3, 2] = 0.0
    assert "tree" in kinds_with(ZEROS, matrix_of(values, ambiguous_zeros=True))
