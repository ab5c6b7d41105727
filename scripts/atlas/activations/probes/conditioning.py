"""What SDXL's UNet is told beside the states of a text: the text as a whole, and sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from atlas.activations.probes.components import Components
from atlas.activations.probes.texts import Told
from atlas.basis.errors import AtlasError

PROJECTION = "text_projection.weight"

SIZES = 6
"""Height and width of the original, crop from top and left, height and width of the target."""


@dataclass(frozen=True)
class Conditioning:
    """What is told beside states: nothing with one text encoder, `added_cond_kwargs` with two."""

    is_double: bool
    pooled_width: int = 0
    is_nothing_zero: bool = False
    """Whether no text is told as zeros, not as the embedding of an empty one."""

    def further(self, told: Told, image_size: tuple[int, int]) -> dict[str, Any]:
        """
        Return further arguments of the UNet's forward.

        The image is told to be of its own size and not cropped (Podell et al. 2023,
        https://arxiv.org/abs/2307.01952, section 2.2).

        Parameters
        ----------
        image_size
            Height and width.
        """
        if not self.is_double:
            return {}
        sizes = told.states.new_tensor([*image_size, 0, 0, *image_size])
        added = {"text_embeds": told.pooled, "time_ids": sizes.expand(len(told.states), -1)}
        return {"added_cond_kwargs": added}

    def empty(self, rows: int, dtype: torch.dtype) -> dict[str, Any]:
        """Return further arguments of so many rows, on the meta device."""
        if not self.is_double:
            return {}
        pooled = torch.empty(rows, self.pooled_width, device="meta", dtype=dtype)
        sizes = torch.empty(rows, SIZES, device="meta", dtype=dtype)
        return {"added_cond_kwargs": {"text_embeds": pooled, "time_ids": sizes}}


def is_double(config: Mapping[str, Any]) -> bool:
    """Tell whether a UNet is told texts by two encoders."""
    return config.get("addition_embed_type") is not None


def of(config: Mapping[str, Any], components: Components) -> Conditioning:
    """
    Return how a UNet is told texts, by its configuration.

    Raises
    ------
    AtlasError
        It is told more than texts and sizes.
    """
    if not is_double(config):
        return Conditioning(is_double=False)
    source = components.source
    if (kind := config["addition_embed_type"]) != "text_time":
        raise AtlasError(
            f"{source.path}: its UNet is told more than texts and sizes ({kind}); no probe runs it"
        )
    width = config["projection_class_embeddings_input_dim"]
    pooled = width - SIZES * config["addition_time_embed_dim"]
    given = components.tensors("text_encoder_2").get(PROJECTION)
    if given is None or given.shape[0] != pooled:
        raise AtlasError(
            f"{source.path}: its UNet takes {width} numbers of text and sizes, which its second "
            f"text encoder and {SIZES} sizes do not make; SDXL's refiner is told other things, and "
            "is run by no probe"
        )
    index = source.json("model_index.json") or {}
    return Conditioning(
        is_double=True,
        pooled_width=pooled,
        is_nothing_zero=bool(index.get("force_zeros_for_empty_prompt", True)),
    )
