"""Group and pair tables against a slow obvious computation on concatenated weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import factory
import quantising
from atlas.basis.errors import AtlasError
from atlas.distances.shards import NameRows
from atlas.relations import group_matrices, groups, pairs
from atlas.relations.contents import Contents

PUBLISHED = Path(__file__).parents[3].parent / "shared" / "data"
BASE = factory.weights(seed=1)
MODELS = {
    "a": BASE,
    "b": factory.changed(BASE, 2, "unet/"),
    "c": factory.changed(BASE, 3, "vae/", "unet/conv_in", scale=0.5),
    "d": {name: value.astype(np.float16) for name, value in BASE.items()},
    "e": dict(BASE),
}


def measured(contents: Contents, models: Mapping[str, factory.Weights]) -> Iterator[NameRows]:
    """Measure all pairs of contents plainly, in float64."""
    for row, name in enumerate(contents.tensors["name"]):
        held = {}
        for column, model in enumerate(contents.models):
            content = contents.index[row, column]
            if content >= 0:
                digest = contents.contents["digest"][content]
                held[digest] = models[model][name].astype(np.float64).ravel()
        digests = sorted(held)
        found = [
            (i, j, held[digests[i]], held[digests[j]])
            for i, j in combinations(range(len(digests)), 2)
            if held[digests[i]].shape == held[digests[j]].shape
            and np.isfinite([held[digests[i]], held[digests[j]]]).all()
        ]
        values = [
            [(x != y).sum(), abs(x - y).sum(), np.linalg.norm(x - y), abs(x - y).max(), x @ y]
            for _, _, x, y in found
        ]
        yield NameRows(
            name=name,
            digests=digests,
            first=np.array([i for i, *_ in found], dtype=np.int32),
            second=np.array([j for _, j, *_ in found], dtype=np.int32),
            numel=np.array([len(x) for _, _, x, _ in found], dtype=np.int64),
            measures=np.array(values, dtype=np.float64).reshape(-1, 5).T,
            method=1,
        )


def tidy(contents: Contents, rows: Iterator[NameRows]) -> pd.DataFrame:
    parts = groups.GroupDistances(contents).parts(rows)
    return pa.concat_tables(groups.tables(contents.models, parts)).to_pandas()


def relative_l2(x: np.ndarray, y: np.ndarray) -> float:
    """Return the distance as a share of both sides' norms alike."""
    return float(np.linalg.norm(x - y) / np.sqrt(np.linalg.norm(x) * np.linalg.norm(y)))


@pytest.fixture
def contents(lay_side_by_side) -> Contents:
    return lay_side_by_side(MODELS)


@pytest.fixture
def frame(contents) -> pd.DataFrame:
    return tidy(contents, measured(contents, MODELS))


def test_totals_are_the_measures_of_the_concatenated_weights(frame):
    totals = groups.total_rows(frame).set_index(["a", "b", "component"])
    for a, b in combinations(sorted(MODELS), 2):
        for component in ("unet", "vae", "text_encoder", "all"):
            names = [n for n in BASE if component == "all" or n.startswith(component + "/")]
            x, y = (
                np.concatenate([MODELS[m][n].astype(np.float64).ravel() for n in names])
                for m in (a, b)
            )
            row = totals.loc[(a, b, component)]
            expected = {
                "l0": (x != y).sum(),
                "l1": abs(x - y).sum(),
                "l2": np.linalg.norm(x - y),
                "linf": abs(x - y).max(),
                "dot": x @ y,
                "cosine": x @ y / np.linalg.norm(x) / np.linalg.norm(y),
                "relative_l2": relative_l2(x, y),
                "rms": np.sqrt(np.mean((x - y) ** 2)),
                "changed_fraction": np.mean(x != y),
            }
            for measure, value in expected.items():
                assert row[measure] == pytest.approx(value, rel=1e-9, abs=1e-12), (a, b, measure)
            assert row["tensors"] == row["compared_tensors"] == len(names)
            assert row["parameters"] == row["compared_parameters"] == len(x)


