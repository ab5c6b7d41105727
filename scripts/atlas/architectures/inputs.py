"""
Inputs of every component on the meta device, at any size in pixels and number of tokens.

How a denoiser is called follows from its signature and from the facts of config/calls.
"""

from typing import Any

import torch

from atlas.architectures import build
from atlas.architectures.architecture import Architecture, Component
from atlas.architectures.calls.arguments import arguments
from atlas.architectures.calls.request import Request
from atlas.architectures.sizes import (
    check_attended,
    check_batch,
    check_size,
    clip_frames,
    encoder_tokens,
    reference_images,
    text_tokens,
)
from atlas.basis.errors import AtlasError, nearest

MASKLESS_ENCODERS = frozenset(
    {
        "BertModel",
        "CLIPTextModel",
        "CLIPTextModelWithProjection",
        "T5EncoderModel",
        "UMT5EncoderModel",
    }
)
"""Text encoders that run on the meta device without a mask; all others are language models."""

VIDEO_AUTOENCODERS = frozenset(
    {
        "AutoencoderKLAllegro",
        "AutoencoderKLCogVideoX",
        "AutoencoderKLCosmos",
        "AutoencoderKLHunyuanVideo",
        "AutoencoderKLHunyuanVideo15",
        "AutoencoderKLLTXVideo",
        "AutoencoderKLMagvit",
        "AutoencoderKLMochi",
        "AutoencoderKLQwenImage",
        "AutoencoderKLWan",
    }
)
"""Autoencoders whose tensors have an axis of time."""


def denoiser(
    architecture: Architecture,
    *,
    width: int,
    height: int,
    batch: int = 1,
    text_length: int | None = None,
    attended: int | None = None,
    frames: int | None = None,
    references: int | None = None,
    reference_pixels: int | None = None,
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """
    Return the keyword arguments of one denoiser forward.

    Parameters
    ----------
    architecture
        An entry of the catalogue.
    width, height
        Of the image in pixels.
    batch
        Images per forward; classifier-free guidance runs the batch twice, which is left
        to the caller (`architecture.sampling.forwards_per_step`).
    text_length
        Text tokens that the denoiser is given; the pipeline's own by default.
    attended
        Text tokens of these that are left where the denoiser drops the padding within (Lumina 2);
        all by default.
    frames
        Of a video; the entry's by default.
    references
        Reference images whose tokens are appended; the entry's number by default.
    reference_pixels
        Side of the square of each; the entry's by default.
    dtype
        Of the floating tensors; the module's.

    Raises
    ------
    AtlasError
        for a size, text length, number of frames or references that the model can't take, or an
        argument of its class that nothing is known of.
    """
    check_size(architecture, width, height)
    check_batch(batch)
    columns, rows = architecture.latent_size(width, height)
    tokens = text_tokens(architecture, text_length)
    request = Request(
        batch=batch,
        width=width,
        height=height,
        columns=columns,
        rows=rows,
        channels=architecture.latent.inputs,
        patch=architecture.latent.patch,
        tokens=tokens,
        attended=check_attended(architecture, attended, tokens),
        **_clip(architecture, frames),
        **_references(architecture, references, reference_pixels),
    )
    return arguments(
        architecture.denoiser,
        build.class_of(architecture, architecture.denoiser_name),
        request,
        dtype,
        own=architecture.denoiser.arguments,
        origin=architecture.origin,
    )


def _clip(architecture: Architecture, frames: int | None) -> dict[str, int]:
    """Return the sizes of a request that come with an axis of time."""
    checked = clip_frames(architecture, frames)
    video = architecture.video
    if video is None:
        return {}
    latent_frames = video.latent_frames(checked)
    return {"frames": checked, "latent_frames": latent_frames, "rate": video.rate}


def _references(
    architecture: Architecture, number: int | None, pixels: int | None
) -> dict[str, int]:
    """Return the sizes of a request that come with reference images."""
    count, side = reference_images(architecture, number, pixels)
    columns, rows = architecture.latent_size(side, side)
    return {"references": count, "reference_columns": columns, "reference_rows": rows}


def text_encoder(
    architecture: Architecture,
    name: str,
    *,
    batch: int = 1,
    tokens: int | None = None,
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """
    Return the keyword arguments of a text encoder's forward: unpadded ids, [batch, tokens].

    The language models among them also get a mask [batch, 1, tokens, tokens] of the dtype:
    without one they look into the position ids, which have no values on the meta device.

    Raises
    ------
    AtlasError
        if there is no such text encoder, or the text is longer than it takes.
    """
    encoders = architecture.text_encoders
    if name not in encoders:
        raise AtlasError(
            f"{architecture.origin}: {architecture.name} has no text encoder {name}"
            f"{nearest(name, encoders)} (it has {', '.join(encoders) or 'none'})"
        )
    check_batch(batch)
    length = encoder_tokens(architecture, name, encoders[name], tokens)
    ids = torch.empty(batch, length, dtype=torch.int64, device="meta")
    if encoders[name].class_name in MASKLESS_ENCODERS:
        return {"input_ids": ids}
    mask = torch.empty(batch, 1, length, length, dtype=dtype, device="meta")
    return {"input_ids": ids, "attention_mask": mask}


def vae_decode(
    architecture: Architecture,
    *,
    width: int,
    height: int,
    batch: int = 1,
    frames: int | None = None,
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """
    Return the keyword arguments of `vae.decode`: a latent of an image or video in pixels.

    Raises
    ------
    AtlasError
        if there is no autoencoder, or the size or number of frames doesn't fit.
    """
    vae = _autoencoder(architecture)
    check_size(architecture, width, height)
    check_batch(batch)
    columns, rows = architecture.latent_size(width, height)
    given = clip_frames(architecture, frames)
    time = architecture.video.latent_frames(given) if architecture.video else 1
    shape = (batch, architecture.latent.channels, *_time(vae, time), rows, columns)
    latent = torch.empty(shape, dtype=dtype, device="meta")
    if vae.class_name == "VQModel":
        # Kandinsky's pipeline decodes the latent as it is, not its nearest codes.
        return {"h": latent, "force_not_quantize": True, "return_dict": False}
    return {"z": latent, "return_dict": False}


def vae_encode(
    architecture: Architecture,
    *,
    width: int,
    height: int,
    batch: int = 1,
    frames: int | None = None,
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """
    Return the keyword arguments of `vae.encode`: an image or video in pixels.

    Raises
    ------
    AtlasError
        if there is no autoencoder, or the size or number of frames doesn't fit.
    """
    vae = _autoencoder(architecture)
    check_size(architecture, width, height)
    check_batch(batch)
    time = clip_frames(architecture, frames) or 1
    shape = (batch, _image_channels(vae), *_time(vae, time), height, width)
    return {"x": torch.empty(shape, dtype=dtype, device="meta"), "return_dict": False}


def _autoencoder(architecture: Architecture) -> Component:
    if "vae" not in architecture.components:
        raise AtlasError(f"{architecture.name} has no vae: its denoiser works on pixels")
    return architecture.components["vae"]


def _time(vae: Component, frames: int) -> tuple[int, ...]:
    """Return the axis of time that autoencoders of video have: an image is one frame."""
    return (frames,) if vae.class_name in VIDEO_AUTOENCODERS else ()


def _image_channels(vae: Component) -> int:
    """Return the channels of the image that is encoded: Wan counts those of a patch of it."""
    channels = int(vae.config.get("in_channels", 3))
    patch = int(vae.config.get("patch_size") or 1) if vae.class_name == "AutoencoderKLWan" else 1
    return channels // patch**2
