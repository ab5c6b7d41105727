"""The script proves a table of fits; what is damaged or absent costs its own rows alone."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.proofs.table import COLUMNS
from atlas.recipes.tables import FITS, WHOLE
from measured import fingerprints
from proofs import prove_recipes
from recipes_of_files import family


def fit(target: str, parents: dict[str, float], **settings) -> dict:
    """Return a row of fits."""
    given = {
        "target": target,
        "component": "unet",
        "block": WHOLE,
        "verdict": "recovered",
        "form": "convex",
        "parents": list(parents),
        "weights": list(parents.values()),
        "errors": [1e-4] * len(parents),
        "alike": [[] for _ in parents],
        "deviating": [],
    }
    return given | settings


class Group:
    """A family with two merges of it, on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        models = family()
        for name, weight in (("seventy", 0.7), ("forty", 0.4)):
            models[name] = {
                key: (
                    weight * models["a"][key].astype(np.float64)
                    + (1 - weight) * models["b"][key].astype(np.float64)
                ).astype(np.float32)
                for key in models["a"]
            }
        # on the line from a to b, so that distances alone tell nothing of who made whom
        models["chained"] = {
            key: (np.float32(0.5) * models["a"][key] + np.float32(0.5) * models["forty"][key])
            for key in models["a"]
        }
        self.models = models
        self.tables = {table.stem: table for table in fingerprints(folder, models)}
        self.fits = [fit("seventy", {"a": 0.7, "b": 0.3}), fit("forty", {"b": 0.6, "a": 0.4})]

    def proofs(self, *, is_wanted: bool = True, places: dict | None = None) -> list[dict[str, str]]:
        pq.write_table(pa.Table.from_pylist(self.fits, schema=FITS), self.folder / "fits")
        prove_recipes.main(
            fits=self.folder / "fits",
            distances=self.distances(),
            fingerprints=self.tables,
            checkpoints=places or {model: self.folder / model for model in self.tables},
            renamings=None,
            is_wanted=is_wanted,
            threads=1,
            table=self.folder / "proofs.csv",
        )
        return list(csv.DictReader((self.folder / "proofs.csv").open(encoding="utf-8")))

    def distances(self) -> Path:
        """Write the distances of the component, as compare_group has them."""
        whole = {
            model: np.concatenate([array.ravel() for array in tensors.values()]).astype(float)
            for model, tensors in self.models.items()
        }
        rows = [
            {
                "a": one, "b": other, "component": "unet", "block": WHOLE, "role": WHOLE,
                "l2": float(np.linalg.norm(whole[one] - whole[other])),
                "compared_parameters": whole[one].size,
            }
            for one in sorted(whole) for other in sorted(whole) if one < other
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(rows), self.folder / "distances")
        return self.folder / "distances"


@pytest.fixture
def group(tmp_path) -> Group:
    return Group(tmp_path)


