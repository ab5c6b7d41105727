"""Paths of ordered models, held to arithmetic of vectors."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atlas.relations import matrices, paths
from atlas.relations.matrices import Matrix
from relations.trace_path import main as trace_path


def distances_of(points: np.ndarray) -> np.ndarray:
    """Return all distances between points, of differences one by one."""
    size = len(points)
    found = np.zeros((size, size))
    for one in range(size):
        for other in range(size):
            found[one, other] = np.sqrt(((points[one] - points[other]) ** 2).sum())
    return found


def degrees(one: np.ndarray, other: np.ndarray) -> float:
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return (
        float(np.degrees(np.arccos(np.clip(one @ other / lengths, -1, 1)))) if lengths else np.nan
    )


def by_vectors(points: np.ndarray) -> dict[str, list[float]]:
    """Return what `measures` does, from the points themselves, step by step."""
    line = points[-1] - points[0]
    found: dict[str, list[float]] = {name: [] for name in paths.measures(np.zeros((2, 2)))}
    walked = 0.0
    for here in range(1, len(points)):
        step, gone = points[here] - points[here - 1], points[here] - points[0]
        walked += float(np.linalg.norm(step))
        before = points[here - 1] - points[here - 2] if here > 1 else np.zeros_like(step)
        found["l2"].append(float(np.linalg.norm(step)))
        found["angle"].append(degrees(before, step))
        found["from_first"].append(float(np.linalg.norm(gone)))
        found["path"].append(walked)
        squares = [float(one @ one) for one in np.diff(points[: here + 1], axis=0)]
        found["root_sum_of_squares"].append(float(np.sqrt(sum(squares))))
        found["straightness"].append(float(np.linalg.norm(gone)) / walked)
        found["towards_last"].append(degrees(step, line))
        found["along"].append(float(gone @ line / (line @ line)))
    return found


@pytest.mark.parametrize("dimensions", [1, 2, 3, 50, 1000])
@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_is_told_as_by_vectors(dimensions, seed):
    random = np.random.default_rng(seed)
    lengths = 10.0 ** random.uniform(-2, 2, size=(8, 1))
    points = np.cumsum(random.normal(size=(8, dimensions)) * lengths, axis=0)
    found, expected = paths.measures(distances_of(points)), by_vectors(points)
    assert set(found) == set(expected)
    for name, values in expected.items():
        # An angle of 0 or 180 degrees is known to the root of what rounding leaves.
        slack = 2e-3 if name in ("angle", "towards_last") else 1e-7
        np.testing.assert_allclose(found[name], values, rtol=1e-7, atol=slack, err_msg=name)


def test_a_straight_line_is_straight_to_what_rounding_leaves():
    direction = np.random.default_rng(1).normal(size=100)
    found = paths.measures(distances_of(np.outer([0.0, 1, 2.5, 3, 7], direction)))
    assert np.isnan(found["angle"][0])
    np.testing.assert_allclose(found["angle"][1:], 0, atol=1e-5)
    np.testing.assert_allclose(found["towards_last"], 0, atol=1e-5)
    np.testing.assert_allclose(found["straightness"], 1, rtol=1e-12)
    assert found["straightness"].max() <= 1
    np.testing.assert_allclose(found["along"], np.array([1, 2.5, 3, 7]) / 7, rtol=1e-12)


def test_back_and_forth_turns_about_and_ends_where_it_began():
    found = paths.measures(distances_of(np.array([[0.0], [1], [0]])))
    np.testing.assert_array_equal(found["angle"], [np.nan, 180])
    np.testing.assert_array_equal(found["straightness"], [1, 0])
    assert np.isnan(found["towards_last"]).all(), "no line leads from a point to itself"
    assert np.isnan(found["along"]).all()


def test_beyond_an_end_of_the_line_is_told_as_it_is():
    found = paths.measures(distances_of(np.array([[0.0], [-1], [6], [4]])))
    np.testing.assert_allclose(found["along"], [-0.25, 1.5, 1])
    np.testing.assert_allclose(found["towards_last"], [180, 0, 180])


def test_a_step_of_no_length_has_no_angle_nor_has_the_next():
    found = paths.measures(distances_of(np.array([[0.0, 0], [1, 0], [1, 0], [1, 1], [2, 1]])))
    np.testing.assert_allclose(found["angle"], [np.nan, np.nan, np.nan, 90], equal_nan=True)
    np.testing.assert_allclose(found["l2"], [1, 0, 1, 1])
    assert np.isnan(found["towards_last"][1])
    assert np.isfinite(found["along"]).all()


def test_models_that_are_all_the_same_have_no_straightness():
    found = paths.measures(np.zeros((3, 3)))
    assert found["l2"].tolist() == found["path"].tolist() == [0, 0]
    for name in ("angle", "straightness", "towards_last", "along"):
        assert np.isnan(found[name]).all(), name


def test_a_missing_distance_leaves_empty_what_rests_on_it_alone():
    points = np.random.default_rng(2).normal(size=(5, 3))
    whole = paths.measures(distances_of(points))
    for one, other, gone in (
        (1, 2, {"l2": [1], "angle": [1, 2], "path": [1, 2, 3], "straightness": [1, 2, 3],
                "towards_last": [1], "root_sum_of_squares": [1, 2, 3]}),
        (1, 3, {"angle": [2]}),
        (0, 2, {"angle": [1], "from_first": [1], "straightness": [1], "towards_last": [1, 2],
                "along": [1]}),
    ):  # fmt: skip
        distances = distances_of(points)
        distances[one, other] = distances[other, one] = np.nan
        for name, values in paths.measures(distances).items():
            lost = gone.get(name, [])
            lost = sorted({*lost, *np.flatnonzero(np.isnan(whole[name])).tolist()})
            assert np.flatnonzero(np.isnan(values)).tolist() == lost, (one, other, name)
            kept = np.setdiff1d(np.arange(4), lost)
            np.testing.assert_array_equal(values[kept], whole[name][kept])


def test_distances_of_no_one_space_give_no_angle():
    impossible = np.array([[0.0, 1, 3], [1, 0, 1], [3, 1, 0]])
    found = paths.measures(impossible)
    assert np.isnan(found["angle"]).all()
    assert np.isnan(found["straightness"][1])
    assert np.isnan(paths.turns(*np.array([[3.0], [1], [1]]))).all()


@pytest.mark.parametrize("angle", [1e-3, 1, 60, 90, 120, 179, 179.999])
@pytest.mark.parametrize("ratio", [1, 1e-3, 1e3])
def test_angles_are_those_that_were_drawn(angle, ratio):
    turn = np.radians(angle)
    points = np.array([[0.0, 0], [1, 0], [1 + ratio * np.cos(turn), ratio * np.sin(turn)]])
    assert paths.measures(distances_of(points))["angle"][1] == pytest.approx(angle, abs=1e-4)


def matrix(points: np.ndarray, **further: object) -> Matrix:
    values = distances_of(points)
    ids = tuple(f"m{number}" for number in range(len(points)))
    given = {"identical": (values == 0), "component": "unet"} | further
    return Matrix(ids=ids, labels=ids, values=values, **given)


PUBLISHED = Path(__file__).parents[3].parent / "shared" / "data"
BPMODEL = ("ac", "mk0", "mk3", "mk5", "nman")
# Of each class of layers: the steps, the root of the sum of their squares (published of the
# rounded steps), and the direct distance.
PUBLISHED_PATH = {
    "others": ([96.0301, 51.6394, 20.2971, 22.4227], 113.1510, 113.7759),
    "attn1": ([23.2504, 16.5754, 8.0633, 7.5967], 30.6276, 35.8125),
    "attn2": ([26.0299, 13.6055, 4.6885, 5.7737], 30.2982, 30.5798),
}


def published_l2(one: str, other: str, part: str) -> float:
    """Return the l2 of a class of the UNet's layers, of what was published of each tensor."""
    tensors = json.loads((PUBLISHED / f"pair_bp_{one}_{other}.json").read_text())["kv"]
    classes = {name: next((it for it in ("attn1", "attn2") if it in name), "others")
               for name in tensors if name.startswith("model.diffusion_model.")}  # fmt: skip
    return float(np.sqrt(sum(tensors[name] ** 2 for name, its in classes.items() if its == part)))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published results are not at hand")
