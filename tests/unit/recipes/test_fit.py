"""Recipes from squared distances: what was made is found, and what was not is not told."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from atlas.recipes.fit import WIDE_ROUNDINGS, Fit, fit_blocks, fit_part
from atlas.recipes.verdicts import Form, Verdict
from made_up_merges import like, rounded, rounding_floor, squared_distances, tunes

Array = NDArray[np.float64]
SIZE = 6000


def fit(target: Array, candidates: Array, dtype: str = "f16", *, scaled: bool = False) -> Fit:
    """Round a target and fit it by candidates."""
    target = rounded(target, dtype)
    models = np.vstack([target, candidates])
    return fit_part(
        squared_distances(models),
        elements=models.shape[1],
        floor=rounding_floor(target, dtype),
        norms=np.linalg.norm(models, axis=1) if scaled else None,
        roundings=WIDE_ROUNDINGS if dtype == "f32" else 1.0,
    )


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("shares", [[0.6, 0.4], [0.5, 0.5], [0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1]])
def test_merges_are_recovered(shares: list[float], dtype: str) -> None:
    base, models = tunes(12, SIZE, dtype=dtype)
    candidates = np.vstack([models, like(models[0], base, 20)])
    found = fit(np.array(shares) @ models[: len(shares)], candidates, dtype)
    assert found.verdict is Verdict.RECOVERED
    assert found.form is Form.CONVEX
    assert sorted(found.parents) == list(range(1, len(shares) + 1))
    weights = dict(zip(found.parents, found.weights or (), strict=True))
    errors = dict(zip(found.parents, found.errors or (), strict=True))
    for parent, share in enumerate(shares, 1):
        assert abs(weights[parent] - share) <= max(5 * errors[parent], 1e-4)
    assert list(found.weights or ()) == sorted(found.weights or (), reverse=True)


def test_fine_tunes_have_no_recipe() -> None:
    base, models = tunes(12, SIZE)
    found = fit(models[0], np.vstack([models[1:], [base], like(models[0], base, 20)]))
    assert (found.verdict, found.parents, found.weights) == (Verdict.NONE, (), None)


def test_a_base_is_not_made_of_its_fine_tunes() -> None:
    base, models = tunes(12, SIZE)
    assert fit(base, models).verdict is Verdict.NONE


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_parent_is_not_shared_out(missing: int) -> None:
    base, models = tunes(10, SIZE)
    child = np.array([0.5, 0.3, 0.2]) @ models[:3]
    decoys = like(models[missing], base, 50)
    found = fit(child, np.vstack([np.delete(models, missing, axis=0), decoys]))
    assert found.verdict in (Verdict.APPROXIMATE, Verdict.NONE)
    assert set(found.parents) <= {1, 2}


@pytest.mark.parametrize("step", [0.0, 0.0005])
def test_a_block_that_stands_alone_must_leave_less(step: float) -> None:
    """The last block leaves a little more than rounding; the others are exact, or trained on."""
    random = np.random.default_rng(4)
    blocks = 6
    _, models = tunes(8, blocks * SIZE)
    merged = (0.7 * models[0] + 0.3 * models[1]).reshape(blocks, SIZE)
    moved = rounded(merged[:-1] + step * random.standard_normal((blocks - 1, SIZE)), "f16")
    last = rounded(merged[-1], "f16")
    floor = rounding_floor(last, "f16")
    more = np.sqrt(11 / np.sqrt(SIZE)) * floor  # between the 4 and the 12 of deviations
    last = last + more * random.standard_normal(SIZE) / np.sqrt(SIZE)
    rows = np.vstack([np.concatenate([moved.ravel(), last])[None], models])
    parts = rows.reshape(len(rows), blocks, SIZE).transpose(1, 0, 2)
    found = fit_blocks(
        np.stack([squared_distances(part) for part in parts]),
        elements=np.full(blocks, SIZE),
        floors=np.array([rounding_floor(part[0], "f16") for part in parts]),
    )
    verdict = Verdict.APPROXIMATE if step else Verdict.RECOVERED
    assert found[-1].verdict is verdict
    assert set(found[-1].parents) == {1, 2}


def test_a_child_is_no_parent() -> None:
    base, models = tunes(6, SIZE)
    child = rounded(0.6 * models[0] + 0.4 * models[1], "f16")
    candidates = np.vstack([models[1:], [child, base]])
    assert fit(models[0], candidates).verdict is Verdict.NONE


def test_of_models_on_a_line_the_ends_are_the_parents() -> None:
    _, models = tunes(5, SIZE, dtype="f32")
    line = [share * models[0] + (1 - share) * models[1] for share in (0.2, 0.4, 0.5, 0.7)]
    for at, target in enumerate(line):
        others = np.vstack([models, rounded(np.delete(line, at, axis=0), "f32")])
        assert sorted(fit(target, others, "f32").parents) == [1, 2]


@pytest.mark.parametrize("dtype", ["f32", "f16"])
def test_an_added_difference_is_told_of_the_child_alone(dtype: str) -> None:
    base, models = tunes(6, SIZE, dtype=dtype)
    child = rounded(models[0] + 0.8 * (models[1] - base), dtype)
    found = fit(child, np.vstack([models, [base]]), dtype)
    assert (found.verdict, found.form) == (Verdict.RECOVERED, Form.SIGNED)
    assert found.parents == (1, 2, 7)
    np.testing.assert_allclose(found.weights or (), [1, 0.8, -0.8], atol=0.002)
    candidates = np.vstack([models[2:], [models[0], base, child]])
    assert fit(models[1], candidates, dtype).verdict is Verdict.NONE
    rows = np.vstack([models[0], models[1:], [base, child]])
    squares = squared_distances(rows)[None].repeat(8, axis=0)
    floors = np.full(8, rounding_floor(rows[0], dtype))
    roundings = WIDE_ROUNDINGS if dtype == "f32" else 1.0
    sizes = np.full(8, SIZE)
    parts = fit_blocks(squares, elements=sizes, floors=floors, roundings=roundings)
    assert {part.verdict for part in parts} == {Verdict.NONE}
    few = fit_blocks(squares[:2], elements=sizes[:2], floors=floors[:2], roundings=roundings)
    assert {part.form for part in few} == {Form.SIGNED}
    assert fit(base, np.vstack([models, [child]]), dtype).verdict is Verdict.NONE


def test_weights_need_not_sum_to_one() -> None:
    _, models = tunes(6, SIZE)
    child = 0.7 * models[0] + 0.5 * models[1]
    found = fit(child, models, scaled=True)
    assert (found.verdict, found.form) == (Verdict.RECOVERED, Form.SCALED)
    np.testing.assert_allclose(found.weights or (), [0.7, 0.5], atol=0.001)
    assert fit(child, models).verdict is not Verdict.RECOVERED


def test_a_merge_that_was_tuned_comes_near() -> None:
    _, models = tunes(8, SIZE)
    tuned = 0.0005 * np.random.default_rng(5).normal(size=SIZE)
    found = fit(0.6 * models[0] + 0.4 * models[1] + tuned, models)
    assert (found.verdict, found.parents) == (Verdict.APPROXIMATE, (1, 2))
    assert found.residual == pytest.approx(np.linalg.norm(tuned), rel=0.02)
    assert found.residual > 20 * found.floor


def test_what_differs_by_a_rounding_is_equal() -> None:
    _, models = tunes(3, SIZE)
    target = models[0].copy()
    target[::20] = rounded(target[::20] * (1 + 2.0**-10), "f16")
    found = fit(target, models)
    assert (found.verdict, found.parents, found.weights) == (Verdict.EQUAL, (1,), None)


def test_without_a_floor_nothing_is_recovered() -> None:
    _, models = tunes(5, SIZE)
    child = rounded(0.6 * models[0] + 0.4 * models[1], "f16")
    squares = squared_distances(np.vstack([child, models]))
    found = fit_part(squares, elements=SIZE, floor=None)
    assert (found.verdict, found.parents) == (Verdict.APPROXIMATE, (1, 2))


def test_noise_that_hides_weights_is_told() -> None:
    random = np.random.default_rng(1)
    parents = 1 + 1e-3 * random.normal(size=(2, 60))
    child = rounded(parents.mean(axis=0), "bf16")
    models = np.vstack([child, parents])
    floor = rounding_floor(child, "bf16")
    found = fit_part(squared_distances(models), elements=60, floor=floor)
    assert found.verdict in (Verdict.UNDETERMINED, Verdict.EQUAL)
    assert found.weights is None


def test_the_order_of_candidates_does_not_matter() -> None:
    base, models = tunes(9, SIZE)
    candidates = np.vstack([models, like(models[0], base, 5)])
    child = 0.5 * models[2] + 0.3 * models[5] + 0.2 * models[7]
    found = fit(child, candidates)
    turned = fit(child, candidates[::-1])
    assert [1 + len(candidates) - each for each in turned.parents] == list(found.parents)
    np.testing.assert_allclose(turned.weights or (), found.weights or (), atol=1e-9)


def test_what_is_not_comparable_is_left_out() -> None:
    _, models = tunes(4, SIZE)
    child = rounded(0.6 * models[0] + 0.4 * models[1], "f16")
    squares = squared_distances(np.vstack([child, models, models[:1]]))
    squares[5, 0] = squares[0, 5] = np.nan
    found = fit_part(squares, elements=SIZE, floor=rounding_floor(child, "f16"))
    assert found.parents == (1, 2)
    squares[0, 1:] = squares[1:, 0] = np.inf
    assert fit_part(squares, elements=SIZE, floor=1.0).verdict is Verdict.NOT_COMPARED


def test_blocks_share_parents_and_have_their_own_weights() -> None:
    shares = [0.1, 0.35, 0.6, 0.85, 1.0, 0.0]
    squares, floors = [], []
    for block, share in enumerate(shares):
        _, models = tunes(7, SIZE, seed=block)
        child = rounded(share * models[1] + (1 - share) * models[2], "f16")
        squares.append(squared_distances(np.vstack([child, models])))
        floors.append(rounding_floor(child, "f16"))
    found = fit_blocks(
        np.array(squares), elements=np.full(len(shares), SIZE), floors=np.array(floors)
    )
    for each, share in zip(found[:4], shares, strict=False):
        assert each.verdict is Verdict.RECOVERED
        weights = dict(zip(each.parents, each.weights or (), strict=True))
        assert weights[2] == pytest.approx(share, abs=0.002)
        assert weights[3] == pytest.approx(1 - share, abs=0.002)
    assert [each.parents for each in found[4:]] == [(2,), (3,)]


def test_a_block_may_have_other_parents() -> None:
    squares, floors = [], []
    for block, (first, second) in enumerate([(0, 1), (0, 1), (3, 4), (0, 1)]):
        _, models = tunes(7, SIZE, seed=block)
        child = rounded(0.7 * models[first] + 0.3 * models[second], "f16")
        squares.append(squared_distances(np.vstack([child, models])))
        floors.append(rounding_floor(child, "f16"))
    found = fit_blocks(np.array(squares), elements=np.full(4, SIZE), floors=np.array(floors))
    assert [each.parents for each in found] == [(1, 2), (1, 2), (4, 5), (1, 2)]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_merge_of_two_parents_does_not_stand_for_one_of_them(seed: int) -> None:
    """As good as they are, it lies between them: the widest set is told."""
    random = np.random.default_rng(seed)
    base = 0.05 * random.standard_normal(SIZE)
    models = rounded(base + 0.03 * random.standard_normal((10, SIZE)), "f32")
    merge = rounded(0.5 * models[0] + 0.5 * models[1], "f16")
    shares = [0.23, 0.4, 0.24, 0.13]
    found = fit(np.array(shares) @ models[:4], np.vstack([models, merge]), "f32")
    assert found.verdict is Verdict.RECOVERED
    weights = dict(zip(found.parents, found.weights or (), strict=True))
    assert sorted(weights) == [1, 2, 3, 4]
    np.testing.assert_allclose([weights[each] for each in range(1, 5)], shares, atol=1e-3)
