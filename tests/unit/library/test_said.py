"""What models say of their making: kept in a library without places, told in sentences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from atlas.checkpoint import open_checkpoint
from atlas.claims.claim import Claim, Kind, Parent
from atlas.library import packing
from atlas.library.report import blocks_of
from atlas.library.said import bare, claims_of, kept, restored, sentences

SUM = Claim("merger", Kind.WEIGHTED_SUM, parents=(Parent("a", 0.7), Parent("b", 0.3)))
BLOCKS = [
    Claim("merger", Kind.WEIGHTED_SUM, "unet", block, (Parent("a", share), Parent("b", 1 - share)))
    for block, share in (("IN00", 0.2), ("IN01", 0.4))
]


def test_claims_are_kept_and_restored():
    claims = [SUM, *BLOCKS, Claim("card", Kind.FINE_TUNE)]
    assert restored(json.loads(json.dumps(kept(claims)))) == tuple(claims)


def test_they_are_told_in_sentences():
    assert sentences([SUM, *BLOCKS]) == [
        "weighted sum: 0.7 a, 0.3 b (merger)",
        "weighted sum, unet: a, b, block by block (merger)",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/home/me/secret/a.safetensors", "a.safetensors"),
        ("models/secret/a.ckpt", "a.ckpt"),
        (r"C:\\Users\\me\\a.ckpt", "a.ckpt"),
        ("~/secret/folder/", "folder"),
        ("owner/model", "owner/model"),
        ("a model", "a model"),
    ],
)
def test_no_place_on_a_machine_is_kept(name, told):
    assert bare(name) == told


def test_a_library_has_what_a_file_says(tmp_path: Path, fingerprinted):
    recipe = {
        "type": "webui",
        "primary_model_hash": "a" * 64,
        "secondary_model_hash": "b" * 64,
        "tertiary_model_hash": None,
        "interp_method": "Weighted sum",
        "multiplier": 0.3,
        "save_as_half": False,
        "custom_name": "",
        "config_source": 0,
        "bake_in_vae": "None",
        "discard_weights": "",
        "is_inpainting": False,
        "is_instruct_pix2pix": False,
    }
    held = {"a" * 64: "/home/me/one.safetensors", "b" * 64: "two.ckpt"}
    models = {
        key: {"name": name, "legacy_hash": "", "sd_merge_recipe": None}
        for key, name in held.items()
    }
    metadata = {"sd_merge_recipe": json.dumps(recipe), "sd_merge_models": json.dumps(models)}
    file = tmp_path / "merge.safetensors"
    save_file({"unet.a.weight": np.ones((3, 3), np.float32)}, file, metadata)
    opened = open_checkpoint(file)
    claims = claims_of(opened.metadata, blocks_of(opened))
    assert [claim.kind for claim in claims] == [Kind.WEIGHTED_SUM]
    entry = fingerprinted(file, tmp_path / "merge.parquet")
    assert list(entry.claims) == claims
    packing.write([entry], tmp_path / "library.parquet")
    [back] = packing.read(tmp_path / "library.parquet")
    assert list(back.claims) == claims
    assert b"/home/me" not in (tmp_path / "library.parquet").read_bytes()
