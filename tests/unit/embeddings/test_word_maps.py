"""Spaces and maps of words: who is compared with whom, and one projection for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atlas.basis.errors import AtlasError
from atlas.embeddings import drift, findings, spaces, viewing, word_maps, word_store
from atlas.embeddings.encoders import Encoder, Problem
from atlas.embeddings.similarities import similarities
from atlas.embeddings.spaces import Holder, Space
from atlas.embeddings.word_lists import ALONE, UPPER, Row
from atlas.embeddings.word_store import Encoded, Shards

ROWS = [
    Row(word, category, variant, word if variant == ALONE else word.upper())
    for word, category in (("cat", "animals"), ("dog", "animals"), ("red", "colours"))
    for variant in (ALONE, UPPER)
]
ENCODER = Encoder(
    "a", "text_encoder", "", "clip", "CLIPTextModel", {}, 5, 1, 9, 9, "", "", True
)  # fmt: skip


def vectors(seed: int, width: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((len(ROWS), width)).astype(np.float32)


def shards(folder: Path, held: dict[str, np.ndarray], contents: dict[str, str]) -> Shards:
    """Return a shard of contents, and which model's component has which."""

    def encode(content: str):
        made = held[content]
        texts = [row.text for row in ROWS]
        yield Encoded(content, "pooled", texts, [False] * 6, made, similarities(made))
        yield Encoded(content, "flattened", texts, [False] * 6, None, similarities(made))

    word_store.update(
        folder / "0.parquet", list(held), encode=encode, state={}, notes={"held": contents}
    )
    return Shards([folder / "0.parquet"])


def test_a_space_begins_with_the_base_and_joins_equals(tmp_path):
    store = shards(
        tmp_path,
        {"x": vectors(0), "y": vectors(1)},
        {"a text_encoder": "x", "b text_encoder": "y", "c text_encoder": "y"},
    )
    models = [replace(ENCODER, model=name) for name in "abc"]
    (found,) = spaces.spaces(models, store, models=["a", "b", "c"], base="b")
    assert [(each.content, each.models) for each in found.holders] == [
        ("y", ("b", "c")), ("x", ("a",)),
    ]  # fmt: skip
    assert found.form == "pooled"  # vectors of the other form are not kept
    (other,) = spaces.spaces(models, store, models=["a", "c"], base="b")
    assert other.base.model == "a"  # the base is not of the group: its first model is


def test_each_width_has_its_own_space(tmp_path):
    store = shards(
        tmp_path,
        {"x": vectors(0), "y": vectors(1, 7)},
        {"a text_encoder": "x", "b text_encoder": "y"},
    )
    models = [ENCODER, replace(ENCODER, model="b", width=7)]
    found = list(spaces.spaces(models, store, models=["a", "b"], base=None))
    assert [each.component for each in found] == [
        "text_encoder (clip, 5)",
        "text_encoder (clip, 7)",
    ]


def test_what_could_not_be_encoded_is_told(tmp_path):
    def encode(content: str):
        raise AtlasError("broken weights")

    notes = {"held": {"a text_encoder": "x"}, "untold": {"b text_encoder": "no tokens"}}
    word_store.update(tmp_path / "0.parquet", ["x"], encode=encode, state={}, notes=notes)
    contents, problems = spaces.told(Shards([tmp_path / "0.parquet"]))
    assert not contents
    assert problems == {("a", "text_encoder"): "broken weights", ("b", "text_encoder"): "no tokens"}


def space(*points: np.ndarray) -> Space:
    holders = tuple(Holder(str(at), (f"m{at}",)) for at in range(len(points)))
    return Space("text_encoder", "pooled", holders, points)


def test_pca_is_one_for_all_and_aligned_beside_raw():
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((5, 5)))[0]
    base = vectors(0)
    raw, aligned = word_maps.maps(space(base, (base @ turn).astype(np.float32)), "pca")
    assert (raw.alignment, aligned.alignment) == ("raw", "aligned")
    assert np.abs(raw.points[0] - raw.points[1]).max() > 0.3
    np.testing.assert_allclose(aligned.points[0], aligned.points[1], atol=1e-4)
    assert ((raw.points[0] * aligned.points[0]).sum(axis=0) > 0).all()  # the same way round
    both = np.vstack([base, base @ turn])
    values = np.linalg.svd(both - both.mean(axis=0), compute_uv=False) ** 2
    np.testing.assert_allclose(raw.explained, values[:2] / values.sum(), rtol=1e-5)


