"""Files of no known layout keep what was known of them, and codes are told, whoever joins."""

import numpy as np
import pandas as pd

import factory
import quantising
from workflow_runs import Atlas

MATRICES = "results/groups/all/matrices"
TARGETS = (MATRICES, "results/groups/all/identity.csv", "results/.models_checked")
NAMES = {
    f"blocks.{number}.{own}": f"blocks.{number}.{diffusers}"
    for number in range(2)
    for own, diffusers in {
        "self_attn.q.weight": "attn1.to_q.weight",
        "self_attn.q.bias": "attn1.to_q.bias",
        "self_attn.o.weight": "attn1.to_out.0.weight",
        "norm3.weight": "norm2.weight",
    }.items()
}
"""A video transformer's names, and diffusers' for them."""


def expert(seed: int) -> factory.Weights:
    """Return weights of one expert; norms are ones and biases zeros in all."""
    shapes = {name: (6, 6) for name in NAMES if name.endswith(("q.weight", "o.weight"))}
    plain = {
        name: np.full(6, float("norm" in name), np.float32) for name in NAMES if name not in shapes
    }
    return factory.weights(seed, shapes) | plain


def test_a_folder_that_holds_two_of_three_files_empties_no_cell(atlas: Atlas) -> None:
    experts = {name: expert(seed) for seed, name in enumerate(("base", "high", "low"))}
    vae = {name: value for name, value in factory.weights(9).items() if name.startswith("vae/")}
    for name, weights in experts.items():
        factory.single_file(atlas.folder / f"{name}.safetensors", weights)
        atlas.models[name] = {"path": f"{name}.safetensors"}
    for seed, name in enumerate(("codes", "other-codes")):
        own = {f"transformer/{key}": value for key, value in experts["base"].items()}
        factory.diffusers_folder(
            atlas.folder / name, vae | quantising.quantised(own, "DFloat11", seed)
        )
        atlas.models[name] = {"path": name}
    atlas.groups = {"all": {"models": list(atlas.models)}}
    first = atlas.run(*TARGETS, distances={"shards": 2})
    assert first.success, first.output
    before = pd.read_csv(atlas.folder / MATRICES / "network.l2.csv", index_col=0)
    assert (before.loc[list(experts), list(experts)].notna()).all(axis=None)
    identity = pd.read_csv(atlas.folder / TARGETS[1]).set_index(["a", "b", "component"])
    found = identity.loc[("codes", "other-codes")]
    assert found["verdict"].to_dict() == {"transformer": "refused", "vae": "identical"}
    page = (atlas.folder / "results" / "models.md").read_text()
    assert "**codes, transformer**: weights compressed by DFloat11; use the model's" in page

    diffusers = {
        f"{part}/{NAMES[key]}": value
        for part, name in (("transformer", "high"), ("transformer_2", "low"))
        for key, value in experts[name].items()
    }
    factory.diffusers_folder(atlas.folder / "folder", diffusers)
    atlas.models["folder"] = {"path": "folder"}
    atlas.groups["all"]["models"].append("folder")
    again = atlas.run(*TARGETS, distances={"shards": 2})
    assert again.success, again.output
    identity = pd.read_csv(atlas.folder / TARGETS[1]).set_index(["a", "b", "component"])
    words = {"transformer": "the second transformer of ", "transformer_2": "the transformer of "}
    for component, told in words.items():
        what = identity.loc[("folder", "low", component), "what"]
        assert told in what, what
    assert identity.loc[("folder", "high", "transformer"), "verdict"] == "identical"
    after = pd.read_csv(atlas.folder / MATRICES / "transformer.l2.csv", index_col=0)
    coverage = pd.read_csv(atlas.folder / MATRICES / "transformer.coverage.csv", index_col=0)
    names = list(experts)
    pd.testing.assert_frame_equal(after.loc[names, names], before.loc[names, names])
    assert after.loc["folder", names].tolist() == after.loc["high", names].tolist()
    assert (coverage.loc[["folder", *names], ["folder", *names]] == 1).all(axis=None)
    assert after.loc[["codes", "other-codes"]].isna().all(axis=None)
    assert coverage.loc["codes", names].eq(0).all()
