"""Prompts as a network of Stable Diffusion is given them: one text encoder, or XL's two."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from atlas.activations.sources import Source
from atlas.basis.errors import AtlasError

HUB = {
    "tokenizer": "openai/clip-vit-large-patch14",
    "tokenizer_2": "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
}
"""Where transformers finds the tokenisers of CLIP's text encoders."""

logging.getLogger("transformers").setLevel(logging.ERROR)  # of texts that are cut


@dataclass(frozen=True)
class Encoded:
    """Texts, encoded."""

    states: torch.Tensor
    """(texts, tokens, width)."""
    pooled: torch.Tensor | None
    """(texts, width), of XL alone."""


class TextEncoding:
    """
    Tokenisers and text encoders.

    Parameters
    ----------
    encoders
        One, or XL's two.
    blanks_are_zero
        Whether no text is encoded as zeros, as XL's pipeline does.
    """

    def __init__(
        self, source: Source, encoders: Sequence[nn.Module], *, blanks_are_zero: bool
    ) -> None:
        names = list(HUB)[: len(encoders)]
        self._tokenizers = [_tokenizer(source, name) for name in names]
        self._encoders = list(encoders)
        self._blanks_are_zero = blanks_are_zero

    def of(self, texts: Sequence[str], device: torch.device) -> Encoded:
        """Return texts as the UNet takes them."""
        if len(self._encoders) == 1:
            ids, mask = self._ids(0, texts, device)
            config: Any = self._encoders[0].config
            given = {"attention_mask": mask} if getattr(config, "use_attention_mask", 0) else {}
            return Encoded(self._encoders[0](ids, **given)[0], None)
        parts, pooled = [], None
        for place, encoder in enumerate(self._encoders):
            ids, _ = self._ids(place, texts, device)
            output = encoder(ids, output_hidden_states=True)
            parts.append(output.hidden_states[-2])
            pooled = output[0]
        return Encoded(torch.cat(parts, dim=-1), pooled)

    def of_nothing(self, text: str, count: int, device: torch.device) -> Encoded:
        """Return the negative prompt, or none, for each of so many samples."""
        encoded = self.of([text], device)
        if not text and self._blanks_are_zero:
            zeros = None if encoded.pooled is None else torch.zeros_like(encoded.pooled)
            encoded = Encoded(torch.zeros_like(encoded.states), zeros)
        pooled = None if encoded.pooled is None else encoded.pooled.expand(count, -1)
        return Encoded(encoded.states.expand(count, -1, -1), pooled)

    def _ids(
        self, place: int, texts: Sequence[str], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tokenizer = self._tokenizers[place]
        told = tokenizer(
            list(texts),
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        return told.input_ids.to(device), told.attention_mask.to(device)


def _tokenizer(source: Source, name: str) -> Any:
    from transformers import AutoTokenizer

    folder = next((each / name for each in source.folders if (each / name).is_dir()), None)
    place: Path | str = folder if folder is not None else HUB[name]
    try:
        return AutoTokenizer.from_pretrained(place)
    except (OSError, ValueError) as error:
        raise AtlasError(
            f"{source.path}: has no {name}, and {HUB[name]} can't be had from the hub "
            f"({type(error).__name__}); name a diffusers folder that has it (configuration: folder)"
        ) from error
