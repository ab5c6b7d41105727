"""The scripts that trace and draw, on a group of published matrices."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from atlas.basis import tables
from atlas.recipes.tables import FITS
from atlas.relations import matrices
from atlas.relations.matrices import Matrix
from lineage import draw_lineage, trace_lineage

ROW = dict.fromkeys(FITS.names) | {"alike": [], "deviating": []}
MODELS = ("a", "b", "mix")


@pytest.fixture
def published(tmp_path):
    """Matrices of three models without norms, of which a third has all of both others."""
    points = np.random.default_rng(1).normal(size=(2, 50))
    points = np.vstack([points, 0.3 * points[0] + 0.7 * points[1]])
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    folder = tmp_path / "matrices"
    folder.mkdir()
    same = np.eye(3, dtype=bool)
    matrices.write(Matrix(MODELS, MODELS, apart, same, "unet"), folder / "unet.l2.csv")
    return folder


def traced(folder, rows):
    place = folder.parent
    tables.write(pa.Table.from_pylist(rows, schema=FITS), place / "fits.parquet")
    trace_lineage.main(
        matrix_folder=folder, fits=place / "fits.parquet", identity=None, described=None,
        claims=None, proofs=None, low_rank=None, fingerprints={}, group="published", labels={},
        base=None, bases={}, imported=True, stem=place / "lineage",
    )  # fmt: skip
    return json.loads((place / "lineage.json").read_text())


def drawn(folder):
    place = folder.parent
    draw_lineage.main(
        lineage=place / "lineage.json", base=None, stem=place / "lineage", folder=place / "parts"
    )
    return sorted(path.name for path in place.glob("lineage.*"))


RECIPE = ROW | {
    "target": "mix", "component": "unet", "block": "*", "verdict": "recovered", "form": "convex",
    "parents": ["b", "a"], "weights": [0.7, 0.3], "alike": [[], []],
}  # fmt: skip


def test_merges_of_published_matrices_have_edges_and_positions(published: Path) -> None:
    told = traced(published, [RECIPE])
    assert {(edge["parent"], edge["weight"]) for edge in told["edges"]} == {("a", 0.3), ("b", 0.7)}
    assert told["positions"][0]["along"] == pytest.approx(0.7)
    assert told["positions"][0]["off"] == pytest.approx(0, abs=1e-3)
    files = ["lineage.graphml", "lineage.json", "lineage.png", "lineage.svg"]
    assert drawn(published) == files
    assert list((published.parent / "parts").iterdir()) == []


def test_published_matrices_without_recipes_say_what_can_not_be_told(published: Path) -> None:
    told = traced(published, [])
    assert told["edges"] == []
    assert any("norms" in sentence for sentence in told["findings"])
    assert "lineage.png" in drawn(published)


def test_equal_inputs_give_equal_bytes(published: Path) -> None:
    files = []
    for _ in range(2):
        traced(published, [RECIPE])
        drawn(published)
        files.append([file.read_bytes() for file in sorted(published.parent.glob("lineage.*"))])
    assert files[0] == files[1]
