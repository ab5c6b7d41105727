"""What the catalogue knows of an architecture, as plain values: no torch here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["UNet", "DiT", "MMDiT"]
Guidance = Literal["classifier-free", "distilled", "none"]


@dataclass(frozen=True)
class Component:
    """One model of a pipeline: its class and the arguments of its configuration."""

    class_name: str
    config: Mapping[str, Any]
    library: Literal["diffusers", "transformers"] = "diffusers"
    parameters: int | None = None
    """Number of parameters as published or as a checkpoint's header has it, if known."""
    tokens: int | None = None
    """Text encoders: tokens that the pipeline gives it."""
    most_tokens: int | None = None
    """Text encoders: most tokens that it or its pipeline allows; None for no limit."""


@dataclass(frozen=True)
class Latent:
    """What the denoiser works on: the autoencoder's latent, or the image itself."""

    channels: int
    downsampling: int
    """Pixels per latent pixel, along a side."""
    patch: int
    """Latent pixels per token along a side, the pipeline's packing included; 1 for a UNet."""
    multiple: int
    """Latent pixels that a side must be a multiple of."""

    @property
    def pixel_multiple(self) -> int:
        """Pixels that a side must be a multiple of."""
        return self.downsampling * self.multiple


@dataclass(frozen=True)
class Text:
    """Text tokens that one denoiser forward is given."""

    usual: int
    least: int = 1
    most: int | None = None


@dataclass(frozen=True)
class Sampling:
    """How images are usually sampled."""

    steps: int
    forwards_per_step: int
    guidance: Guidance
    prediction: str
    scheduler: str


@dataclass(frozen=True)
class Architecture:
    """One entry of the catalogue."""

    name: str
    label: str
    kind: Kind
    components: Mapping[str, Component]
    """By name, the denoiser first: unet or transformer, then vae, text_encoder, ..."""
    latent: Latent
    native: int
    """Side in pixels of the square image it was trained for."""
    largest: int | None
    """Longest side in pixels that the denoiser's positions allow; None for no limit."""
    text: Text | None
    """None for a model without text."""
    sampling: Sampling
    sources: tuple[str, ...]
    origin: str
    """The file, folder or repository that the facts were read from: named in errors."""
    repository: str | None = None

    @property
    def denoiser_name(self) -> str:
        """`unet` or `transformer`."""
        return next(iter(self.components))

    @property
    def denoiser(self) -> Component:
        """The component that is run at every step."""
        return self.components[self.denoiser_name]

    @property
    def text_encoders(self) -> dict[str, Component]:
        """The text encoders in the pipeline's order."""
        return {
            name: component
            for name, component in self.components.items()
            if component.library == "transformers"
        }

    def latent_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in latent pixels of an image of that many pixels."""
        return width // self.latent.downsampling, height // self.latent.downsampling

    def image_tokens(self, width: int, height: int) -> int:
        """Tokens of the image (latent pixels for a UNet) at a size in pixels."""
        columns, rows = self.latent_size(width, height)
        return (columns // self.latent.patch) * (rows // self.latent.patch)