def test_parts_add_up_to_their_totals(frame):
    for _, rows in frame[frame["component"] != "all"].groupby(["a", "b", "component"]):
        block, role = rows["block"] == "*", rows["role"] == "*"
        whole = rows[block & role].iloc[0]
        for part in (rows[~block & ~role], rows[~block & role], rows[block & ~role]):
            assert part["tensors"].sum() == whole["tensors"]
            assert part["l1"].sum() == pytest.approx(whole["l1"])
            assert (part["l2"] ** 2).sum() == pytest.approx(whole["l2"] ** 2)
            assert part["linf"].max() == whole["linf"]


def test_statuses_are_counted(frame):
    totals = groups.total_rows(frame).set_index(["a", "b", "component"])
    assert totals.loc[("a", "d", "unet"), "cast_tensors"] == 6
    assert totals.loc[("a", "e", "unet"), "identical_tensors"] == 6
    assert totals.loc[("a", "b", "unet"), "different_tensors"] == 6
    assert totals.loc[("a", "e", "all"), "l2"] == 0
    assert totals.loc[("a", "d", "all"), "l2"] > 0


def test_what_was_not_compared_is_null_and_never_zero(lay_side_by_side):
    models = {
        "a": BASE,
        "b": {n: v for n, v in BASE.items() if not n.startswith("vae/")},
        "c": {n: np.full_like(v, np.inf) for n, v in BASE.items()},
        "d": {n: v.ravel()[:2] for n, v in BASE.items()},
    }
    contents = lay_side_by_side(models)
    totals = groups.total_rows(tidy(contents, measured(contents, models)))
    rows = totals.set_index(["a", "b", "component"])
    for key in [("a", "b", "vae"), ("a", "c", "unet"), ("a", "d", "unet"), ("c", "d", "all")]:
        assert rows.loc[key, "compared_tensors"] == 0
        assert rows.loc[key, ["l0", "l1", "l2", "linf", "dot", "cosine"]].isna().all(), key
    assert rows.loc[("a", "c", "unet"), "nonfinite_tensors"] == 6
    assert rows.loc[("a", "d", "unet"), "shape_tensors"] == 6
    assert rows.loc[("a", "b", "vae"), "only_a_tensors"] == 3

    matrix = group_matrices.matrix(totals, list(models), component="vae", measure="l2")
    assert np.isnan(matrix.values[1]).all(), "b has no VAE: not even on its diagonal is a number"
    assert matrix.values[0, 0] == 0
    assert not matrix.identical[1].any()
    whole = group_matrices.matrix(totals, list(models), component="all", measure="l2")
    assert np.isnan(whole.values[0, 1]), "all that could be compared is equal, but not all could"
    cover = group_matrices.matrix(totals, list(models), component="all", measure="coverage")
    assert 0 < cover.values[0, 1] < 1


def test_training_copies_do_not_count_into_the_whole(lay_side_by_side):
    copies = {n.replace("unet/", "ema/"): v for n, v in BASE.items() if n.startswith("unet/")}
    models = {"a": BASE | copies, "b": factory.changed(BASE, 4) | copies}
    contents = lay_side_by_side(models)
    totals = groups.total_rows(tidy(contents, measured(contents, models)))
    rows = totals.set_index("component")
    assert rows.loc["all", "tensors"] == len(BASE)
    assert rows.loc["ema", "identical_tensors"] == 6


