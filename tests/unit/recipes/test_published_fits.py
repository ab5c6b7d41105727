"""Recipes from matrices with four decimals."""

from pathlib import Path

import numpy as np
import pytest

from atlas.basis import tables
from atlas.recipes import published_fits
from atlas.relations import group_matrices
from atlas.relations.matrices import Matrix
from made_up_merges import squared_distances, tunes


def fitted(models: dict[str, np.ndarray], folder: Path) -> dict[str, dict]:
    values = np.round(1000 * np.sqrt(squared_distances(np.array(list(models.values())))), 4)
    ids = tuple(models)
    matrix = Matrix(ids, ids, values, values == 0, "unet", "l2")
    tables.write(group_matrices.tidy([matrix]), folder / "distances.parquet")
    rows = published_fits.fit(folder / "distances.parquet", most=6).to_pylist()
    return {row["target"]: row for row in rows}


def test_merges_come_near_and_fine_tunes_do_not(tmp_path: Path) -> None:
    base, own = tunes(5, 3000)
    models = {"base": base, **dict(zip("abcde", own, strict=True))}
    models |= {"copy": base, "merge": 0.6 * own[0] + 0.4 * own[1]}
    found = fitted(models, tmp_path)
    merge = found["merge"]
    assert (merge["verdict"], merge["parents"]) == ("approximate", ["a", "b"])
    np.testing.assert_allclose(merge["weights"], [0.6, 0.4], atol=1e-4)
    assert merge["residual"] < 0.01 * merge["distance"]
    assert merge["floor"] is None
    assert (found["copy"]["verdict"], found["copy"]["parents"]) == ("copy", ["base"])
    for model in ("c", "d", "e"):
        assert (found[model]["verdict"], found[model]["weights"]) == ("none", None)
        assert found[model]["residual"] == pytest.approx(found[model]["distance"])
    assert found["a"]["verdict"] == "none"
