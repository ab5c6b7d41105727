"""IP-Adapters on the meta device: an image's tokens beside the text's in cross-attention."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from atlas.architectures import build
from atlas.macs.additions_calls import Inputs, Place

SELF_ATTENTION = "attn1.processor"


@contextmanager
def with_images(unet: Any, tokens: int, width: int) -> Iterator[int]:
    """
    Give a UNet's cross-attention keys and values of an image, and take them away again.

    Parameters
    ----------
    unet
        A UNet2DConditionModel on the meta device.
    tokens
        What an image's embedding is projected to.
    width
        Of that embedding.

    Yields
    ------
    int
        Parameters of the projection and of the further keys and values.
    """
    from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
    from diffusers.models.embeddings import ImageProjection, MultiIPAdapterImageProjection

    before, kind = dict(unet.attn_processors), unet.config.encoder_hid_dim_type
    text = unet.config.cross_attention_dim
    with torch.device("meta"):
        projection = MultiIPAdapterImageProjection([ImageProjection(width, text, tokens)])
        further = {
            name: IPAdapterAttnProcessor2_0(_hidden(unet, name), text, num_tokens=[tokens])
            for name in before
            if not name.endswith(SELF_ATTENTION)
        }
    for module in (projection, *further.values()):
        module.to(torch.float16).requires_grad_(False)
    unet.set_attn_processor(before | further)
    unet.encoder_hid_proj = projection
    unet.register_to_config(encoder_hid_dim_type="ip_image_proj")
    try:
        yield build.parameters(projection) + sum(map(build.parameters, further.values()))
    finally:
        unet.set_attn_processor(before)
        unet.encoder_hid_proj = None
        unet.register_to_config(encoder_hid_dim_type=kind)


def _hidden(unet: Any, name: str) -> int:
    """Return the width of the attention that a processor is of."""
    return int(unet.get_submodule(name.removesuffix(".processor")).to_q.in_features)


def given(place: Place, width: int) -> Inputs:
    """Return the denoiser's arguments with the embedding of one image: [batch, 1, width]."""
    embedding = torch.empty(place.batch, 1, width, dtype=torch.float16, device="meta")
    known = place.denoiser.get("added_cond_kwargs") or {}
    return {**place.denoiser, "added_cond_kwargs": {**known, "image_embeds": [embedding]}}


def encoder_inputs(encoder: Any, batch: int) -> Inputs:
    """Return an image encoder's arguments: [batch, channels, side, side]."""
    side, channels = encoder.config.image_size, encoder.config.num_channels
    shape = (batch, channels, side, side)
    return {"pixel_values": torch.empty(shape, dtype=torch.float16, device="meta")}
