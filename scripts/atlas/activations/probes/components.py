"""The networks of a latent diffusion pipeline: configured, held against their files, loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import diffusers
import torch
import transformers
from torch import nn

from atlas.activations.sources import Source
from atlas.basis.errors import AtlasError
from atlas.checkpoint.selection import weight_sets
from atlas.tensors.tensors import Tensor

Value = TypeVar("Value")

PREFIX = "text_model."
"""Under which text encoders are kept on disk; transformers' own names may lack it."""

POSITIONS = "position_ids"
"""Numbers 0, 1, 2, …, which old files hold as if they were weights."""

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
        return {name: tensor for name, tensor in found.items() if POSITIONS not in name}

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
        expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        _check_fit(self.source, component, expected, _renamed(shapes, expected))
        return network

    def load(self, component: str, *, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Read a component's weights, and return it, ready on the device."""
        network = self.skeleton(component)
        names, place = self.tensors(component), self._place(component)
        assert place is not None
        weights = _renamed(place.state(component, names), network.state_dict())
        shapes = {name: value.shape for name, value in network.state_dict().items()}
        for name in list(weights):
            weights[name] = weights[name].to(dtype).reshape(shapes[name]).contiguous()
        network.load_state_dict(weights, assign=True)
        _number_positions(network)
        return network.eval().requires_grad_(False).to(device)

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


def _renamed(named: Mapping[str, Value], expected: Mapping[str, object]) -> dict[str, Value]:
    """Leave out PREFIX where the network's own names lack it."""
    if any(name.startswith(PREFIX) for name in expected):
        return dict(named)
    return {name.removeprefix(PREFIX): value for name, value in named.items()}


def _number_positions(network: nn.Module) -> None:
    """Make the one buffer that is no weight, and so was left on the meta device."""
    for name, buffer in list(network.named_buffers()):
        if name.endswith(POSITIONS):
            owner, _, own = name.rpartition(".")
            numbers = torch.arange(buffer.shape[-1]).expand(buffer.shape)
            network.get_submodule(owner).register_buffer(own, numbers, persistent=False)


def _whole(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape as the atlas has it: 1 × 1 convolutions are matrices."""
    whole = tuple(shape)
    return whole[:2] if len(whole) == 4 and whole[2:] == (1, 1) else whole


def _check_fit(
    source: Source,
    component: str,
    expected: Mapping[str, tuple[int, ...]],
    found: Mapping[str, tuple[int, ...]],
) -> None:
    """
    Hold names and shapes of tensors against those of the network.

    Raises
    ------
    AtlasError
        They are not the same: this is another network, or its configuration another's.
    """
    faults = []
    if missing := sorted(expected.keys() - found.keys()):
        faults.append(f"{len(missing)} of {len(expected)} are missing ({missing[0]}, …)")
    if surplus := sorted(found.keys() - expected.keys()):
        faults.append(f"{len(surplus)} have no place in it ({surplus[0]}, …)")
    common = [name for name in expected if name in found]
    if other := [name for name in common if _whole(expected[name]) != _whole(found[name])]:
        name = other[0]
        faults.append(
            f"{len(other)} are of other shape ({name}: {list(found[name])} instead of "
            f"{list(expected[name])}, …)"
        )
    if faults:
        raise AtlasError(
            f"{source.path}: the tensors of its {component} are not those that its configuration "
            f"tells: {'; '.join(faults)}; give the configuration that belongs to it"
        )
