"""Files that are no model of their own: adapters and embeddings, by their keys."""

import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from atlas.basis.shipped import load

MODEL = "model"

KIND_WORDS = {
    "lora": ("a LoRA or another adapter", "LoRAs or other adapters"),
    "embedding": ("a text embedding", "text embeddings"),
}
"""What a checkpoint that is no model is called, and several."""


def kind_of(keys: Collection[str]) -> str:
    """
    Return what a file with these keys is: `model`, `lora` or `embedding`.

    >>> kind_of(["lora_unet_down_blocks_0.lora_up.weight", "lora_unet_down_blocks_0.alpha"])
    'lora'
    """
    for kind, pattern in _patterns():
        if keys and 2 * sum(bool(pattern.search(key)) for key in keys) > len(keys):
            return kind
    return MODEL


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    facts: Iterable[dict[str, Any]] = load("names/kinds")["kinds"]
    return [(fact["kind"], re.compile("|".join(fact["patterns"]))) for fact in facts]
