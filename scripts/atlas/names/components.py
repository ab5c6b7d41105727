"""The components of a model: diffusers' own, and the atlas's for what is none of them."""

from collections.abc import Iterable

DENOISERS = ("unet", "transformer")
"""What is run at every step; a model has one of them."""

CONTROLNET = "controlnet"
"""What steers a denoiser by an image: a copy of its way down, and no denoiser."""

EMA = "ema"
"""A training copy of the denoiser; its names are those of the network that it copies."""

NETWORK = "network"
"""A checkpoint of no known layout."""

OTHER = "other"
"""Counters and schedules, which never enter a distance."""

WORDS = {
    "unet": "UNet",
    "transformer": "transformer",
    "vae": "VAE",
    "transformer_2": "second transformer",
    "text_encoder": "text encoder",
    "text_encoder_2": "second text encoder",
    "text_encoder_3": "third text encoder",
    CONTROLNET: "ControlNet",
    EMA: "training copy (EMA)",
}
"""What sentences call a component."""


STAGES = ("input_blocks.", "down_blocks.")
"""How keys begin that only UNets have, on the way down."""


def denoiser_of(names: Iterable[str]) -> str:
    """
    Return what a denoiser of no known layout is, by its keys without a prefix.

    >>> denoiser_of(["time_embed.0.bias", "input_blocks.3.0.op.bias"]), denoiser_of(["blocks.0.q"])
    ('unet', 'transformer')
    """
    return "unet" if any(name.startswith(STAGES) for name in names) else "transformer"


def part_of(component: str) -> str | None:
    """
    Return which part of a model a component is; None for no part.

    >>> [part_of(name) for name in ("unet", "ema", "text_encoder_2", "network")]
    ['denoiser', 'denoiser', 'text_encoder', None]
    """
    if component in (*DENOISERS, EMA):
        return "denoiser"
    return next(
        (part for part in ("text_encoder", "vae", CONTROLNET) if component.startswith(part)), None
    )
