"""The networks of a latent diffusion pipeline: configured, held against their files, loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import diffusers
import torch
import transformers
from torch import nn

from atlas.basis.errors import AtlasError
from atlas.checkpoint.selection import weight_sets
from atlas.networks import fitting
from atlas.networks.sources import Source
from atlas.tensors.tensors import Tensor

ENCODERS = ("CLIPTextModel", "CLIPTextModelWithProjection")
"""Classes of text encoders that run here."""

CLASSES = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": ENCODERS[0],
    "text_encoder_2": ENCODERS[1],
}
"""Class of a component whose configuration does not say it."""


@dataclass(frozen=True)
class Components:
    """
    A source's networks by the component's name.

    What the source itself lacks, such as the text encoders of a UNet that was distilled, is taken
    of the folder that its configuration comes from, where that one has it.
    """

    source: Source

    def has(self, component: str) -> bool:
        """Tell whether there are weights of a component."""
        return self._place(component) is not None

    def tensors(self, component: str) -> dict[str, Tensor]:
        """
        Return a component's tensors by name, as `Source.required` does, without positions.

        Raises
        ------
        AtlasError
            The component is not there.
        """
        if (place := self._place(component)) is None:
            there = ", ".join(sorted(self._given))
            unread = self.source.checkpoint.unread.get(component)
            why = unread.in_full if unread else f"it has {there}"
            raise AtlasError(
                f"{self.source.path}: has no {component}, which Stable Diffusion needs ({why}); "
                "name a diffusers folder that has its weights (configuration: folder)"
            )
        found = place.tensors(component)
        return {name: tensor for name, tensor in found.items() if fitting.POSITIONS not in name}

    def numel(self, component: str) -> int:
        """Return how many weights a component has."""
        return sum(tensor.numel for tensor in self.tensors(component).values())

    def config(self, component: str) -> Mapping[str, Any]:
        """
        Return how a component is built: of the folders, else of the catalogue.

        Raises
        ------
        AtlasError
            Neither has it.
        """
        if (told := self.source.config(component)) is not None:
            return told
        entry = self.source.catalogued("unet")
        if entry is None or component not in entry.components:
            raise AtlasError(
                f"{self.source.path}: how its {component} is built is told by no folder and no "
                "entry of the catalogue; name a diffusers folder that has "
                f"{component}/config.json (configuration: folder)"
            )
        return entry.components[component].config

    def class_name(self, component: str) -> str:
        """
        Return the class of a component.

        Raises
        ------
        AtlasError
            It is none that runs here.
        """
        config = self.config(component)
        stated = config.get("_class_name") or next(iter(config.get("architectures") or ()), None)
        name = str(stated or CLASSES[component])
        known = ENCODERS if component.startswith("text_encoder") else (CLASSES[component],)
        if name not in known:
            raise AtlasError(
                f"{self.source.path}: its {component} is a {name}; the probe stable_diffusion runs "
                f"{' and '.join(known)} there"
            )
        return name

    def skeleton(self, component: str) -> nn.Module:
        """
        Return a component on torch's meta device, in float32.

        Raises
        ------
        AtlasError
            Its configuration makes no network, or another than that of its tensors.
        """
        network = self._built(component)
        shapes = {name: tensor.shape for name, tensor in self.tensors(component).items()}
        expected = fitting.expected(network)
        fitting.check(
            fitting.renamed(shapes, expected),
            expected,
            lambda faults: (
                f"{self.source.path}: the tensors of its {component} are not those that its "
                f"configuration tells: {faults}; give the configuration that belongs to it"
            ),
        )
        return network

    def load(self, component: str, *, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Read a component's weights, and return it, ready on the device."""
        network = self.skeleton(component)
        names, place = self.tensors(component), self._place(component)
        assert place is not None
        return fitting.loaded(network, place.state(component, names), dtype=dtype).to(device)

    def _place(self, component: str) -> Source | None:
        """Return the source that has a component: the given one, or its configuration's folder."""
        if component in self._given:
            return self.source
        return self._folder if self._folder and component in _components(self._folder) else None

    @cached_property
    def _given(self) -> frozenset[str]:
        return _components(self.source)

    @cached_property
    def _folder(self) -> Source | None:
        folder = self.source.configuration
        if folder is None or folder == self.source.path:
            return None
        if not any(weight_sets(each) for each in folder.iterdir() if each.is_dir()):
            return None
        return Source(self.source.name, folder)

    def _built(self, component: str) -> nn.Module:
        config, name = dict(self.config(component)), self.class_name(component)
        try:
            with torch.device("meta"):
                if name in ENCODERS:
                    settings = transformers.CLIPTextConfig.from_dict(config)
                    network: nn.Module = getattr(transformers, name)(settings)
                else:
                    network = getattr(diffusers, name).from_config(config)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise AtlasError(
                f"{self.source.path}: no {name} can be made of the configuration of its "
                f"{component} ({error}); compare it with that of the model's publisher"
            ) from error
        return network.eval().requires_grad_(False)


def _components(source: Source) -> frozenset[str]:
    return frozenset(tensor.component for tensor in source.checkpoint.tensors)