@pytest.mark.parametrize("projection", ["umap", "tsne"])
def test_other_projections_lay_all_points_out(projection):
    points = [np.tile(vectors(seed), (3, 1)) for seed in (0, 1)]
    for laid in word_maps.maps(space(*points), projection):
        assert laid.explained is None
        assert [each.shape for each in laid.points] == [(18, 2)] * 2
        assert np.isfinite(np.concatenate(laid.points)).all()


def tables(found: Space) -> tuple[pd.DataFrame, pd.DataFrame]:
    summary = pd.DataFrame(drift.summary_rows(found, ROWS))
    return summary, drift.drift_table(found, ROWS)


def test_findings_tell_copies_moves_and_who_is_left_out():
    moved = vectors(0)
    moved[2:4] += 1  # dog
    found = Space(
        "text_encoder",
        "pooled",
        (Holder("0", ("base", "copy")), Holder("1", ("tuned",))),
        (vectors(0), moved),
    )
    summary, moves = tables(found)
    problem = Problem("vae", "", "has no text encoder: it has vae")
    lines = list(findings.sentences("g · l", summary, moves, {"tuned": "a, b"}, [problem]))
    assert lines[0] == "g · l · text encoder (pooled): copy as base, bit for bit"
    assert lines[1].startswith("g · l · text encoder (pooled): a, b moved words by 0.")
    assert lines[1].split("most ")[1] == "dog"
    assert lines[2] == "g · l: vae is left out: has no text encoder: it has vae"
    assert findings.claim(summary, moves, "text_encoder", "pooled", {}) == (
        "tuned moved words most from base: dog"
    )


def test_a_turn_is_told_of_only_beyond_chance():
    base = np.tile(vectors(0, 3), (4, 1)) + np.random.default_rng(4).standard_normal((24, 3))
    base = base.astype(np.float32)
    rows = [Row(str(at), "", ALONE, str(at)) for at in range(24)]
    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((3, 3)))[0]
    noise = np.random.default_rng(5).standard_normal(base.shape)
    for other, said in ((base @ turn, True), (base + noise, False)):
        found = space(base, other.astype(np.float32))
        summary = pd.DataFrame(drift.summary_rows(found, rows))
        (line,) = findings.sentences("g", summary, drift.drift_table(found, rows), {}, [])
        assert ("a turn and a shift of all words leave" in line) == said


def test_the_viewer_shows_each_encoder_once_with_its_own_neighbours():
    found = space(vectors(0), vectors(1))
    parts = []
    for laid in word_maps.maps(found, "pca"):
        for holder, points in zip(found.holders, laid.points, strict=True):
            frame = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "model": holder.model})
            frame["alignment"] = laid.alignment
            frame[["explained_x", "explained_y"]] = laid.explained
            parts.append(frame.assign(component="text_encoder", form="pooled"))
    _, moves = tables(found)
    seen = viewing.shown([found], ROWS, {"pca": pd.concat(parts)}, moves, {"m0": "the base"})
    assert seen.points["id"].is_unique
    assert list(seen.points["model"].unique()) == ["the base", "m1"]
    assert seen.origins.tolist() == [-1] * 6 + list(range(6))
    raw, aligned = seen.views
    assert (raw.alignment, aligned.alignment) == ("raw", "aligned")
    cosine = similarities(vectors(1)).cosine
    np.fill_diagonal(cosine, -2)
    for row in range(6):
        assert raw.neighbours[6 + row, 0] == 6 + cosine[row].argmax()
        assert raw.distances[6 + row, 0] == pytest.approx(1 - cosine[row].max(), abs=1e-5)
    known = moves.set_index("text")["cosine_distance"]
    assert seen.points["moved"].tolist()[6:] == [known[row.text] for row in ROWS]
