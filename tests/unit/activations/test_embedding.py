"""Points, neighbours and figures of a small dataset, held to obvious ways to make them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import pocket_probe
from atlas.activations import alignment_picture, findings, map_picture, viewing
from atlas.activations.alikeness import Bounds, similarity, weights_apart
from atlas.activations.collection import collected
from atlas.activations.datasets import Real
from atlas.activations.embedding import condition_columns, embedded, for_other_viewers
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source
from pocket_chunks import made

DATASET = pocket_probe.dataset(samples=45, chunk=32, batch=16, images="thumbnail")


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """Two networks that saw the same samples, and nine real images."""
    folder = tmp_path_factory.mktemp("pockets")
    pocket_probe.noise_images(folder / "real", 9)
    dataset = dataclasses.replace(DATASET, real=Real(folder / "real", 9))
    places = [
        place
        for model in ("pocket", "other")
        for place in made(folder / model, dataset, model=model)
    ]
    return collected(places)


@pytest.fixture(scope="module")
def embedding(collection):
    return embedded(
        collection,
        of="mean",
        components=8,
        neighbours=5,
        umap=DATASET.umap,
        memory_bytes=64_000_000,
    )


def test_there_is_a_point_for_each_sample_layer_model_and_time(embedding):
    points = embedding.points
    assert len(points) == 2 * 2 * 2 * (45 + 9)
    assert not points.duplicated(["id", "layer", "timestep"]).any()
    assert condition_columns(points) == ["label"]
    assert list(points["label"][:4]) == [0, 1, 2, 0]
    assert points["label"].isna().sum() == 8 * 9


def test_neighbours_are_the_nearest_in_activation_space(collection, embedding):
    rows = collection.rows("other", "second", 0.5, "mean")[0:100]
    ids = collection.samples("other")["id"].to_pylist()
    apart = cdist(rows.astype(np.float64), rows.astype(np.float64))
    np.fill_diagonal(apart, np.inf)
    near = embedding.neighbours.to_pandas()
    near = near[
        (near["model"] == "other") & (near["layer"] == "second") & (near["timestep"] == 0.5)
    ]
    for row, name in enumerate(ids):
        expected = [ids[place] for place in np.argsort(apart[row], kind="stable")[:5]]
        found = near[near["id"] == name].sort_values("rank")
        assert list(found["neighbour"]) == expected
        np.testing.assert_allclose(found["distance"], np.sort(apart[row])[:5], rtol=1e-5)


def test_a_table_for_other_viewers_names_neighbours_by_row(embedding):
    table = for_other_viewers(embedding).to_pandas()
    near = embedding.neighbours.to_pandas()
    for row in (0, 100, 431):
        point = table.iloc[row]
        same = (near["model"] == point["model"]) & (near["layer"] == point["layer"])
        of = near[same & (near["timestep"] == point["timestep"]) & (near["id"] == point["id"])]
        to = table.iloc[point["neighbors"]["ids"]]
        assert list(to["id"]) == list(of["neighbour"])
        assert set(to["layer"]) == {point["layer"]}
        assert list(point["neighbors"]["distances"]) == list(of["distance"])


def test_embedding_again_gives_the_same_points(collection, embedding):
    again = embedded(
        collection,
        of="mean",
        components=8,
        neighbours=5,
        umap=DATASET.umap,
        memory_bytes=64_000_000,
    )
    pd.testing.assert_frame_equal(again.points, embedding.points, check_exact=True)
    assert again.neighbours.equals(embedding.neighbours)


class BrokenProbe(pocket_probe.PocketProbe):
    """Sees NaN in the samples of some numbers."""

    broken = (3,)

    def draw(self, batch, kept):
        noise = type(batch).noise

        def poisoned(batch, shape, purpose="noise"):
            values = noise(batch, shape, purpose)
            values[[index in self.broken for index in batch.indices]] = float("nan")
            return values

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(batch), "noise", poisoned)
            return super().draw(batch, kept)


def test_samples_that_are_not_finite_are_left_out_of_all_maps_and_that_is_said(tmp_path, caplog):
    dataset = pocket_probe.dataset(samples=16, chunk=8)
    broken = BrokenProbe(Source("b", tmp_path), {})
    places = made(tmp_path / "a", dataset) + made(tmp_path / "b", dataset, model="b", probe=broken)
    found = collected(places)
    settings = {"of": "mean", "components": 4, "neighbours": 3, "umap": DATASET.umap}
    made_of = embedded(found, memory_bytes=10**8, **settings)
    assert "1 of 16 samples hold NaN or infinite values" in caplog.text
    counted = made_of.points.groupby(["model", "layer", "timestep"])["sample"]
    assert all(set(kept) == set(range(16)) - {3} for _, kept in counted)
    near = made_of.neighbours.to_pandas()
    assert not {"pocket/000003", "b/000003"} & (set(near["id"]) | set(near["neighbour"]))


def test_where_no_sample_is_finite_there_is_a_message(tmp_path):
    probe = BrokenProbe(Source("b", tmp_path), {})
    probe.broken = range(8)
    found = collected(made(tmp_path, pocket_probe.dataset(samples=8, chunk=8), probe=probe))
    with pytest.raises(AtlasError, match="all 8 samples hold NaN or infinite values"):
        embedded(
            found, of="mean", components=4, neighbours=3, umap=DATASET.umap, memory_bytes=10**8
        )


def test_sentences_tell_the_figures_of_each_slice(embedding):
    said = list(findings.sentences("pockets", embedding.quality))
    assert len(said) == 8
    assert said[0].startswith("pockets · pocket · first at 2: ")
    assert "% of neighbours have the same label (chance 3" in said[0]
    assert "trustworthiness of the map 0." in said[0]
    assert "have the same label" in findings.claim("pockets", embedding.quality)


def numeric(points):
    """Return quality of one slice in which the second component goes with a number."""
    rows = [
        {"measure": "trustworthiness", "of": "map", "value": 0.9, "chance": 0.5, "spread": np.nan},
        {"measure": "pearson", "of": "PC1: height", "value": -0.95, "chance": 0, "spread": 0.1},
        {"measure": "pearson", "of": "PC1: width", "value": 0.2, "chance": 0, "spread": 0.1},
    ]
    return pd.DataFrame(
        [{"model": "m", "layer": "l", "timestep": 1.0, "note": ""} | r for r in rows]
    )


def test_the_number_that_the_first_component_goes_with_is_told_whatever_its_sign(embedding):
    quality = numeric(embedding.points)
    assert "|r| of PC1 with height 0.950 (chance ±0.10)" in next(findings.sentences("d", quality))
    assert findings.claim("d", quality) == "d: the first component goes with height, |r| 0.950"


def test_a_viewer_gets_all_points_once_and_neighbours_by_row(collection, embedding):
    maps = embedding.points
    points = viewing.points_of(maps)
    assert len(points) == 2 * (45 + 9)
    assert list(points.columns) == ["id", "model", "kind", "label"]
    assert (viewing.kinds_of(maps) == "real").sum() == 18
    views = list(viewing.views_of(maps, embedding.neighbours, embedding.quality))
    assert [(view.layer, view.timestep) for view in views] == [
        ("first", 2.0), ("first", 0.5), ("second", 2.0), ("second", 0.5)
    ]  # fmt: skip
    view = views[3]
    at = maps[(maps["layer"] == "second") & (maps["timestep"] == 0.5)]
    assert list(points["id"].iloc[view.rows]) == list(at["id"])
    near = embedding.neighbours.to_pandas()
    near = near[(near["layer"] == "second") & (near["timestep"] == 0.5)]
    for row in (0, 60, 107):
        of = near[near["id"] == at["id"].iloc[row]].sort_values("rank")
        assert list(points["id"].iloc[view.neighbours[row]]) == list(of["neighbour"])
        np.testing.assert_array_equal(view.distances[row], of["distance"].to_numpy(np.float32))
    assert "other: trustworthiness" in view.note


def test_similarity_of_a_network_with_itself_is_one(collection, tmp_path):
    sources = {name: Source(name, tmp_path) for name in collection.models}
    alone = dict.fromkeys(collection.models, "network")

    class NoTensors(Source):
        def tensors(self, component):
            return {}

    sources = {name: NoTensors(name, tmp_path) for name in collection.models}
    found = similarity(collection, sources, alone, of="maps", k=5, bounds=Bounds(64_000_000))
    assert len(found) == 2 * 4
    assert found["weights"].isna().all()
    assert (found["samples"] == 54).all()
    assert found["cka"].between(-0.1, 1).all()
    own = found[found["layer_a"] == found["layer_b"]]
    assert (own["cka"] > 5 * own["cka_null_spread"]).all()
    np.testing.assert_allclose(found["mutual_null"], 5 / 53)


def test_networks_that_saw_other_samples_are_not_compared(tmp_path):
    class Relabelled(pocket_probe.PocketProbe):
        def conditions(self, seed, indices):
            return {"label": [7 for _ in indices]}

    dataset = pocket_probe.dataset(samples=8, chunk=8)
    first = made(tmp_path / "a", dataset)
    other = Relabelled(Source("b", tmp_path), {})
    found = collected([*first, *made(tmp_path / "b", dataset, model="b", probe=other)])
    with pytest.raises(AtlasError, match="have not seen the same samples: their label differ"):
        similarity(found, {}, {}, of="mean", k=3, bounds=Bounds(64_000_000))


def test_distances_of_weights_are_those_of_the_modules_own(tmp_path):
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    sides = []
    for number in range(2):
        weights = {
            name: rng.normal(size=(4, 3)).astype(np.float32)
            for name in ("unet.mid_block.a.weight", "unet.mid_block.b.weight", "unet.mid_blocks.c")
        }
        save_file(weights, tmp_path / f"{number}.safetensors")
        sides.append(weights)
    sources = [Source(str(n), tmp_path / f"{n}.safetensors", "generic") for n in range(2)]
    component = sources[0].checkpoint.tensors[0].component
    inside = "unet.mid_block."
    both = [
        np.concatenate([side[name].ravel() for name in side if name.startswith(inside)])
        for side in sides
    ]
    rms = np.sqrt((np.linalg.norm(both[0]) ** 2 + np.linalg.norm(both[1]) ** 2) / 2)
    found = weights_apart(*sources, (component, component), inside)
    assert found == pytest.approx(np.linalg.norm(both[0] - both[1]) / rms, rel=1e-6)
    assert weights_apart(*sources, (component, component), "nothing.") is None


def test_pictures_name_every_panel_and_scale(collection, embedding):
    figure = map_picture.draw(embedding.points, title="t", subtitle="s", column="label", remarks={})
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"pocket · first · at 2", "other · second · at 0.5", "real image", "2"} <= texts
    assert len(figure.axes) == 1 + 8
    square = pd.DataFrame(
        [
            {
                "layer_a": a, "layer_b": b, "timestep": 80.0, "samples": 60, "of": "mean",
                "cka": 0.9 if a == b else 0.3, "cka_null_spread": 0.02,
                "weights": 0.1 if a == b else None,
            }
            for a in ("down.0", "mid")
            for b in ("down.0", "mid")
        ]
    )  # fmt: skip
    figure = alignment_picture.draw(square, a="x", b="y", time_name="sigma")
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"0.90", "0.30"} <= texts
    assert any("0 ± 0.02" in text for text in texts)
