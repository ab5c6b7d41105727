"""An added difference is told of the model whose making was proved, and not of its terms."""

from __future__ import annotations

import pytest

import fitted_rows
from atlas.lineage import fitted, proved, turned
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Verdict
from fitted_rows import PROOFS, by_block, proof, row, summed

MADE = {"a": 1.0, "b": 1.0, "c": -1.0}
"""Of x."""
BACK = {"x": 1.0, "c": 1.0, "b": -1.0}
"""Of a, by the same relation."""
DEVIATES = [{"name": "n", "weights": None, "residual": 1.0, "floor": 0.1}]


def told(folder, rows, proofs):
    known = fitted.read(fitted_rows.write_fits(rows, folder / "fits.parquet"), "abcx")
    table = fitted_rows.write_csv(proofs, PROOFS, folder / "proofs.csv")
    return turned.without(known, proved.read(table))


def test_the_relation_stays_with_what_was_made_again(tmp_path):
    rows = [
        summed("x", "unet", WHOLE, MADE),
        summed("a", "unet", WHOLE, BACK, nearest="b", deviating=DEVIATES),
        summed("a", "unet", "IN00", BACK),
        row("a", "unet", "IN01", "copy", parents=["b"]),
    ]
    proofs = [
        proof("x", "unet", WHOLE, MADE),
        proof("a", "unet", WHOLE, BACK, "not proved", share=0.5),
    ]
    fits = told(tmp_path, rows, proofs)
    assert fits["x"]["unet"].is_sum
    own = fits["a"]["unet"]
    assert not own.is_sum
    assert own.whole.verdict is Verdict.NONE
    assert own.whole.nearest == "b"
    assert own.deviating == ()
    assert [part.verdict for part in own.blocks] == [Verdict.NONE, Verdict.COPY]


def test_models_that_hold_the_same_stand_for_each_other(tmp_path):
    rows = [
        summed("x", "unet", WHOLE, MADE, alike=[["a2"], [], []]),
        summed("a2", "unet", WHOLE, BACK | {"x2": 1.0, "x": 0.0}),
        summed("a2", "vae", WHOLE, {"x2": 1.0, "c": 1.0, "b": -1.0}, alike=[[], [], ["x"]]),
        summed("x", "vae", WHOLE, MADE, alike=[["a2"], [], []]),
    ]
    fits = told(tmp_path, rows, [proof("x", each, WHOLE, MADE) for each in ("unet", "vae")])
    assert not fits["a2"]["vae"].is_sum
    assert fits["a2"]["unet"].is_sum  # of one model more: another relation


@pytest.mark.parametrize(
    "proofs",
    [
        [],
        [proof("x", "unet", WHOLE, MADE, "not proved", share=0.99)],
        [proof("x", "unet", WHOLE, MADE), proof("a", "unet", WHOLE, BACK)],
        [proof("x", "vae", WHOLE, MADE)],
    ],
    ids=["none", "not proved", "both", "of another component"],
)
def test_what_decides_nothing_leaves_both(tmp_path, proofs):
    rows = [summed("x", "unet", WHOLE, MADE), summed("a", "unet", WHOLE, BACK)]
    fits = told(tmp_path, rows, proofs)
    assert fits["x"]["unet"].is_sum
    assert fits["a"]["unet"].is_sum


def test_a_convex_sum_is_nobody_elses(tmp_path):
    rows = [
        summed("x", "unet", WHOLE, MADE),
        *by_block("b", "unet", {"IN00": 0.3, "IN01": 0.4}, "a", "x"),
        summed("a", "unet", WHOLE, {"x": 0.5, "b": 0.25, "c": 0.25}),
    ]
    fits = told(tmp_path, rows, [proof("x", "unet", WHOLE, MADE)])
    assert all(fits[each]["unet"].is_sum for each in "abx")