@pytest.mark.parametrize("part", PUBLISHED_PATH)
def test_the_published_path_is_told_as_published(part):
    values = np.full((5, 5), np.nan)
    for one, other in ((0, 1), (1, 2), (2, 3), (3, 4), (0, 4)):
        value = published_l2(BPMODEL[one], BPMODEL[other], part)
        values[one, other] = values[other, one] = value
    identical = np.zeros((5, 5), dtype=bool)
    own = Matrix(BPMODEL, BPMODEL, values, identical, part, ambiguous_zeros=True)
    found = paths.table(own)
    steps, root, direct = PUBLISHED_PATH[part]
    np.testing.assert_allclose(found["l2"], steps, atol=5.1e-5)
    assert found["root_sum_of_squares"].iloc[-1] == pytest.approx(root, abs=1e-4)
    assert found["from_first"].iloc[-1] == pytest.approx(direct, abs=5.1e-5)
    assert found["path"].iloc[-1] == pytest.approx(sum(steps), abs=4 * 5.1e-5)
    assert found[["l1", "l1_from_first", "l1_path"]].isna().all(axis=None)


def l1_of(points: np.ndarray) -> np.ndarray:
    return np.array([[np.abs(one - other).sum() for other in points] for one in points])


def test_lengths_in_l1_are_those_of_the_models_on_the_path():
    points = np.random.default_rng(3).normal(size=(5, 20))
    own = matrix(points)
    own.values[2] = own.values[:, 2] = np.nan
    own.identical[2] = own.identical[:, 2] = False
    found = paths.table(own, l1=replace(own, values=l1_of(points)))
    kept = points[[0, 1, 3, 4]]
    steps = np.abs(np.diff(kept, axis=0)).sum(axis=1)
    np.testing.assert_allclose(found["l1"], steps)
    np.testing.assert_allclose(found["l1_path"], [steps[:1].sum(), steps[:2].sum(), steps.sum()])
    np.testing.assert_allclose(found["l1_from_first"], np.abs(kept[1:] - kept[0]).sum(axis=1))


