"""
Bake adapters of PEFT into a UNet by diffusers' fuse_lora, and say what is found of them.

Needs `peft` and `accelerate`, which are none of the project's requirements.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig

from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.low_rank.differences import Models
from atlas.low_rank.tables import of_pair

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
CASES = {
    "attention, rank 8": ({"r": 8, "target_modules": ATTENTION}, torch.float32),
    "cross-attention, rank 4, float16": (
        {"r": 4, "target_modules": r".*attn2\.(to_q|to_k|to_v|to_out\.0)"},
        torch.float16,
    ),
    "linear layers and convolutions, rank 16": (
        {"r": 16, "target_modules": [*ATTENTION, "ff.net.0.proj", "ff.net.2", "conv1", "conv2"]},
        torch.float32,
    ),
    "attention, DoRA of rank 8": (
        {"r": 8, "target_modules": ATTENTION, "use_dora": True},
        torch.float32,
    ),
}
SIZE = 0.03
"""Standard deviation of the adapters' second matrices, which training leaves no longer at 0."""


def main() -> None:
    """Bake each adapter and print the rows of the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("unet", type=Path, help="a diffusers folder of the UNet alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        base = _stored(UNet2DConditionModel.from_pretrained(given.unet), Path(place) / "base")
        for name, (settings, dtype) in CASES.items():
            network = _baked(given.unet, dtype, **settings)
            child = _stored(network, Path(place) / "".join(filter(str.isalnum, name)))
            models = {path.stem: path for path in (base, child)}
            homes = {model: path.with_suffix("") for model, path in models.items()}
            print(f"\n{name}")
            print(of_pair(Models(models, homes, None), child.stem, base.stem).to_csv(index=False))


def _baked(unet: Path, dtype: torch.dtype, **settings: object) -> UNet2DConditionModel:
    torch.manual_seed(0)
    network = UNet2DConditionModel.from_pretrained(unet)
    network.add_adapter(LoraConfig(lora_alpha=settings["r"], **settings))
    for name, parameter in network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=SIZE)
    network.to(dtype)
    network.fuse_lora()
    network.unload_lora()
    return network


def _stored(network: UNet2DConditionModel, folder: Path) -> Path:
    """Write a UNet as a pipeline's folder, and its fingerprint, whose path is returned."""
    network.save_pretrained(folder / "unet")
    index = {"unet": ["diffusers", "UNet2DConditionModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    opened = open_checkpoint(folder)
    table = folder.with_suffix(".parquet")
    sealed.write(fingerprint.table(opened), table, fingerprint.notes(opened))
    return table


if __name__ == "__main__":
    main()
