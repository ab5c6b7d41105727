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
from atlas.architectures.sizes import check_batch, check_size, encoder_tokens, text_tokens
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

VIDEO_AUTOENCODERS = frozenset({"AutoencoderKLQwenImage", "AutoencoderKLWan"})
"""Autoencoders whose tensors have an axis of time."""


def denoiser(
    architecture: Architecture,
    *,
    width: int,
    height: int,
    batch: int = 1,
    text_length: int | None = None,
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
    dtype
        Of the floating tensors; the module's.

    Raises
    ------
    AtlasError
        for a size or text length that the model can't take, or a class that nobody knows to call.
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
        channels=architecture.latent.channels,
        patch=architecture.latent.patch,
        tokens=tokens,
        attended=tokens,
    )
    return arguments(
        architecture.denoiser,
        build.class_of(architecture, architecture.denoiser_name),
        request,
        dtype,
        own={},
        origin=architecture.origin,
    )


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
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """
    Return the keyword arguments of `vae.decode`: a latent of an image in pixels.

    Raises
    ------
    AtlasError
        if there is no autoencoder, or the size doesn't fit.
    """
    vae = _autoencoder(architecture)
    check_size(architecture, width, height)
    check_batch(batch)
    columns, rows = architecture.latent_size(width, height)
    frames = _frames(vae)
    shape = (batch, architecture.latent.channels, *frames, rows, columns)
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
    dtype: torch.dtype = torch.float16,
) -> dict[str, Any]:
    """
    Return the keyword arguments of `vae.encode`: an image in pixels.

    Raises
    ------
    AtlasError
        if there is no autoencoder, or the size doesn't fit.
    """
    vae = _autoencoder(architecture)
    check_size(architecture, width, height)
    check_batch(batch)
    shape = (batch, int(vae.config.get("in_channels", 3)), *_frames(vae), height, width)
    return {"x": torch.empty(shape, dtype=dtype, device="meta"), "return_dict": False}


def _autoencoder(architecture: Architecture) -> Component:
    if "vae" not in architecture.components:
        raise AtlasError(f"{architecture.name} has no vae: its denoiser works on pixels")
    return architecture.components["vae"]


def _frames(vae: Component) -> tuple[int, ...]:
    """Return the axis of time that autoencoders of video have: an image is one frame."""
    return (1,) if vae.class_name in VIDEO_AUTOENCODERS else ()