def test_an_l1_that_was_not_measured_leaves_empty_what_rests_on_it():
    points = np.random.default_rng(4).normal(size=(4, 20))
    l1 = matrix(points, measure="l1")
    l1.values[1, 2] = l1.values[2, 1] = np.nan
    found = paths.table(matrix(points), l1=l1)
    assert found["l1"].isna().tolist() == [False, True, False]
    assert found["l1_path"].isna().tolist() == [False, True, True]
    assert found["l1_from_first"].notna().all()
    assert found["path"].notna().all()


POINTS = np.array([[0.0, 0], [3, 0], [3, 4], [0, 4]])


def test_a_model_without_the_component_has_no_place_on_the_path():
    own = matrix(POINTS)
    own.values[1] = own.values[:, 1] = np.nan
    own.identical[1] = own.identical[:, 1] = False
    found = paths.table(own)
    assert found[["from", "to"]].to_numpy().tolist() == [["m0", "m2"], ["m2", "m3"]]
    assert found["step"].tolist() == [1, 2]
    assert found["l2"].tolist() == [5, 3]


def test_a_zero_that_may_mean_never_compared_is_not_known():
    own = matrix(POINTS[[0, 1, 1, 2]], identical=np.zeros((4, 4), dtype=bool))
    assert paths.table(own)["l2"].tolist() == [3, 0, 4]
    told = paths.table(replace(own, ambiguous_zeros=True))
    np.testing.assert_array_equal(told["l2"], [3, np.nan, 4])


def test_coverage_is_the_least_of_what_a_row_rests_on():
    held = np.ones((4, 4))
    held[0, 2] = held[2, 0] = 0.5
    assert paths.table(matrix(POINTS, coverage=held))["coverage"].tolist() == [1, 0.5, 0.5]
    held[0, 3] = held[3, 0] = 0.25
    assert paths.table(matrix(POINTS, coverage=held))["coverage"].tolist() == [0.25] * 3


def test_the_table_of_a_group_has_empty_cells_and_no_other_words(tmp_path):
    folder = tmp_path / "matrices"
    folder.mkdir()
    own = matrix(POINTS[[0, 1, 1, 2]])
    matrices.write(own, folder / "%3Codd%3E.l2.csv")
    matrices.write(replace(own, values=own.values / 2), folder / "%3Codd%3E.relative_l2.csv")
    matrices.write(replace(own, values=own.values * 2), folder / "%3Codd%3E.l1.csv")
    matrices.write(matrix(POINTS[:2]), folder / "vae.l2.csv")
    trace_path(folder=folder, group="g", imported=False, table=tmp_path / "path.csv")
    text = (tmp_path / "path.csv").read_text()
    assert text.splitlines() == [
        ",".join(paths.COLUMNS),
        "<odd>,1,m0,m1,3.0,1.5,,3.0,3.0,3.0,1.0,53.13010235415598,0.36,6.0,6.0,6.0,",
        "<odd>,2,m1,m2,0.0,0.0,,3.0,3.0,3.0,1.0,,0.36,0.0,6.0,6.0,",
        "<odd>,3,m2,m3,4.0,2.0,,5.0,7.0,5.0,0.7142857142857143,36.86989764584401,1.0,8.0,10.0,14.0,",
        "vae,1,m0,m1,3.0,,,3.0,3.0,3.0,1.0,,1.0,,,,",
    ]
    with (tmp_path / "path.csv").open(newline="") as file:
        assert {row["component"] for row in csv.DictReader(file)} == {"<odd>", "vae"}


def test_nothing_to_compare_is_a_table_without_rows(tmp_path):
    (tmp_path / "matrices").mkdir()
    trace_path(folder=tmp_path / "matrices", group="g", imported=False, table=tmp_path / "path.csv")
    assert pd.read_csv(tmp_path / "path.csv").columns.tolist() == paths.COLUMNS
    alone = matrix(POINTS)
    alone.values[:] = np.nan
    alone.identical[:] = False
    assert paths.table(alone).empty