def test_norms_are_those_of_the_tensors_that_were_compared(lay_side_by_side):
    tuned = factory.changed(BASE, 5, "unet/")
    models = {"a": BASE, "b": {n: v for n, v in tuned.items() if n != "unet/conv_in.weight"}}
    contents = lay_side_by_side(models)
    totals = groups.total_rows(tidy(contents, measured(contents, models)))
    (row,) = totals[totals["component"] == "unet"].to_dict("records")
    names = [name for name in models["b"] if name.startswith("unet/")]
    x, y = (np.concatenate([models[m][n].ravel() for n in names], dtype=float) for m in "ab")
    assert row["relative_l2"] == pytest.approx(relative_l2(x, y))
    assert row["cosine"] == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    assert row["compared_parameters"] == len(x) == row["parameters"] - 72


def test_renaming_the_models_changes_no_number(lay_side_by_side):
    """Whichever of two comes first in the alphabet: also where shapes and components differ."""
    other_shape = MODELS["c"] | {"unet/conv_in.weight": np.ones((2, 3), np.float32)}
    lacking = {name: value for name, value in MODELS["b"].items() if "decoder" not in name}
    models = {"a": BASE, "b": lacking, "c": other_shape, "d": MODELS["d"]}
    renamed = dict(zip("zyxw", models.values(), strict=True))
    found = []
    for named in (models, renamed):
        contents = lay_side_by_side(named)
        found.append(tidy(contents, measured(contents, named)))
    back = dict(zip("zyxw", models, strict=True))
    ends = found[1][["a", "b"]].astype(object).replace(back)
    swapped = found[1].assign(
        a=ends.min(axis=1),
        b=ends.max(axis=1),
        only_a_tensors=found[1]["only_b_tensors"],
        only_b_tensors=found[1]["only_a_tensors"],
    )
    key = ["a", "b", "component", "block", "role"]
    one, other = (
        table.astype({"a": object, "b": object}).sort_values(key, ignore_index=True)
        for table in (found[0], swapped)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_contents_of_models_outside_the_group_are_passed_over(lay_side_by_side):
    fewer = {model: MODELS[model] for model in "ab"}
    more = fewer | {f"outside {seed}": factory.weights(seed) for seed in (7, 8, 9)}
    rows = list(measured(lay_side_by_side(more), more))
    contents = lay_side_by_side(fewer)
    expected = tidy(contents, measured(contents, fewer))
    pd.testing.assert_frame_equal(tidy(contents, iter(rows)), expected)


def test_one_component_has_no_total_over_components(lay_side_by_side):
    unet = {name: value for name, value in BASE.items() if name.startswith("unet/")}
    copies = {name.replace("unet/", "ema/"): value for name, value in unet.items()}
    contents = lay_side_by_side({"a": unet | copies, "b": unet})
    assert set(tidy(contents, iter([]))["component"]) == {"ema", "unet"}


def test_shards_that_lack_a_pair_are_refused(contents):
    rows = [row for row in measured(contents, MODELS) if "conv_in.bias" not in row.name]
    with pytest.raises(AtlasError, match=r"conv_in\.bias: .*run the target `distances`"):
        tidy(contents, iter(rows))


def test_a_pair_is_told_tensor_by_tensor(lay_side_by_side):
    models = {"a": BASE, "b": MODELS["b"] | {"vae/extra": np.ones(3, np.float32)}}
    contents = lay_side_by_side(models)
    table = pairs.table(contents, measured(contents, models)).to_pandas().set_index("name")
    status = table["status"]
    assert (status[status.index.str.startswith("unet/")] == "different").all()
    assert status["vae/extra"] == "only_b"
    assert np.isnan(table.loc["vae/extra", "l2"])
    assert table.loc["vae/decoder.conv_in.bias", "l2"] == 0
    name = "unet/conv_in.weight"
    x, y = (models[m][name].astype(np.float64) for m in "ab")
    assert table.loc[name, "l2"] == pytest.approx(np.linalg.norm(x - y))
    assert table.loc[name, "relative_l2"] == pytest.approx(relative_l2(x, y))
    assert table.loc[name, "key_a"] == "conv_in.weight"


# Per-tensor distances as published, against the published sums per class of layer.
PATH = {
    "ac_mk0": (96.0301, 23.2504, 26.0299),
    "mk0_mk3": (51.6394, 16.5754, 13.6055),
    "mk3_mk5": (20.2971, 8.0633, 4.6885),
    "mk5_nman": (22.4227, 7.5967, 5.7737),
    "ac_nman": (113.7759, 35.8125, 30.5798),
}
NOTEBOOK_CLASSES = {
    "others": lambda name: "attn1" not in name and "attn2" not in name,
    "attn1": lambda name: "attn1" in name,
    "attn2": lambda name: "attn2" in name,
}


def published_pair(pair: str) -> dict[str, float]:
    content = json.loads((PUBLISHED / f"pair_bp_{pair}.json").read_text())
    return {
        key: float(value)
        for key, value in content["kv"].items()
        if key.startswith("model.diffusion_model.")
    }


def add_up(distances: Mapping[str, float]) -> float:
    """Aggregate per-tensor l2 as the group tables do."""
    total = groups.Sums.zero(1)
    for value in distances.values():
        part = groups.Sums.zero(1)
        part.sums[2] = value**2
        total += part
    return float(np.sqrt(total.sums[2, 0]))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published results are not at hand")
@pytest.mark.parametrize("pair", PATH)
def test_published_sums_per_class_are_reproduced(pair):
    tensors = published_pair(pair)
    found = [
        add_up({name: value for name, value in tensors.items() if belongs(name)})
        for belongs in NOTEBOOK_CLASSES.values()
    ]
    assert found == pytest.approx(PATH[pair], abs=5.1e-5)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published results are not at hand")
def test_published_component_distances_are_reproduced():
    content = json.loads((PUBLISHED / "pair_nai_sd144g_nai4g.json").read_text())["kv"]
    unet = {k: v for k, v in content.items() if k.startswith("model.diffusion_model.")}
    assert add_up(unet) == pytest.approx(135.5002, abs=5.1e-5)
    content = json.loads((PUBLISHED / "pair_sd1_sd12_sd14.json").read_text())["kv"]
    unet = {k: v for k, v in content.items() if k.startswith("model.diffusion_model.")}
    assert add_up(unet) == pytest.approx(278.0680, abs=5.1e-5)


def test_codes_leave_cells_empty_whatever_stands_beside_them(lay_side_by_side):
    """The rest of b and c is equal bit for bit: neither their UNets nor their wholes are."""
    parts = {name: value for name, value in BASE.items() if name.startswith("unet/")}
    rest = {name: value for name, value in BASE.items() if name not in parts}
    codes = {
        model: rest | quantising.quantised(parts, "DFloat11", n) for n, model in enumerate("bc")
    }
    held = lay_side_by_side({"a": BASE} | codes)
    found = groups.tables(held.models, groups.GroupDistances(held).parts([]))
    frame = pa.concat_tables(found).to_pandas()

    def square(component: str, measure: str) -> list[list[float]]:
        matrix = group_matrices.matrix(frame, held.models, component=component, measure=measure)
        return matrix.values.tolist()

    nan = np.nan
    empty = [[0, nan, nan], [nan, nan, nan], [nan, nan, nan]]
    np.testing.assert_array_equal(square("unet", "l2"), empty)
    np.testing.assert_array_equal(square("unet", "coverage"), [[1, 0, 0], [0, nan, 0], [0, 0, nan]])
    np.testing.assert_array_equal(square("vae", "l2"), np.zeros((3, 3)))
    apart = ~np.eye(3, dtype=bool)
    assert np.isnan(np.array(square("all", "l2"))[apart]).all()
    assert (np.array(square("all", "coverage"))[apart] < 1).all()
    table = pairs.table(lay_side_by_side(codes), []).to_pandas().set_index("name")
    assert table.loc["unet/refused", "status"] == "refused"
    assert np.isnan(table.loc["unet/refused", "l2"])
