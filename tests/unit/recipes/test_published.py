"""Recipes from published matrices, beside what the names of the files say."""

from pathlib import Path

import pytest

from atlas.basis import tables
from atlas.recipes import published_fits
from atlas.recipes.verdicts import Verdict
from atlas.relations import group_matrices, notebook

PUBLISHED = Path(__file__).parents[3].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="the published results are not at hand"
)


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    """Return all rows by matrix."""
    made = {}
    for name in ("am0", "ccbp", "21b"):
        matrices = notebook.matrices(notebook.read(PUBLISHED / f"notebook_{name}.json"), group=name)
        table = tmp_path_factory.mktemp(name) / "distances.parquet"
        tables.write(group_matrices.tidy(list(matrices.values())), table)
        made[name] = published_fits.fit(table, most=5).to_pylist()
    return made


def of_unet(rows):
    """Return the rows of the UNet, by target."""
    return {row["target"]: row for row in rows if row["component"] == "unet"}


def test_a_merge_of_two_is_the_mean_that_its_name_tells(recipes):
    """2020b is made of 20 and 20b."""
    rows = of_unet(recipes["21b"])
    child = rows["21-AstolfoMix-2020b.safetensors"]
    assert child["parents"] == [
        "20b-AstolfoMix-18b19b.safetensors",
        "20-bpcga9-lracrc2oh-b11i75pvc-gf34ym34-sd.safetensors",
    ]
    assert child["weights"] == pytest.approx([0.5, 0.5], abs=1e-4)
    assert child["residual"] < 0.05 * child["distance"]
    assert {row["verdict"] for target, row in rows.items() if row is not child} == {Verdict.NONE}


def test_epochs_of_a_training_are_no_merges(recipes):
    rows = of_unet(recipes["ccbp"])
    assert len(rows) == 6
    assert {row["verdict"] for row in rows.values()} == {Verdict.NONE}


def test_nothing_is_called_recovered_where_rounding_is_unknown(recipes):
    verdicts = {row["verdict"] for rows in recipes.values() for row in rows}
    assert verdicts >= {Verdict.APPROXIMATE, Verdict.NONE}
    assert Verdict.RECOVERED not in verdicts
