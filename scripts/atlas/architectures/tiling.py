"""Autoencoders that decode an image tile by tile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def can_tile(vae: torch.nn.Module) -> bool:
    """Say whether a class can: diffusers' enable_tiling raises where this attribute is missing."""
    return hasattr(vae, "use_tiling") and hasattr(vae, "decoder")


@contextmanager
def tiled(vae: Any) -> Iterator[None]:
    """
    Let an autoencoder of diffusers decode by tiles of its class's own size and overlap.

    Seams are not blended: that works in place, row by row, with a row's memory and most of the
    time; every tile and every cut of one is made as ever.
    """
    vae.enable_tiling()
    vae.blend_v = vae.blend_h = _unblended
    try:
        yield
    finally:
        del vae.blend_v, vae.blend_h
        vae.disable_tiling()


def _unblended(_: torch.Tensor, tile: torch.Tensor, __: int) -> torch.Tensor:
    return tile
