"""Broken checkpoints are told in one clear message, and the other models' results are made."""

from __future__ import annotations

import json
import struct

import numpy as np
import pandas as pd
import pytest

import factory
import narrow
from workflow_runs import Atlas

BASE = factory.weights(seed=1)
TARGETS = ("results/groups/all/identity.csv", "results/groups/all/matrices")
FEW = {"shards": 1}


UNREADABLE = {
    "crafted": "no text",
    "empty": "the file is empty",
    "half": "fetch model-00003-of-00003.safetensors",
    "offsets": "needs 16 bytes",
    "page": "“Sign in”",
    "several": "which is a folder",
    "surrogates": "no text",
    "text": "“this is no checkpoint”",
    "truncated": "cut off",
}
"""Models that can't be read, and what is said of each."""


def file_of(dtype: object, *, end: int = 16, key: str = "conv_in.weight") -> bytes:
    header = json.dumps({key: {"dtype": dtype, "shape": [4], "data_offsets": [0, end]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


@pytest.fixture
def broken(atlas: Atlas) -> Atlas:
    """
    Return two sound models, the unreadable ones, and three of which something is left.

    One of these has a broken VAE, one NaN, and one nothing in common with the others.
    """
    models = atlas.folder / "models"
    factory.diffusers_folder(models / "base", BASE)
    factory.diffusers_folder(models / "tuned", factory.changed(BASE, 2, "unet/"))
    whole = factory.single_file(models / "whole.safetensors", BASE).read_bytes()
    (models / "truncated.safetensors").write_bytes(whole[:-40])
    (models / "empty.safetensors").write_bytes(b"")
    (models / "offsets.safetensors").write_bytes(file_of("F32", end=999))
    (models / "crafted.safetensors").write_bytes(file_of(["F32"]))
    (models / "surrogates.safetensors").write_bytes(file_of("F32", key="\ud800"))
    (models / "text.safetensors").write_text("this is no checkpoint")
    (models / "page.safetensors").write_text("<!doctype html><html><body>Sign in</body></html>")
    named = {name.removeprefix("unet/"): value for name, value in BASE.items() if "unet" in name}
    narrow.shards(models / "half", named)
    (models / "half/model-00003-of-00003.safetensors").rename(models / "third.part")
    spoilt = {name: value.copy() for name, value in BASE.items()}
    spoilt["unet/conv_in.weight"][0] = np.nan
    factory.diffusers_folder(models / "spoilt", spoilt)
    vae = factory.diffusers_folder(models / "vaeless", BASE) / "vae"
    (vae / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    factory.single_file(models / "foreign.safetensors", {"layer.weight": np.ones((2, 3))})
    for file in sorted(models.iterdir()):
        if file.name not in {"whole.safetensors", "third.part"}:
            atlas.models[file.name.removesuffix(".safetensors")] = {"path": f"models/{file.name}"}
    atlas.models["several"] = {"path": "models/[bf]*"}
    atlas.groups["all"] = {"models": list(atlas.models)}
    return atlas


def test_the_others_are_made_and_the_broken_are_named(broken):
    plots = "results/groups/all/plots"
    done = broken.run(*TARGETS, plots, "results/.models_checked", distances=FEW)
    assert not done.success
    assert "10 of 14 models could not be read" in done.output
    assert "Traceback" not in done.output
    for model, words in UNREADABLE.items():
        line = next(x for x in done.output.splitlines() if x.startswith(f"  {model}: "))
        assert "models/" in line, "the message names the file"
        assert words in line

    line = next(x for x in done.output.splitlines() if x.startswith("  vaeless: "))
    assert "vae/diffusion_pytorch_model.safetensors: the file is empty" in line

    results = broken.folder / "results"
    identity = pd.read_csv(results / "groups/all/identity.csv")
    verdicts = identity.set_index(["a", "b", "component"])["verdict"]
    assert verdicts["base", "tuned", "vae"] == "identical"
    assert verdicts["base", "vaeless", "unet"] == "identical", "one component stops no other"
    assert verdicts["base", "vaeless", "vae"] == "refused"
    assert verdicts["base", "spoilt", "unet"] == "partly changed"
    assert verdicts["base", "foreign", "unet"] == "only in a"

    matrix = pd.read_csv(results / "groups/all/matrices/unet.l2.csv", index_col=0)
    assert matrix.loc["base", "tuned"] > 0
    for model in (*UNREADABLE, "foreign"):
        assert matrix.loc[model].isna().all(), "not compared is never 0"
    assert np.isnan(matrix.loc["base", "spoilt"]), "equal but for NaN: 0 would claim too much"
    alone = "network: foreign alone has it, so there is nothing to compare.\n"
    assert (broken.folder / plots / "not_drawn.txt").read_text() == alone
    drawn = {file.name.partition(".")[0] for file in (broken.folder / plots).glob("*.png")}
    assert drawn == {"all", "unet", "vae", "text_encoder"}
    page = (results / "models.md").read_text()
    assert "## Unreadable" in page
    assert "hold NaN or infinity" in page

    # A mended file or set heals the run: nothing else is needed.
    (broken.folder / "models/truncated.safetensors").write_bytes(
        (broken.folder / "models/whole.safetensors").read_bytes()
    )
    (broken.folder / "models/third.part").rename(
        broken.folder / "models/half/model-00003-of-00003.safetensors"
    )
    for model in UNREADABLE.keys() - {"truncated", "half"} | {"vaeless"}:
        del broken.models[model]
    broken.groups["all"]["models"] = list(broken.models)
    healed = broken.run(*TARGETS, "results/.models_checked", distances=FEW)
    assert healed.success, healed.output
    assert healed.jobs["fingerprint"] == 2


def test_a_faulty_roster_stops_before_any_job(atlas):
    factory.diffusers_folder(atlas.folder / "models" / "base", BASE)
    atlas.models = {"base": {"path": "models/base"}, "lost": {"path": "models/bse"}}
    atlas.groups = {"one": {"models": ["base"]}, "absent": {"models": ["base", "basse"]}}
    done = atlas.run("distances")
    assert not done.success
    assert "roster.yaml is not usable: 3 problems" in done.output
    assert "did you mean models/base?" in done.output
    assert "did you mean base?" in done.output
    assert "Traceback" not in done.output
    assert not (atlas.folder / "results").exists()


def test_wrong_settings_are_told(atlas):
    factory.diffusers_folder(atlas.folder / "models" / "base", BASE)
    atlas.models = {"base": {"path": "models/base"}}
    done = atlas.run("distances", distances={"shards": 0, "threads": 1, "memory_mb": 100}, plot=1)
    assert not done.success
    assert "the configuration" in done.output
    assert "did you mean plots?" in done.output
    assert "a whole number from 1 to 1000" in done.output


def test_a_pair_in_the_wrong_order_names_the_right_one(atlas):
    for name in ("a", "b"):
        factory.diffusers_folder(atlas.folder / "models" / name, factory.changed(BASE, 1, "unet/"))
        atlas.models[name] = {"path": f"models/{name}"}
    done = atlas.run("results/pairs/b/a.parquet", distances=FEW)
    assert not done.success
    assert "ask for results/pairs/a/b" in done.output
    done = atlas.run("results/pairs/a/b.parquet", distances=FEW)
    assert done.success, done.output
    assert len(pd.read_parquet(atlas.folder / "results/pairs/a/b.parquet")) == len(BASE)
