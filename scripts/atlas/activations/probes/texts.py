"""Texts as the UNets of Stable Diffusion are told them: embedded by its one or two encoders."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from atlas.activations.probes.components import Components
from atlas.architectures import catalogue
from atlas.basis.errors import AtlasError
from atlas.networks import tokenizers

LOG = logging.getLogger(__name__)

ENCODERS = ("text_encoder", "text_encoder_2")

REMEMBERED = 256
"""Texts whose embeddings are kept; a list of prompts is gone through again and again."""


@dataclass(frozen=True)
class Told:
    """What the UNet is told of texts."""

    states: torch.Tensor
    """(texts, tokens, width): of each token."""
    pooled: torch.Tensor | None = None
    """(texts, width): of each text as a whole; None where one encoder makes the states."""

    @classmethod
    def joined(cls, parts: Sequence["Told"]) -> "Told":
        """Return what texts are told, one after the other."""
        pooled = [part.pooled for part in parts if part.pooled is not None]
        return cls(
            torch.cat([part.states for part in parts]), torch.cat(pooled) if pooled else None
        )

    @property
    def nothing(self) -> "Told":
        """Zeros: what SDXL is told where there is no text."""
        pooled = None if self.pooled is None else torch.zeros_like(self.pooled)
        return Told(torch.zeros_like(self.states), pooled)


class TextEncoding:
    """
    The tokenisers and text encoders of a pipeline.

    One encoder gives its last hidden states; two give their last but one, side by side, and the
    second one's projection of the whole text (Podell et al. 2023, https://arxiv.org/abs/2307.01952,
    section 2.1).

    Parameters
    ----------
    is_double
        Whether there are two encoders.

    Raises
    ------
    AtlasError
        A tokeniser is neither in the folders nor on the hub.
    """

    def __init__(self, components: Components, *, is_double: bool) -> None:
        self._components = components
        self._names = ENCODERS if is_double else ENCODERS[:1]
        self._is_double = is_double
        self._remembered: dict[str, Told] = {}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """Read the encoders' weights, and make them ready on the device."""
        self._device = device
        self._remembered.clear()
        self._encoders = [
            self._components.load(name, device=device, dtype=dtype) for name in self._names
        ]
        _ = self._tokenizers

    def told(self, texts: Sequence[str]) -> Told:
        """Return what the UNet is told of texts; each is embedded by itself, whatever is beside."""
        return Told.joined([self._one(text) for text in texts])

    def _one(self, text: str) -> Told:
        if text not in self._remembered:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[text] = self._embedded(text)
        return self._remembered[text]

    def _embedded(self, text: str) -> Told:
        states, pooled = [], None
        for tokenizer, encoder in zip(self._tokenizers, self._encoders, strict=True):
            output: Any = encoder(
                _tokens(text, tokenizer, encoder).to(self._device),
                output_hidden_states=self._is_double,
            )
            states.append(output.hidden_states[-2] if self._is_double else output[0])
            pooled = output[0] if self._is_double else None
        return Told(torch.cat(states, dim=-1), pooled)

    @cached_property
    def _tokenizers(self) -> list[Any]:
        return [self._tokenizer(name.replace("text_encoder", "tokenizer")) for name in self._names]

    def _tokenizer(self, name: str) -> Any:
        source = self._components.source
        for folder in source.folders:
            if (folder / name).is_dir():
                return tokenizers.opened(folder / name)
        entry = source.catalogued("unet")
        repository = catalogue.load("sdxl").repository if self._is_double else None
        repository = repository or (entry and entry.repository) or catalogue.load("sd15").repository
        assert repository is not None
        try:
            return tokenizers.opened(tokenizers.fetched(repository, name))
        except AtlasError as error:
            raise AtlasError(
                f"{source.path}: has no {name} of its own ({error}); give configuration: a "
                "diffusers folder that has it"
            ) from error


def _tokens(text: str, tokenizer: Any, encoder: nn.Module) -> torch.Tensor:
    """Return int64 (1, tokens): cut off, or filled up, to as many as the encoder takes."""
    config: Any = encoder.config
    most = min(tokenizer.model_max_length, config.max_position_embeddings)
    tokens: torch.Tensor = tokenizer(
        text, padding="max_length", max_length=most, truncation=True, return_tensors="pt"
    ).input_ids
    if (whole := len(tokenizer(text, verbose=False).input_ids)) > most:
        LOG.warning("a prompt has %d tokens, the network reads the first %d: %s", whole, most, text)
    return tokens
