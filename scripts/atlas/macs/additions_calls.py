"""How ControlNets and adapters are called, and what the denoiser is given of theirs."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from atlas.architectures.architecture import Architecture, Component
from atlas.basis.errors import AtlasError, nearest
from atlas.macs.additions import Addition

Inputs = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """The size that an addition is run at, and what the denoiser is given there."""

    architecture: Architecture
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    batch: int
    denoiser: Mapping[str, Any]
    """Arguments of the denoiser's forward."""


class Combined(torch.nn.Module):
    """A denoiser's forward with a network run beside it, whose outputs it is given."""

    def __init__(
        self,
        denoiser: torch.nn.Module,
        network: torch.nn.Module,
        given: Callable[[Any, Mapping[str, Any]], Inputs],
    ) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.network = network
        self._given = given

    def forward(self, *, denoiser: Inputs, network: Inputs) -> Any:
        """Run both; what the network made is alive until the denoiser is done."""
        made = self._given(self.network(**network), self.network.config)  # type: ignore[arg-type]
        return self.denoiser(**denoiser, **made)


class Fed(torch.nn.Module):
    """A denoiser's forward that is given a T2I-Adapter's features, copied as the pipeline does."""

    def __init__(self, denoiser: torch.nn.Module) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, *, denoiser: Inputs, features: list[torch.Tensor]) -> Any:
        """Run the denoiser, which takes the copies out of their list as it uses them."""
        copies = [feature.clone() for feature in features]
        return self.denoiser(**denoiser, down_intrablock_additional_residuals=copies)


def combined(addition: Addition, denoiser: torch.nn.Module, network: torch.nn.Module) -> Combined:
    """
    Return a ControlNet's and the denoiser's forward as one module.

    Raises
    ------
    AtlasError
        for a class of which nobody knows what the denoiser is given.
    """
    kind = type(network).__name__
    if kind not in GIVEN:
        raise AtlasError(
            f"{addition.origin}: what a denoiser is given of {kind} is not known"
            f"{nearest(kind, GIVEN)}; add it to scripts/atlas/macs/additions_calls.py"
        )
    if kind == "ZImageControlNetModel":
        # It runs embedders and refiners of the denoiser's own.
        network = network.from_transformer(network, denoiser)  # type: ignore[operator]
    return Combined(denoiser, network, GIVEN[kind])


def controlnet(addition: Addition, network: torch.nn.Module, place: Place) -> Inputs:
    """
    Return a ControlNet's arguments: the denoiser's where it has the same, and its image.

    A ControlNet is made of the denoiser's own blocks, so it takes what they take.
    """
    known = inspect.signature(type(network).forward).parameters
    arguments = {name: value for name, value in place.denoiser.items() if name in known}
    config: Mapping[str, Any] = network.config  # type: ignore[assignment]
    image = _image(addition, config, place)
    if "control_context" in known:
        lists = [image[:1].squeeze(0).unsqueeze(1)] * place.batch
        return arguments | {"control_context": lists}
    arguments["controlnet_cond"] = image
    if "guidance" in known:
        # FLUX.1's takes the scale where it was trained to, whether or not the denoiser does.
        arguments.pop("guidance", None)
        if config["guidance_embeds"]:
            arguments["guidance"] = _floats(place, place.batch)
    if config.get("num_mode"):
        mode = torch.empty(place.batch, 1, dtype=torch.int64, device="meta")
        arguments["controlnet_mode"] = mode
    if "control_type" in known:
        arguments["controlnet_cond"] = [image]
        arguments["control_type"] = _floats(place, place.batch, config["num_control_type"])
        arguments["control_type_idx"] = [0]
    return arguments


def _image(addition: Addition, config: Mapping[str, Any], place: Place) -> torch.Tensor:
    """Return the control image as the pipeline gives it: [batch, ...]."""
    if addition.image == "pixels":
        return _pixels(place, config.get("conditioning_channels", 3))
    if addition.image == "packed latent":
        *shape, channels = place.denoiser["hidden_states"].shape
        return _floats(place, *shape, channels + addition.extra_channels)
    channels = place.architecture.latent.channels + addition.extra_channels
    columns, rows = place.architecture.latent_size(place.width, place.height)
    return _floats(place, place.batch, channels, rows, columns)


def _pixels(place: Place, channels: int) -> torch.Tensor:
    return _floats(place, place.batch, channels, place.height, place.width)


def _floats(place: Place, *shape: int) -> torch.Tensor:
    return torch.empty(*shape, dtype=torch.float16, device="meta")


def t2i_adapter(network: torch.nn.Module, place: Place) -> Inputs:
    """Return a T2I-Adapter's arguments: the image in pixels."""
    return {"x": _pixels(place, int(network.config["in_channels"]))}  # type: ignore[index]


def _unet(made: Any, _: Mapping[str, Any]) -> Inputs:
    down, middle = made
    return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


def _flux(made: Any, config: Mapping[str, Any]) -> Inputs:
    double, single = made
    return {
        "controlnet_block_samples": double,
        "controlnet_single_block_samples": single,
        # As the pipeline has it: XLabs' two blocks, which take pixels, go to all in turn.
        "controlnet_blocks_repeat": config["conditioning_embedding_channels"] is not None,
    }


def _sd3(made: Any, _: Mapping[str, Any]) -> Inputs:
    return {"block_controlnet_hidden_states": made[0]}


def _samples(made: Any, _: Mapping[str, Any]) -> Inputs:
    return {"controlnet_block_samples": made[0] if isinstance(made, tuple) else made}


GIVEN: dict[str, Callable[[Any, Mapping[str, Any]], Inputs]] = {
    "ControlNetModel": _unet,
    "ControlNetUnionModel": _unet,
    "FluxControlNetModel": _flux,
    "HunyuanDiT2DControlNetModel": _samples,
    "QwenImageControlNetModel": _samples,
    "SD3ControlNetModel": _sd3,
    "SanaControlNetModel": _samples,
    "ZImageControlNetModel": _samples,
}
"""Class of ControlNet to what makes the denoiser's further arguments of its outputs."""


def misfit(addition: Addition, architecture: Architecture) -> str | None:
    """Return why an addition does not go with an architecture; None if it does."""
    fitting, denoiser = addition.denoiser, architecture.denoiser
    if fitting is None:
        return None
    if denoiser.class_name != fitting.class_name:
        return f"made for {fitting.class_name}, not {denoiser.class_name}"
    for key, wanted in fitting.config.items():
        found = _value(denoiser, key)
        if found != wanted:
            return f"made for a denoiser with {key} {wanted}, not {found}"
    return None


def _value(denoiser: Component, key: str) -> Any:
    """Return a value of a configuration, or its class's default, as YAML would have it."""
    found = denoiser.config.get(key)
    if key not in denoiser.config:
        import diffusers

        known = inspect.signature(getattr(diffusers, denoiser.class_name).__init__).parameters
        found = known[key].default if key in known else None
    return list(found) if isinstance(found, tuple) else found
