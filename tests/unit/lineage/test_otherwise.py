"""Where other parents than the fit's make a model again, these are its parents."""

from __future__ import annotations

import fitted_rows
from atlas.lineage import fitted, making, otherwise, proved
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Verdict
from fitted_rows import PROOFS, proof, row, summed, taken

FITTED = {"a": 0.65, "b": 0.35}
MADE = {"a": 0.5, "c": 0.5}
ROWS = [
    summed("m", "unet", WHOLE, FITTED, alike=[["a2"], []]),
    summed("m", "unet", "IN00", FITTED, alike=[["a2"], []]),
    row("m", "unet", "IN01", "equal", parents=["a", "b"]),
    row("c", "unet", WHOLE, "none"),
    taken("a2", "unet", ["a"], cast=True),
    taken("c2", "unet", ["c"]),
]
FAILED = proof("m", "unet", WHOLE, FITTED, "not proved", share=0.9)


def written(folder, proofs):
    fits = fitted_rows.write_fits(ROWS, folder / "fits.parquet")
    return fits, fitted_rows.write_csv(proofs, PROOFS, folder / "proofs.csv")


def told(folder, proofs):
    fits, table = written(folder, proofs)
    known = fitted.read(fits, ["a", "b", "c", "c2", "m"])
    return otherwise.proved_parents(known, proved.read(table))["m"]["unet"]


def test_the_proved_parents_take_the_place_of_the_fits(tmp_path):
    own = told(tmp_path, [proof("m", "unet", WHOLE, MADE), FAILED])
    for part in (own.whole, own.blocks[0]):
        assert part.parents == ("a", "c")
        assert part.weights == (0.5, 0.5)
        assert part.errors == (0.0, 0.0)
        assert part.alike == (("a2",), ("c2",))
        assert part.verdict is Verdict.RECOVERED
    assert own.blocks[1].parents == ("a", "c")
    assert own.blocks[1].weights is None


def test_the_graph_has_them_too(tmp_path):
    found = making.read(*written(tmp_path, [proof("m", "unet", WHOLE, MADE), FAILED]))
    assert found["m", "unet"].whole.parents == ("a", "c")
    assert found["m", "unet"].weights_of(1) == {WHOLE: 0.5}


def test_the_fits_own_parents_stay(tmp_path):
    for proofs in (
        [],
        [FAILED],
        [proof("m", "unet", WHOLE, FITTED)],
        [proof("m", "unet", WHOLE, {"b": 0.35, "a2": 0.65})],
        [proof("m", "unet", WHOLE, MADE, "order of operations", share=0.99995), FAILED],
    ):
        own = told(tmp_path, proofs)
        assert own.whole.parents == ("a", "b")
        assert own.whole.weights == (0.65 + 1e-6 / 3, 0.35 + 1e-6 / 3)
