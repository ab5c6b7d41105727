"""One checkpoint stands twice in a roster: with its raw weights, and with its training copy."""

import pandas as pd
import pytest

import factory
from workflow_runs import Atlas

TARGETS = ("results/groups/all/identity.csv", "results/groups/all/matrices")
RAW = factory.weights(seed=1)
AVERAGED = factory.changed(RAW, 2, "unet/")
COPIES = {
    name.replace("unet/", "unet_ema/"): value
    for name, value in AVERAGED.items()
    if name.startswith("unet/")
}


def unets(atlas: Atlas) -> pd.DataFrame:
    """Return the identity table's rows of the UNets by pair."""
    table = pd.read_csv(atlas.folder / TARGETS[0])
    return table[table["component"] == "unet"].set_index(["a", "b"])


def test_raw_weights_and_their_average_are_measured_against_other_models(atlas: Atlas) -> None:
    factory.diffusers_folder(atlas.folder / "full", RAW | COPIES)
    factory.diffusers_folder(atlas.folder / "other", AVERAGED)
    atlas.models = {
        "full": {"path": "full"},
        "full-ema": {"path": "full", "weights": "ema"},
        "other": {"path": "other"},
    }
    atlas.groups = {"all": {"models": list(atlas.models)}}
    first = atlas.run(*TARGETS, distances={"shards": 1})
    assert first.success, first.output
    found = unets(atlas)
    assert found.loc[("full-ema", "other"), "verdict"] == "identical"
    assert found.loc[("full", "full-ema"), "verdict"] == "changed"
    assert "raw weights of other are the EMA of full" in found.loc[("full", "other"), "what"]
    matrix = pd.read_csv(atlas.folder / TARGETS[1] / "unet.l2.csv", index_col=0)
    squares = [((RAW[name] - value) ** 2).sum(dtype=float) for name, value in AVERAGED.items()]
    assert matrix.loc["full", "full-ema"] == pytest.approx(sum(squares) ** 0.5, rel=1e-5)

    del atlas.models["full-ema"]["weights"]
    again = atlas.run(*TARGETS, distances={"shards": 1})
    assert again.success, again.output
    assert again.jobs["fingerprint"] == 1
    assert again.measured == 0
    assert unets(atlas).loc[("full", "full-ema"), "verdict"] == "identical"
