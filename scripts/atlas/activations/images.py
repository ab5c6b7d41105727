"""Images beside samples: written as PNG, and real ones read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from atlas.activations.samples import seed_of
from atlas.basis.errors import AtlasError

THUMBNAIL_SIDE = 64
"""Longest side of a thumbnail, in pixels."""


def write(image: NDArray[np.uint8], path: Path, *, is_thumbnail: bool) -> None:
    """Write an image (height, width, 3) as PNG, equal bytes for equal images."""
    picture = Image.fromarray(image)
    if is_thumbnail:
        picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    picture.save(path, format="PNG", compress_level=4)


def chosen(files: Sequence[Path], count: int, *, seed: int) -> list[Path]:
    """
    Return some of the images: always the same first ones, however many are asked for.

    They come in an order that depends on the seed and their names, so that the first thousand are
    not of one class where classes have folders.
    """
    order = sorted(files, key=lambda file: seed_of(seed, 0, f"{file.parent.name}/{file.name}"))
    return order[:count]


def read(files: Sequence[Path], *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """
    Return images cut to the middle and scaled, (images, height, width, 3).

    Parameters
    ----------
    size
        Height and width, in pixels.

    Raises
    ------
    AtlasError
        A file is no image that can be read.
    """
    return np.stack([_read(file, size) for file in files])


def _read(file: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size
    try:
        with Image.open(file) as picture:
            full = picture.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise AtlasError(f"{file}: can't be read as an image ({error}); take it out") from error
    share = min(full.width / width, full.height / height)
    box_width, box_height = width * share, height * share
    left, top = (full.width - box_width) / 2, (full.height - box_height) / 2
    box = (left, top, left + box_width, top + box_height)
    return np.asarray(full.resize((width, height), Image.Resampling.LANCZOS, box=box))
