"""
How pipelines run their models, where memory depends on it: the facts of config/pipelines.yaml.

No torch here.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from atlas.architectures.architecture import Architecture
from atlas.basis.shipped import load

UNKNOWN = "its pipeline is not known: guidance is taken to run in one batch"


@dataclass(frozen=True)
class Pipeline:
    """One pipeline of diffusers."""

    pipeline: str
    """Its class."""
    denoiser: str
    guidance: Literal["batch", "calls"]
    """Whether guidance gives the denoiser all copies of the images at once, or one by one."""
    file: str
    line: str
    """What it does about guidance, as its file has it."""
    where: dict[str, Any] = field(default_factory=dict)
    copies: int = 2
    """Of the images, with classifier-free guidance."""
    upcasts: bool = False
    """Whether it converts autoencoders to float32 that are in float16 and ask for it."""
    upcast: str | None = None
    """What it does about that, as its file has it."""


@cache
def all_pipelines() -> tuple[Pipeline, ...]:
    """Return all pipelines that are known, the special before the general."""
    return tuple(Pipeline(**facts) for facts in load("pipelines"))


def pipeline_of(architecture: Architecture) -> Pipeline | None:
    """Return the pipeline that runs an architecture, by its denoiser; None if none is known."""
    config = architecture.denoiser.config
    for pipeline in all_pipelines():
        if pipeline.denoiser == architecture.denoiser.class_name and all(
            config.get(key) == value for key, value in pipeline.where.items()
        ):
            return pipeline
    return None


def forward_batch(architecture: Architecture, images: int = 1) -> int:
    """
    Return the batch of one denoiser forward for so many images, with the usual guidance.

    >>> from atlas.architectures import catalogue
    >>> [forward_batch(catalogue.load(name)) for name in ("sdxl", "qwen_image", "flux1_dev")]
    [2, 1, 1]
    """
    if architecture.sampling.forwards_per_step == 1:
        return images
    pipeline = pipeline_of(architecture)
    if pipeline is None:
        return images * architecture.sampling.forwards_per_step
    return images * (pipeline.copies if pipeline.guidance == "batch" else 1)


def decodes_in(architecture: Architecture, dtype: str) -> str:
    """
    Return the dtype that the pipeline decodes in where the autoencoder's weights have another.

    >>> from atlas.architectures import catalogue
    >>> [decodes_in(catalogue.load("sdxl"), dtype) for dtype in ("f16", "bf16")]
    ['f32', 'bf16']
    """
    pipeline, vae = pipeline_of(architecture), architecture.components.get("vae")
    if dtype != "f16" or vae is None or pipeline is None or not pipeline.upcasts:
        return dtype
    # AutoencoderKL's own default, which other classes do not have.
    asks = vae.config.get("force_upcast", vae.class_name == "AutoencoderKL")
    return "f32" if asks else dtype
