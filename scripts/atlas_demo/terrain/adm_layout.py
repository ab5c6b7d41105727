"""OpenAI's keys of a UNet (input_blocks, middle_block, output_blocks) and diffusers' names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.basis.errors import AtlasError
from atlas_demo import facts

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Place:
    """Where a module of OpenAI's network is in diffusers'."""

    modules: tuple[str, ...]
    """Canonical names; several share the tensor in equal parts along its first axis."""
    is_attention: bool
    """OpenAI's attention is 1 x 1 convolutions: two trailing axes that diffusers has not."""


@dataclass(frozen=True)
class AdmLayout:
    """
    Rename weights without changing an element.

    Parameters
    ----------
    unet
        Config of diffusers' UNet2DModel; the numbers of the blocks follow from it.
    words
        Module names `outside` the blocks, and within a `resnet` and an `attention`.
    """

    unet: Mapping[str, Any]
    words: Mapping[str, Mapping[str, Any]]

    def to_diffusers(self, weights: Mapping[str, np.ndarray]) -> Weights:
        """
        Return the weights under canonical names, such as unet/conv_in.weight.

        Raises
        ------
        AtlasError
            If a key has no place in the network.
        """
        places = self._places()
        named: Weights = {}
        for key, array in weights.items():
            module, _, kind = key.rpartition(".")
            if module not in places:
                raise AtlasError(f"the key {key} has no place in the network's layout")
            place = places[module]
            if place.is_attention and array.ndim > 1:
                array = array.reshape(array.shape[:2])
            parts = np.split(array, len(place.modules))
            for target, part in zip(place.modules, parts, strict=True):
                named[f"{target}.{kind}"] = part
        return named

    def to_adm(self, named: Mapping[str, np.ndarray]) -> Weights:
        """Return canonically named weights under OpenAI's keys: the way back."""
        weights: Weights = {}
        for module, place in self._places().items():
            for kind in ("weight", "bias"):
                if f"{place.modules[0]}.{kind}" not in named:
                    continue  # not every resnet has a skip connection
                array = np.concatenate([named[f"{target}.{kind}"] for target in place.modules])
                if place.is_attention and array.ndim > 1:
                    array = array[:, :, None, None]
                weights[f"{module}.{kind}"] = array
        return weights

    def _places(self) -> dict[str, Place]:
        places = {ours: Place((theirs,), False) for ours, theirs in self.words["outside"].items()}
        for source, target, kind in _units(self.unet):
            for ours, theirs in self.words[kind].items():
                modules = tuple(f"unet/{target}.{name}" for name in theirs)
                places[f"{source}.{ours}"] = Place(modules, kind == "attention")
        return places


def terrain_layout() -> AdmLayout:
    """Return the layout of the terrain networks."""
    terrain = facts.terrain()
    return AdmLayout(terrain["components"]["unet"], terrain["layout"])


def _units(unet: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield OpenAI's module, diffusers' module and its kind for each resnet and attention."""
    yield from _down(unet)
    yield "middle_block.0", "mid_block.resnets.0", "resnet"
    yield "middle_block.1", "mid_block.attentions.0", "attention"
    yield "middle_block.2", "mid_block.resnets.1", "resnet"
    yield from _up(unet)


def _down(unet: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    number = 1  # input_blocks.0 is the first convolution
    for level, kind in enumerate(unet["down_block_types"]):
        block = f"down_blocks.{level}"
        for layer in range(unet["layers_per_block"]):
            yield f"input_blocks.{number}.0", f"{block}.resnets.{layer}", "resnet"
            if kind.startswith("Attn"):
                yield f"input_blocks.{number}.1", f"{block}.attentions.{layer}", "attention"
            number += 1
        if level + 1 < len(unet["down_block_types"]):
            yield f"input_blocks.{number}.0", f"{block}.downsamplers.0", "resnet"
            number += 1


def _up(unet: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    layers = unet["layers_per_block"] + 1
    for level, kind in enumerate(unet["up_block_types"]):
        block, has_attention = f"up_blocks.{level}", kind.startswith("Attn")
        for layer in range(layers):
            number = level * layers + layer
            yield f"output_blocks.{number}.0", f"{block}.resnets.{layer}", "resnet"
            if has_attention:
                yield f"output_blocks.{number}.1", f"{block}.attentions.{layer}", "attention"
        if level + 1 < len(unet["up_block_types"]):
            yield f"output_blocks.{number}.{1 + has_attention}", f"{block}.upsamplers.0", "resnet"
