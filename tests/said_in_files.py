"""Metadata as tools write them, and the parts of the models that they are written into."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from atlas.claims.claim import Claim, Held
from atlas.claims.writers import claims_in
from atlas.tensors.tensors import FileMetadata

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
"""Hashes of the files a, b and c."""
NAMES = {A: "a.safetensors", B: "b.safetensors", C: "c.safetensors"}

SD1 = Held.of(
    {
        "unet": {
            *(f"IN{number:02d}" for number in range(12)),
            "MID",
            *(f"OUT{number:02d}" for number in range(12)),
            "time_embedding",
            "conv_norm_out",
            "conv_out",
        },
        "text_encoder": {"embeddings", "layers.0"},
        "vae": {"decoder", "encoder"},
    }
)
SDXL = Held.of(
    {
        "unet": {
            *(f"IN{number:02d}" for number in range(9)),
            "MID",
            *(f"OUT{number:02d}" for number in range(9)),
            "time_embedding",
            "add_embedding",
            "conv_norm_out",
            "conv_out",
        },
        "text_encoder": {"embeddings"},
        "text_encoder_2": {"embeddings", "text_projection"},
        "vae": {"decoder"},
    }
)
FLUX = Held.of(
    {
        "transformer": {
            "x_embedder",
            *(f"transformer_blocks.{number}" for number in range(19)),
            *(f"single_transformer_blocks.{number}" for number in range(38)),
            "proj_out",
        },
        "text_encoder": {"embeddings"},
        "text_encoder_2": {"block.0"},
    }
)


def merge(recipe: Mapping[str, Any], *, times: int = 1) -> dict[str, str]:
    """Return the metadata of a web UI's merge; `times` that the models are encoded."""
    models: Any = {
        key: {"name": name, "legacy_hash": key[:8], "sd_merge_recipe": None}
        for key, name in NAMES.items()
    }
    for _ in range(times):
        models = json.dumps(models)
    return {"format": "pt", "sd_merge_recipe": json.dumps(recipe), "sd_merge_models": models}


def said(texts: Mapping[str, str], held: Held = SD1, *, name: str = "m.safetensors") -> list[Claim]:
    """Return the claims of a file with these metadata."""
    return claims_in([FileMetadata(name, texts=texts)], held)


def sums(claims: Iterable[Claim]) -> dict[tuple[str, str], dict[str, float | None]]:
    """Return parents without suffix and their weights, by component and block."""
    return {
        (claim.component, claim.block): {
            parent.name.removesuffix(".safetensors"): parent.weight for parent in claim.parents
        }
        for claim in claims
    }