def best(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the first row of each target."""
    return {row["target"]: row for row in reversed(rows)}


def test_rows_tell_what_was_made_again(group):
    rows = best(group.proofs())
    assert list(rows["seventy"]) == list(COLUMNS)
    assert rows["seventy"]["parents"] == "a + b"
    assert rows["seventy"]["weights"] == "0.7 0.3"
    assert rows["forty"]["weights"] == "0.6 0.4"
    for row in rows.values():
        assert row["verdict"] == "proved"
        assert row["elements"] == row["equal"] == str(64 * 64 + 300 + 8 * 16 * 9)
        assert row["share"] == "1.0"
        assert float(row["turned"]) < 0.9
        assert (row["casts"], row["problem"], row["left_out"]) == ("", "", "0")


def test_of_several_arithmetics_that_make_all_none_is_named_alone(group):
    rows = [row for row in group.proofs() if row["target"] == "forty"]
    whole = {row["arithmetic"] for row in rows if row["verdict"] == "proved"}
    assert len(whole) > 1
    for row in rows:
        if row["verdict"] == "proved":
            assert {row["arithmetic"], *row["ambiguous"].split("; ")} == whole


def test_the_best_comes_first_and_is_the_only_one_turned_around(group):
    rows = [row for row in group.proofs() if row["target"] == "seventy"]
    shares = [float(row["share"]) for row in rows]
    assert shares == sorted(shares, reverse=True)
    assert [bool(row["turned"]) for row in rows] == [True] + [False] * (len(rows) - 1)


def chained(group: Group, **settings) -> dict:
    parameters = sum(array.size for array in group.models["a"].values())
    facts = {"floor": 1e-7, "parameters": parameters, "errors": [1e-6] * 2}
    return fit("chained", {"a": 0.7, "b": 0.3}, **(facts | settings))


def test_what_only_other_parents_make_again_was_made_from_these(group):
    group.fits = [chained(group)]
    rows = group.proofs()
    first = best(rows)["chained"]
    assert (first["parents"], first["weights"]) == ("a + forty", "0.5 0.5")
    assert (first["verdict"], first["share"]) == ("proved", "1.0")
    assert float(first["turned"]) < 0.9
    (failed,) = [row for row in rows if row["verdict"] == "not proved"]
    assert failed["parents"] == "a + b"


@pytest.mark.parametrize("verdict", ["approximate", "recovered"])
def test_other_parents_are_only_sought_of_a_sum_that_leaves_no_tensor_out(group, verdict):
    deviating = [{"name": "unet/b", "weights": None, "residual": 1.0, "floor": 0.1}]
    group.fits = [chained(group, verdict=verdict, deviating=deviating * (verdict == "recovered"))]
    assert {row["parents"] for row in group.proofs()} == {"a + b"}


def test_a_damaged_file_of_other_parents_costs_only_them(group):
    group.fits = [chained(group)]
    (group.folder / "forty").unlink()
    (row,) = group.proofs()
    assert (row["parents"], row["verdict"]) == ("a + b", "not proved")


def test_equal_inputs_give_equal_bytes(group):
    group.proofs()
    once = (group.folder / "proofs.csv").read_bytes()
    group.proofs()
    assert (group.folder / "proofs.csv").read_bytes() == once


def test_nothing_is_read_where_nothing_is_wanted(group):
    for model in group.tables:
        (group.folder / model).unlink()
    assert group.proofs(is_wanted=False) == []
    assert (group.folder / "proofs.csv").read_text().splitlines() == [",".join(COLUMNS)]


def test_an_absent_checkpoint_costs_its_own_rows(group):
    (group.folder / "seventy").unlink()
    rows = best(group.proofs())
    assert "seventy: can't be read" in rows["seventy"]["problem"]
    assert (rows["seventy"]["verdict"], rows["seventy"]["share"]) == ("", "")
    assert rows["forty"]["verdict"] == "proved"


def test_a_moved_checkpoint_is_found(group):
    moved = group.folder / "elsewhere"
    moved.mkdir()
    (group.folder / "a").rename(moved / "a")
    places = {model: group.folder / model for model in group.tables} | {"a": moved / "a"}
    assert {row["verdict"] for row in best(group.proofs(places=places)).values()} == {"proved"}


def test_a_model_that_is_not_in_the_group_is_told(group):
    group.fits.append(fit("base", {"a": 0.5, "seventi": 0.5}))
    rows = best(group.proofs())
    assert "did you mean seventy?" in rows["base"]["problem"]
    assert rows["forty"]["verdict"] == "proved"


def test_copies_and_casts_are_left_to_digests(group):
    group.fits = [
        fit("seventy", {"a": 1.0}, verdict="copy"),
        fit("seventy", {"a": 0.7, "b": 0.3}, verdict="undetermined", weights=None),
        fit("forty", {}, verdict="none") | {"parents": None, "weights": None},
    ]
    assert group.proofs() == []


def test_blocks_are_proved_where_the_component_has_no_weights(group):
    whole = fit("seventy", {"a": 0.7, "b": 0.3}, weights=None)
    names = pq.read_table(group.tables["seventy"])["block"].to_pylist()
    blocks = [fit("seventy", {"a": 0.7, "b": 0.3}, block=name) for name in sorted(set(names))]
    group.fits = [whole, *blocks]
    assert {row["block"] for row in group.proofs()} == set(names)
    group.fits = [fit("seventy", {"a": 0.7, "b": 0.3}), *blocks]
    assert {row["block"] for row in group.proofs()} == {WHOLE}
