"""What the catalogue knows of an architecture, as plain values: no torch here."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from math import isqrt
from typing import Any, Literal

Kind = Literal["UNet", "DiT", "MMDiT"]
Guidance = Literal["classifier-free", "distilled", "none"]
Padding = Literal["cap", "longest", "dropped", "masked"] | int
"""
What becomes of a text that is shorter than the cap: it is padded to the cap ("cap"), to the longest
of its batch ("longest"), to a multiple (an integer), or to the cap with the padding dropped before
the denoiser ("dropped") or within it ("masked").
"""


@dataclass(frozen=True)
class Component:
    """One model of a pipeline: its class and the arguments of its configuration."""

    class_name: str
    config: Mapping[str, Any]
    library: Literal["diffusers", "transformers"] = "diffusers"
    parameters: int | None = None
    """Number of parameters as published or as a checkpoint's header has it, if known."""
    tokens: int | None = None
    """Text encoders: tokens that the pipeline gives it for a prompt as long as the cap."""
    most_tokens: int | None = None
    """Text encoders: most tokens that it or its pipeline allows; None for no limit."""
    template: int = 0
    """Text encoders: tokens of a template among them that the denoiser is not given."""
    padding: Padding = "cap"
    """Text encoders: what becomes of a shorter prompt."""
    loaded: "Component | None" = None
    """Text encoders: the model that the pipeline loads, where that is more than what is run."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Denoisers: what arguments of its forward mean, in the forms of config/calls."""


@dataclass(frozen=True)
class Latent:
    """What the denoiser works on: the autoencoder's latent, or the image itself."""

    channels: int
    """Of the autoencoder's latent, or of the image."""
    downsampling: int
    """Pixels per latent pixel, along a side."""
    patch: int
    """Latent pixels per token along a side, the pipeline's packing included; 1 for a UNet."""
    multiple: int
    """Latent pixels that a side must be a multiple of."""
    extra: Mapping[str, int] = field(default_factory=dict)
    """Further channels of the denoiser's input per latent pixel, by what they hold."""

    @property
    def inputs(self) -> int:
        """Channels of the denoiser's input per latent pixel."""
        return self.channels + sum(self.extra.values())

    @property
    def pixel_multiple(self) -> int:
        """Pixels that a side must be a multiple of."""
        return self.downsampling * self.multiple


@dataclass(frozen=True)
class Text:
    """Text tokens that one denoiser forward is given."""

    cap: int
    """Most that the pipeline gives by default."""
    least: int = 1
    """Fewest that the denoiser can be given."""
    most: int | None = None
    """Most that the denoiser or its pipeline can be asked for; None for no limit."""
    padding: Padding = "cap"
    """What becomes of a shorter prompt."""
    kept: int = 0
    """Tokens of a template that reach the denoiser beside those of the prompt."""
    rule: str = ""
    """Where the pipeline does so."""


@dataclass(frozen=True)
class Sampling:
    """How images are usually sampled."""

    steps: int
    forwards_per_step: int
    guidance: Guidance
    prediction: str
    scheduler: str
    scheduler_config: Mapping[str, Any] = field(default_factory=dict)
    """Values of the scheduler's file that tell apart architectures of one configuration."""
    stated: str = ""
    """What it was taken from where nothing says it; empty where it is known."""


@dataclass(frozen=True)
class Video:
    """The frames of a usual clip."""

    frames: int
    temporal: int
    """Frames per latent frame; the first one is its own."""
    rate: int
    """Frames per second."""

    def latent_frames(self, frames: int | None = None) -> int:
        """
        Return the latent frames of so many frames, of a usual clip by default.

        >>> Video(frames=81, temporal=4, rate=16).latent_frames()
        21
        """
        return ((self.frames if frames is None else frames) - 1) // self.temporal + 1


@dataclass(frozen=True)
class References:
    """Reference images whose tokens are appended to the image's."""

    number: int
    pixels: int
    """Side of the square that each is resized to."""
    rule: str = ""
    """Where the pipeline does so."""


@dataclass(frozen=True)
class Architecture:
    """One entry of the catalogue."""

    name: str
    label: str
    kind: Kind
    components: Mapping[str, Component]
    """By name, the denoiser first: unet or transformer, then vae, text_encoder, ..."""
    latent: Latent
    native_size: tuple[int, int]
    """Width and height in pixels of the image it was trained for."""
    largest: int | None
    """Longest side in pixels that the denoiser's positions allow; None for no limit."""
    text: Text | None
    """None for a model without text."""
    sampling: Sampling
    sources: tuple[str, ...]
    origin: str
    """The file, folder or repository that the facts were read from: named in errors."""
    repository: str | None = None
    video: Video | None = None
    """None for a model of images."""
    references: References | None = None
    """None for a model that takes none."""

    @property
    def native(self) -> int:
        """Side in pixels of the square image that is as large as what it was trained for."""
        width, height = self.native_size
        multiple = self.latent.pixel_multiple
        return width if width == height else round(isqrt(width * height) / multiple) * multiple

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

    def described(self, name: str) -> str:
        """
        Return all that a component's calls depend on, but for sizes and lengths of texts.

        What two components share this of is counted once: two networks of one configuration may
        be given different inputs (FLUX.1 and Kontext, which appends reference images).
        """
        facts: Any = replace(self.components[name], parameters=None)
        inputs: list[Any] = []
        if name == self.denoiser_name:
            inputs = [self.latent, self.text, self.video, self.references]
        elif name not in self.text_encoders:
            inputs = [self.video]
            facts = [facts.class_name, facts.config, self.latent.channels, self.latent.downsampling]
        values = [
            asdict(each) if is_dataclass(each) and not isinstance(each, type) else each
            for each in (facts, *inputs)
        ]
        return json.dumps(values, sort_keys=True)

    def latent_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in latent pixels of an image of that many pixels."""
        return width // self.latent.downsampling, height // self.latent.downsampling

    def image_tokens(self, width: int, height: int) -> int:
        """Tokens of the image (latent pixels for a UNet) at a size in pixels."""
        columns, rows = self.latent_size(width, height)
        return (columns // self.latent.patch) * (rows // self.latent.patch)
