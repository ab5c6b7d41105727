"""A LoRA that was baked into a model is found by the workflow, in a group and of a pair."""

from __future__ import annotations

import numpy as np
import pandas as pd

import adapters
import factory
from workflow_runs import Atlas

BLOCK = "unet/down_blocks.0.attentions.0.transformer_blocks.0"
SHAPES = {
    "unet/conv_in.weight": (32, 4, 3, 3),
    **{f"{BLOCK}.attn2.to_{letter}.weight": (32, 48) for letter in "kv"},
    f"{BLOCK}.attn2.to_q.weight": (32, 32),
}


def test_a_baked_lora_is_found(atlas: Atlas) -> None:
    base = factory.weights(1, SHAPES)
    generator = np.random.default_rng(0)
    baked = dict(base)
    for name, shape in SHAPES.items():
        if "attn2" in name:
            change = 0.1 * np.linalg.norm(base[name]) * adapters.lora(generator, *shape, 4)
            baked[name] = (base[name] + change).astype(np.float32)
    for model, weights in {"a": base, "b": baked}.items():
        factory.diffusers_folder(atlas.folder / "models" / model, weights)
        atlas.models[model] = {"path": f"models/{model}"}
    atlas.groups = {"both": {"models": ["a", "b"]}}
    places = ["results/pairs/a/b.low_rank.csv", "results/groups/both/low_rank.csv"]
    done = atlas.run(*places)
    assert done.success, done.output
    for place in places:
        frame = pd.read_csv(atlas.folder / place)
        whole = frame[frame["role"] == "*"].iloc[0]
        assert (whole["verdict"], whole["rank"], whole["tensors"]) == ("lora", 4, 3)
        assert whole["detail"] == "LoRA of rank 4 baked into cross-attention"

    done = atlas.run(places[1], lineage={"low_rank": False})
    assert done.success, done.output
    assert done.jobs["find_low_rank"] == 1
    assert pd.read_csv(atlas.folder / places[1]).empty
