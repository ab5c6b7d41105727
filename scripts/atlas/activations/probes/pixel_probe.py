"""What probes of preconditioned UNets of pixels have in common: noise levels, drawing, showing."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from diffusers import UNet2DModel
from torch import nn

from atlas.activations.layers import Place
from atlas.activations.probes import preconditioning, samplers
from atlas.activations.probes.labels import Labels
from atlas.activations.probes.preconditioning import SIGMA_MAX
from atlas.activations.probes.probe import Column, Images, Probe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.basis.errors import AtlasError
from atlas.networks import fitting
from atlas.networks.sources import Source

EMBEDDING = "label_embedding"
"""Module that embeds labels, beside the UNet2DModel's own."""

IDENTITY = "identity"
"""Kind of class embedding that adds what it is given: labels are embedded beside the network."""


class ClassTable(nn.Module):
    """A row for each class; a blend of classes is that blend of their rows, no label adds 0."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, width))

    def forward(self, shares: torch.Tensor) -> torch.Tensor:
        """Return (samples, width) for each class's share, (samples, classes)."""
        return shares @ self.weight


class PixelProbe(Probe):
    """
    A `UNet2DModel` of pixels that estimates images from noisy ones, whatever their noise level.

    Images are drawn from noise of level 80. Layers are kept at that level in the drawing's first
    forward, and at any other in a forward of their own, of the drawn image with fresh noise.
    """

    time_name = "sigma"
    takes = frozenset({"preconditioning", "sigma", "steps", "labels"})
    config: Mapping[str, Any]
    """Arguments of UNet2DModel, with the IDENTITY as class embedding where there are labels."""
    labels: Labels

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        self._times = _noise_levels(self.options.get("sigma"))
        self._steps = _whole(self.options.get("steps"))

    @property
    def preconditioning(self) -> preconditioning.Preconditioning:
        """How the network is told the noise level."""
        stated = self.options.get("preconditioning")
        return preconditioning.kind(self.usual_preconditioning if stated is None else stated)

    @property
    @abstractmethod
    def usual_preconditioning(self) -> str:
        """Name of the preconditioning where the options state none."""

    @abstractmethod
    def label_embedding(self) -> nn.Module | None:
        """Return a new module that embeds labels, or None where the network takes none."""

    @abstractmethod
    def weights(self, *, device: str) -> dict[str, torch.Tensor]:
        """
        Return the weights under the network's names, in the dtypes of the file.

        Parameters
        ----------
        device
            `meta`: nothing is read; `cpu`: all is.
        """

    def _check_levels(self) -> None:
        """Raise AtlasError where a noise level is too low for the preconditioning, or unknown."""
        kind = self.preconditioning
        if (lowest := min(self.times)) < kind.least:
            raise AtlasError(
                f"sigma: {lowest:g} is below {kind.least:g}, where a {kind.name} model leaves "
                "images as they are; give higher noise levels"
            )

    @cached_property
    def skeleton(self) -> nn.Module:
        """The network on torch's meta device, with the modules' paths that `load` gives, too."""
        network = self._built()
        found = self.weights(device="meta")
        fitting.check(
            {name: tuple(value.shape) for name, value in found.items()},
            {name: tuple(value.shape) for name, value in network.state_dict().items()},
            lambda faults: (
                f"{self.source.path}: its tensors are not those of the UNet2DModel that its "
                f"configuration or its names tell: {faults}; give the file or the configuration "
                "that belongs to the other"
            ),
        )
        return network

    def _built(self) -> nn.Module:
        try:
            with torch.device("meta"):
                network: nn.Module = UNet2DModel.from_config(dict(self.config))
                if (embedding := self.label_embedding()) is not None:
                    network.add_module(EMBEDDING, embedding)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise AtlasError(
                f"{self.source.path}: diffusers can't make a UNet2DModel of its configuration "
                f"({error}); compare it with that of the model's publisher"
            ) from error
        return network.eval().requires_grad_(False)

    def inputs(self, batch: int) -> Mapping[str, Any]:
        """Return the keyword arguments of one forward of a batch's samples, on the meta device."""
        inputs = {
            "sample": torch.empty(batch, *self._shape, device="meta"),
            "timestep": torch.empty(batch, device="meta"),
        }
        if self._is_labelled:
            inputs["class_labels"] = torch.empty(batch, self._embedded_width, device="meta")
        return {**inputs, "return_dict": False}

    @property
    def short_names(self) -> Mapping[str, Place]:
        """Layers by short name, in the order of the network."""
        levels = range(len(self.config["block_out_channels"]))
        return {
            "conv_in": Place("conv_in"),
            **{f"down.{level}": Place(f"down_blocks.{level}") for level in levels},
            "mid": Place("mid_block"),
            **{f"up.{level}": Place(f"up_blocks.{level}") for level in levels},
        }

    @property
    def default_layers(self) -> Sequence[str]:
        """The middle block."""
        return ("mid",)

    @property
    def times(self) -> tuple[float, ...]:
        """Noise levels at which values are kept, from high to low."""
        return self._times

    @property
    def forwards(self) -> int:
        """Forwards of the network that a sample takes."""
        others = sum(level != SIGMA_MAX for level in self.times)
        return self._sampler.forwards(self._steps) + others

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights, which run in float32."""
        return 4 * sum(weight.numel() for weight in self.skeleton.parameters())

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""
        side = self.config["sample_size"]
        return (side, side) if isinstance(side, int) else (side[0], side[1])

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, Column]:
        """Return the samples' labels, where the network takes any."""
        return self.labels.columns(seed, indices)

    def load(self, device: torch.device) -> nn.Module:
        """Read the weights, and return the network, ready on the device, in float32."""
        _ = self.skeleton  # tells what does not fit before the weights are read
        network = self._built()
        weights = self.weights(device="cpu")
        for name in list(weights):
            weights[name] = weights[name].to(torch.float32).contiguous()
        network.load_state_dict(weights, assign=True)
        self._network = network.requires_grad_(False).to(device)
        self._device = device
        return self._network

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        """Draw a batch's images; the forwards of `times` run inside `kept.keeping(time)`."""
        vectors = self.labels.vectors(batch.seed, batch.indices).to(self._device)
        label = self._network.get_submodule(EMBEDDING)(vectors) if self._is_labelled else None

        def estimate(noisy: torch.Tensor, sigma: float) -> torch.Tensor:
            # samplers begin at this level, and are there once
            if sigma != SIGMA_MAX or sigma not in self.times:
                return self._denoised(noisy, sigma, label)
            with kept.keeping(sigma):
                return self._denoised(noisy, sigma, label)

        def noise(purpose: str) -> torch.Tensor:
            return batch.noise(self._shape, purpose).to(self._device)

        images = self._sampler.draw(estimate, noise, steps=self._steps).clamp(-1, 1)
        for sigma in self.times:
            if sigma != SIGMA_MAX:
                self._show(images, sigma, batch, label, kept)
        return as_images(images)

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        """Show given images, with noise and without a label, to the network at each of `times`."""
        shown = as_pixels(images, channels=self._shape[0]).to(self._device)
        label = torch.zeros(len(shown), self._embedded_width, device=self._device)
        for sigma in self.times:
            self._show(shown, sigma, batch, label if self._is_labelled else None, kept)

    def _show(
        self,
        images: torch.Tensor,
        sigma: float,
        batch: Batch,
        label: torch.Tensor | None,
        kept: Recorder,
    ) -> None:
        noise = batch.noise(self._shape, f"noise at {sigma!r}").to(self._device)
        with kept.keeping(sigma):
            self._denoised(images + sigma * noise, sigma, label)

    def _denoised(
        self, noisy: torch.Tensor, sigma: float, label: torch.Tensor | None
    ) -> torch.Tensor:
        def forward(given: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self._network(
                given, time, class_labels=label, return_dict=False
            )[0]
            return output

        level = torch.full((len(noisy),), sigma, device=self._device)
        return self.preconditioning.denoised(forward, noisy, level)

    @property
    def _sampler(self) -> samplers.Sampler:
        return samplers.OF[self.preconditioning.name]

    @property
    def _shape(self) -> tuple[int, int, int]:
        return (int(self.config["in_channels"]), *self.image_size)

    @property
    def _is_labelled(self) -> bool:
        return self.config.get("class_embed_type") == IDENTITY

    @property
    def _embedded_width(self) -> int:
        return int(
            self.config.get("time_embedding_dim") or 4 * self.config["block_out_channels"][0]
        )


def as_images(pixels: torch.Tensor) -> Images:
    """
    Return images of pixels, -1 to 1: ⌊127.5·x + 128⌋, cut off at 0 and 255; one channel as grey.

    What is not a number is black.

    Parameters
    ----------
    pixels
        (samples, 1 or 3, height, width).
    """
    levels = (127.5 * pixels + 128).nan_to_num(0).clamp(0, 255).to(torch.uint8)
    images: Images = levels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return images


def as_pixels(images: Images, *, channels: int) -> torch.Tensor:
    """Return float32 (samples, channels, height, width), -1 to 1; for one channel, their mean."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1
    return pixels.mean(1, keepdim=True) if channels == 1 else pixels


def _noise_levels(option: Any) -> tuple[float, ...]:
    given = SIGMA_MAX if option is None else option
    levels = list(given) if isinstance(given, list | tuple) else [given]
    for level in levels:
        if type(level) not in (int, float) or not 0 < level < math.inf:
            raise AtlasError(
                f"sigma: {level!r} is no noise level; give numbers above 0, such as 80"
            )
    if not levels:
        raise AtlasError("sigma: the list is empty; give noise levels, such as [80, 0.5]")
    return tuple(sorted({float(level) for level in levels}, reverse=True))


def _whole(option: Any) -> int:
    steps = 1 if option is None else option
    if type(steps) is not int or steps < 1:
        raise AtlasError(f"steps: {steps!r} is no number of steps; give a whole number from 1 up")
    return steps
