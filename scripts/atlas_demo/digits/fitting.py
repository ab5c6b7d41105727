"""Fit each of the three networks to the digits: the data put together, the training started."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from atlas_demo.digits import autoencoder, captioning, denoiser, images, schedules, text_encoder
from atlas_demo.digits.denoiser import Conditions

LOG = logging.getLogger(__name__)


def fit_text_encoder(
    encoder: nn.Module,
    *,
    parameters: list[nn.Parameter],
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    vocabulary: Path,
) -> None:
    """Fit some parameters of the text encoder to captions and pictures."""
    tokens, named = captioning.tokens_of(digits["captions"], vocabulary)
    pictures, shown = images.load(images.SIDE)
    pixels = pictures[:, 0].flatten(1)
    width = digits["components"]["text_encoder"]["hidden_size"]
    contrast = text_encoder.Contrast(encoder, width=width, pixels=pixels.shape[1])
    beside = [*contrast.text.parameters(), *contrast.picture.parameters(), contrast.scale]
    data = {"captions": (tokens[:-1], named), "pictures": (pixels, shown)}
    text_encoder.train(contrast, parameters=[*parameters, *beside], plan=plan, **data)
    agreement = text_encoder.agreement(contrast, **data)
    LOG.info("the likest caption names the digit of %.1f %% of the pictures", 100 * agreement)


def fit_vae(
    vae: nn.Module,
    *,
    parameters: list[nn.Parameter],
    digits: Mapping[str, Any],
    plan: dict[str, Any],
) -> None:
    """Fit some parameters of the autoencoder to the pictures."""
    pictures, _ = images.load(digits["image_side"])
    autoencoder.train(vae, pictures, parameters=parameters, plan=plan)


def fit_unet(
    unet: nn.Module,
    *,
    vae: nn.Module,
    conditions: Conditions,
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    is_mirrored: bool = False,
    **extras: Any,
) -> None:
    """
    Fit the UNet to the pictures' latents and captions.

    Parameters
    ----------
    unet, vae
        Of diffusers; the autoencoder is not changed.
    conditions
        The text encoder's answers to the captions.
    digits
        config/demo/digits.yaml.
    plan
        See `denoiser.train`.
    is_mirrored
        Show the pictures with left and right exchanged.
    extras
        Further arguments of `denoiser.train`.
    """
    pictures, shown = images.load(digits["image_side"])
    if is_mirrored:
        pictures = pictures.flip(-1)
    pictures = pictures[: plan["steps"] * plan["batch"]]  # no more are looked at
    scale = digits["components"]["vae"]["scaling_factor"]
    signal = torch.from_numpy(schedules.signal_shares(digits["scheduler"])).float()
    denoiser.train(
        unet,
        latents=autoencoder.encode(vae, pictures) * scale,
        digits=shown[: len(pictures)],
        conditions=conditions,
        signal=signal,
        plan=plan,
        **extras,
    )


def conditions_of(encoder: nn.Module, *, digits: Mapping[str, Any], vocabulary: Path) -> Conditions:
    """Return the text encoder's answers to all captions."""
    tokens, _ = captioning.tokens_of(digits["captions"], vocabulary)
    return captioning.answers(encoder, tokens)
