"""A small atlas with something of everything: models, groups, architectures, published tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import yaml

import factory
import narrow
import originals
from workflow_runs import REPOSITORY, Atlas

ARCHITECTURES = ("pocket_unet", "pocket_dit")
TARGETS = (
    "results/atlas.html",
    "results/models.csv",
    "results/nearest.csv",
    "groups",
    "results/pairs/base/tuned.parquet",
    "results/pairs/base/tuned.png",
    "results/pairs/base/tuned.low_rank.csv",
    "recipes",
    "lineage",
    "results/library.parquet",
    "architectures",
    "macs",
)
SETTINGS = {
    "distances": {"shards": 1},
    "architectures": {"names": [f"{name}.yaml" for name in ARCHITECTURES], "sides": [64]},
    "macs": {
        "architectures": [f"{name}.yaml" for name in ARCHITECTURES],
        "resolutions": [[64, 128], "native"],
        "with": ["pocket_controlnet.yaml", "lora_r16_attention"],
    },
}
PUBLISHED = {
    "sizes": {
        "rows": [
            {
                "model": "Pocket",
                "architecture": "pocket_unet.yaml",
                "published": {
                    "units": "7",
                    "torchinfo_b": "1.0",
                    "diffusers_b": "0.001",
                    "forward_backward_mb": "2",
                    "total_gb": "0.1",
                },
                "inputs": {
                    "side": 64,
                    "batch": 2,
                    "text_tokens": 5,
                    "dtype": "f32",
                    "shared_activations": True,
                },
                "causes": ["batch"],
            }
        ],
        "causes": {"batch": "a batch of two"},
    },
    "macs": {
        "latent_side": 8,
        "text_tokens": 5,
        "steps": 3,
        "pixels": 64,
        "rows": [
            {
                "model": model,
                "architecture": "pocket_unet.yaml",
                "step_gmacs": "0.1",
                "total_tmacs": "0.1",
                "attention_times": times,
                "causes": ["text"],
            }
            for model, times in {"Pocket": 2, "Pocket twice": 4}.items()
        ],
        "causes": {"text": "five tokens"},
    },
}
"""Tables of the same form as in config/published, of an architecture that is soon counted."""


def make(folder: Path) -> Atlas:
    """Write all that the atlas is made of to an empty folder."""
    _workflow(folder / "workflow")
    atlas = Atlas(folder / "atlas")
    _models(atlas)
    _published_matrices(atlas.folder / "published.json")
    atlas.groups = {
        "kin": {
            "models": [name for name in atlas.models if name != "original"],
            "base": "base",
            "ordered": True,
        },
        "published": {"matrices": "published.json"},
    }
    for name in ARCHITECTURES:
        shutil.copy(REPOSITORY / "tests" / "architectures" / f"{name}.yaml", atlas.folder)
    shutil.copy(REPOSITORY / "tests" / "additions" / "pocket_controlnet.yaml", atlas.folder)
    return atlas


def options(atlas: Atlas, *further: str) -> tuple[str, ...]:
    """Return the options that run the atlas with its own published tables."""
    return ("--snakefile", str(atlas.folder.parent / "workflow" / "Snakefile"), *further)


def _workflow(folder: Path) -> None:
    """Lay the workflow's parts by links to a folder, with other published tables."""
    folder.mkdir()
    for part in ("Snakefile", "rules", "scripts", "envs", "docs", "profiles"):
        (folder / part).symlink_to(REPOSITORY / part)
    shutil.copytree(REPOSITORY / "config", folder / "config")
    for name, table in PUBLISHED.items():
        (folder / "config" / "published" / f"{name}.yaml").write_text(yaml.safe_dump(table))


def _models(atlas: Atlas) -> None:
    """Write relatives of one base, a file that is cut short, and one in an original layout."""
    base = factory.weights(seed=1)
    tuned = factory.changed(base, 2, "unet/")
    merge = {name: np.float32(0.7) * base[name] + np.float32(0.3) * tuned[name] for name in base}
    hurt = {name: value.copy() for name, value in base.items()}
    hurt["vae/decoder.conv_in.weight"][0, 0, 0, 0] = np.nan
    named = {
        "base": base,
        "tuned": tuned,
        "merge": merge,
        "half": {name: value.astype(np.float16) for name, value in tuned.items()},
        "hurt": hurt,
    }
    for name, weights in named.items():
        factory.diffusers_folder(atlas.folder / "models" / name, weights)
        atlas.models[name] = {"path": f"models/{name}", "label": name.title()}
    original = originals.as_ldm(narrow.stable_diffusion("sd1"), "sd1", ema=True)
    file = narrow.save(atlas.folder / "models" / "original.safetensors", original)
    (atlas.folder / "models" / "broken.safetensors").write_bytes(file.read_bytes()[:-1])
    for name in ("original", "broken"):
        atlas.models[name] = {"path": f"models/{name}.safetensors"}


def _published_matrices(path: Path) -> None:
    """Write matrices in the notebook's format: three models, one pair of which is not compared."""
    files = ["a.safetensors", "b.safetensors", "c.safetensors"]
    pairs = [[["m0", files[0]], ["m1", files[1]]], [["m0", files[0]], ["m2", files[2]]]]
    distances = {
        "unet": [[0.0, 1.5, 2.5], [1.5, 0.0, 0.0], [2.5, 0.0, 0.0]],
        "vae": [[0.0, 0.0, 0.25], [0.0, 0.0, 0.0], [0.25, 0.0, 0.0]],
    }
    path.write_text(json.dumps({"ml": files, "cm": [["folder", pairs]], "dm": distances}))
