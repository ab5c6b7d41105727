"""A true claim is not contradicted where the weights were read as another sum that is as true."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fitted_rows
from atlas.claims.claim import Claim, Kind, Parent
from atlas.claims.comparing import Answer
from atlas.lineage import claimed_sums, fitted, said
from atlas.recipes.tables import WHOLE
from fitted_rows import summed

SIZE = 20_000


@pytest.fixture(scope="module")
def points():
    random = np.random.default_rng(3)
    base = random.normal(size=SIZE)
    found = {name: base + 0.1 * random.normal(size=SIZE) for name in "abc"}
    found["x"] = found["a"] + found["b"] - found["c"]
    found["m"] = (0.5 * (found["a"] + found["b"])).astype(np.float16).astype(float)
    return found


def distances(points, path, compared=SIZE):
    names = sorted(points)
    pairs = [(one, other) for one in names for other in names if one < other]
    columns = {
        "a": [one for one, _ in pairs],
        "b": [other for _, other in pairs],
        "l2": [float(np.linalg.norm(points[one] - points[other])) for one, other in pairs],
    }
    fixed = {"component": "unet", "block": WHOLE, "role": WHOLE, "compared_parameters": compared}
    columns |= {name: [value] * len(pairs) for name, value in fixed.items()}
    pq.write_table(pa.table(columns), path)
    return path


def claimed(**weights):
    parents = tuple(Parent(name, weight, model=name) for name, weight in weights.items())
    return {"m": [Claim("webui", Kind.WEIGHTED_SUM, parents=parents)]}


def answered(folder, points, claims, **facts):
    floor = float(np.linalg.norm(points["m"] - 0.5 * (points["a"] + points["b"])))
    given = {"floor": floor, "residual": floor, "parameters": SIZE} | facts
    part = summed("m", "unet", WHOLE, {"x": 0.5, "c": 0.5}, **given)
    fits = fitted.read(fitted_rows.write_fits([part], folder / "fits.parquet"), sorted(points))
    sums = claimed_sums.read(distances(points, folder / "distances.parquet"), claims, fits)
    ((_, judgement),) = said.judged(claims, fits["m"]["unet"].whole, sorted(points), sums)
    return judgement


def test_a_claim_that_explains_the_weights_agrees(tmp_path, points):
    told = answered(tmp_path, points, claimed(a=0.5, b=0.5))
    assert told.answer is Answer.AGREES
    assert told.words == said.EXPLAINS


@pytest.mark.parametrize(
    "weights", [{"a": 0.6, "b": 0.4}, {"a": 0.49, "b": 0.51}, {"a": 1.0}, {"a": 0.5, "b": 0.4}]
)
def test_a_claim_that_does_not_is_contradicted(tmp_path, points, weights):
    assert answered(tmp_path, points, claimed(**weights)).answer is Answer.CONTRADICTED


def test_nothing_is_said_of_parents_that_share_a_part_of_the_weights(tmp_path, points):
    told = answered(tmp_path, points, claimed(a=0.5, b=0.5), parameters=SIZE + 1)
    assert told.answer is Answer.CONTRADICTED


def test_no_table_is_read_where_no_sum_is_claimed(tmp_path, points):
    claims = {"m": [Claim("kohya", Kind.FINE_TUNE, parents=(Parent("a", model="a"),))]}
    part = summed("m", "unet", WHOLE, {"x": 0.5, "c": 0.5})
    fits = fitted.read(fitted_rows.write_fits([part], tmp_path / "fits.parquet"), sorted(points))
    assert claimed_sums.read(tmp_path / "missing.parquet", claims, fits) is claimed_sums.NOTHING
