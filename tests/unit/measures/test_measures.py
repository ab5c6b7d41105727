"""The registry of measures: kernels, tables, settings and docs follow from its definitions."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml

import measured
from atlas.basis.errors import AtlasError
from atlas.distances import shards
from atlas.distances.cuda import TorchKernel
from atlas.measures import DERIVED, DRAWABLE, MEASURED, PLACE, SHOWN, derive, of_equal
from atlas.relations import groups, pairs
from atlas.roster import settings

REPOSITORY = Path(__file__).parents[3]
DRAWS = np.random.default_rng(5)
CONTENTS = [DRAWS.standard_normal(70_000).astype(np.float16) for _ in range(3)]


def by_definition(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the measured measures as their terms say, in float64."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    rows = []
    for each in MEASURED:
        terms = each.term(x, y, x - y)
        combined = terms.max() if each.combine == "maximum" else terms.sum()
        rows.append(np.sqrt(combined) if each.is_root else combined)
    return np.array(rows, np.float64)


@pytest.mark.parametrize("scale", [1.0, 2.0**-70])
@pytest.mark.parametrize("kernel", [None, TorchKernel("cpu")], ids=["compiled", "torch"])
def test_the_kernels_measure_what_the_definitions_say(tmp_path, kernel, scale):
    # so small differences take the kernel's exact way, which is traced apart
    contents = [content.astype(np.float32) * np.float32(scale) for content in CONTENTS]
    found = measured.measure(tmp_path, contents, kernel=kernel)
    for i, j in combinations(range(len(contents)), 2):
        expected = by_definition(contents[i], contents[j])
        np.testing.assert_allclose(found[i, j], expected, rtol=3e-6, atol=1e-6 * scale**2)


def test_equal_tensors_have_what_the_kernel_would_measure(tmp_path):
    values = CONTENTS[0].astype(np.float64)
    norm = np.array([np.linalg.norm(values)])
    np.testing.assert_allclose(of_equal(norm)[:, 0], by_definition(values, values), rtol=1e-12)


def test_schemas_have_a_column_for_each_measure():
    measured_names = [each.name for each in MEASURED]
    assert [name for name in shards.SCHEMA.names if name in PLACE] == measured_names
    assert [n for n in pairs.SCHEMA.names if n in SHOWN] == list(SHOWN)
    names = [each.name for each in (*MEASURED, *DERIVED)]
    assert groups.SCHEMA.names[-len(names) :] == names


def derived(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Return the derived measures of two arrays, by way of the measured ones and the norms."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    measures = dict(zip(PLACE, by_definition(a, b)[:, None], strict=True))
    norm_a, norm_b = (np.array([np.linalg.norm(side)]) for side in (a, b))
    found = derive(measures, norm_a=norm_a, norm_b=norm_b, parameters=np.array([a.size]))
    return {name: float(values[0]) for name, values in found.items()}


def test_every_measure_is_the_same_from_either_side():
    a, b = CONTENTS[0].astype(np.float64), 3 * CONTENTS[1].astype(np.float64)
    assert derived(a, b) == derived(b, a)
    assert by_definition(a, b).tolist() == by_definition(b, a).tolist()


def test_relative_measures_are_what_their_units_say():
    a, b = CONTENTS[0].astype(np.float64), 3 * CONTENTS[1].astype(np.float64)
    found = derived(a, b)
    of_both = np.sqrt(np.mean(np.concatenate([a, b]) ** 2))
    assert found["relative_rms"] == pytest.approx(np.sqrt(np.mean((a - b) ** 2)) / of_both)
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    assert found["relative_l2"] == pytest.approx(np.linalg.norm(a - b) / np.sqrt(norms))


@pytest.mark.parametrize("step", [1e-7, 1e-5, 1e-3, 1.0])
def test_the_cosine_of_close_models_keeps_its_digits(step):
    """1 − cosine of neighbours is far below what the sum of their products could tell."""
    a = CONTENTS[0].astype(np.longdouble)
    b = a + step * CONTENTS[1].astype(np.longdouble)
    expected = 1 - (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
    found = 1 - derived(a, b)["cosine"]
    assert found == pytest.approx(float(expected), rel=1e-3, abs=4e-16)


def test_what_was_not_compared_has_no_derived_measure():
    nothing = {name: np.zeros(2) for name in PLACE}
    found = derive(nothing, norm_a=np.zeros(2), norm_b=np.zeros(2), parameters=np.array([0, 9]))
    assert all(np.isnan(values[0]) for values in found.values())
    assert np.isnan(found["relative_rms"][1])
    assert found["changed_fraction"][1] == 0


@pytest.fixture
def config() -> dict:
    return yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())


def test_the_settings_take_every_measure_that_is_shown(config):
    settings.check(config | {"groups": {"matrices": list(SHOWN)}})
    for name in DRAWABLE:
        settings.check(
            config | {"groups": {"matrices": [name]}, "plots": config["plots"] | {"measure": name}}
        )


@pytest.mark.parametrize("name", ["dot", "cosine"])
def test_the_settings_refuse_to_draw_what_is_no_distance(config, name):
    with pytest.raises(AtlasError, match="expected one of l0, l1, l2"):
        settings.check(config | {"plots": {"measure": name}})


@pytest.mark.parametrize("page", ["config/config.yaml", "docs/tables.md"])
def test_every_measure_is_explained(page):
    text = (REPOSITORY / page).read_text()
    assert [name for name in SHOWN if name not in text] == []
