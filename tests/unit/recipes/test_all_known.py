"""Merges of few of many known fine-tunes: the right ones are named, all of them, and no other."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch

import others_merges as others
from atlas.recipes.fit import fit_blocks
from atlas.recipes.verdicts import Verdict

BLOCKS = 3
TUNES = 7
BASE = 1
"""Place of the base among the candidates, which the target goes before; tunes come after it."""
TRIPLES = list(combinations(range(BASE + 1, BASE + 1 + TUNES), 3))[::9]
METHODS: dict[str, tuple[Callable, Callable]] = {
    "weighted sum": (others.weighted_sum, lambda a, b, c: {a: 0.7, b: 0.3}),
    "average": (others.average, lambda a, b, c: {a: 1 / 3, b: 1 / 3, c: 1 / 3}),
    "add difference": (others.add_difference, lambda a, b, c: {a: -0.8, b: 0.8, c: 1.0}),
    "add difference from the base": (
        others.add_difference,
        lambda a, b, c: {a: -0.8, b: 0.8, c: 1.0},
    ),
}


@pytest.mark.parametrize("method", METHODS)
def test_parents_are_found_among_all(method):
    """Precision and recall are 1; a difference is added of siblings, or from the base of both."""
    merge, truth_of = METHODS[method]
    for triple in TRIPLES:
        triple = (BASE, *triple[1:]) if method.endswith("base") else triple
        truth = truth_of(*triple)
        for fit in fitted(merge, triple):
            assert fit.verdict is Verdict.RECOVERED
            found = dict(zip(fit.parents, fit.weights, strict=True))
            assert found == pytest.approx(truth, abs=0.01)


def test_weights_by_block_are_found_among_all():
    ratios = np.linspace(0.2, 0.8, BLOCKS)
    for first, second, _ in TRIPLES:
        by_tensor = iter(np.repeat(ratios, 3))
        fits = fitted(
            lambda a, b, c, r=by_tensor: torch.lerp(a, b, float(next(r))), (first, second, 1)
        )
        for fit, ratio in zip(fits, ratios, strict=True):
            assert fit.verdict is Verdict.RECOVERED
            found = dict(zip(fit.parents, fit.weights, strict=True))
            assert found == pytest.approx({first: 1 - ratio, second: ratio}, abs=0.01)


def test_without_one_of_its_parents_nothing_is_recovered():
    """The others, as near to it as they are, don't take a missing parent's share."""
    for triple in TRIPLES:
        for gone in triple:
            fits = fitted(others.average, triple, gone=gone)
            assert Verdict.RECOVERED not in {fit.verdict for fit in fits}


def fitted(merge, triple, gone=None):
    """Merge three of the candidates into float16, and fit with all of them but one."""
    squares = np.zeros((BLOCKS, TUNES + 2, TUNES + 2))
    floors, elements = np.zeros(BLOCKS), np.zeros(BLOCKS, int)
    for block, tensors in enumerate(others.parents(BLOCKS, tunes=TUNES)):
        for models in tensors:
            merged = merge(*(models[place - 1] for place in triple))
            target = others.stored(merged, torch.float16)
            rows = np.stack([target, *(others.stored(each, torch.float32) for each in models)])
            rows -= rows[0].copy()
            products = rows @ rows.T
            lengths = np.diag(products)
            squares[block] += np.maximum(lengths[:, None] + lengths - 2 * products, 0)
            floors[block] += others.floor_of(target, torch.float16)
            elements[block] += target.size
    kept = [place for place in range(TUNES + 2) if place != gone]
    squares = squares[:, kept][:, :, kept]
    return fit_blocks(squares, elements=elements, floors=np.sqrt(floors))
