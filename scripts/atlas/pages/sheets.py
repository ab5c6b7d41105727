"""Thumbnails of many points on a few sheets, as WebP in base64."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from atlas.basis.errors import AtlasError

COLUMNS = 16
"""Images in a row of a sheet, and rows of it: some 256 images are decoded at a time."""
QUALITY = 82
EXACT_SIDE = 16
"""Images of so few pixels are kept without loss."""


@dataclass(frozen=True)
class Sheets:
    """All thumbnails."""

    sheets: tuple[str, ...]
    """WebP in base64, each of COLUMNS x COLUMNS cells."""
    cells: NDArray[np.int32]
    """(points,): number of a point's cell, sheet after sheet; -1 for none."""
    side: int
    """Of a cell, in pixels."""


def packed(files: Sequence[Path | None], *, side: int) -> Sheets:
    """
    Return the thumbnails of points; one that several points have is packed once.

    Parameters
    ----------
    files
        By point.
    side
        Longest side of a thumbnail, in pixels; smaller images stay as they are, in the middle.

    Raises
    ------
    AtlasError
        A file can't be read as an image.
    """
    places: dict[Path, int] = {}
    for file in files:
        if file is not None:
            places.setdefault(file, len(places))
    cells = np.array([-1 if file is None else places[file] for file in files], np.int32)
    pictures = list(places)
    of_each = COLUMNS * COLUMNS
    sheets = [
        _sheet(pictures[start : start + of_each], side)
        for start in range(0, len(pictures), of_each)
    ]
    return Sheets(tuple(sheets), cells, side)


def _sheet(files: Iterable[Path], side: int) -> str:
    sheet = Image.new("RGB", (COLUMNS * side, COLUMNS * side))
    for number, file in enumerate(files):
        picture = _thumbnail(file, side)
        left = number % COLUMNS * side + (side - picture.width) // 2
        top = number // COLUMNS * side + (side - picture.height) // 2
        sheet.paste(picture, (left, top))
    stream = BytesIO()
    sheet.save(stream, "WEBP", quality=QUALITY, method=4, lossless=side <= EXACT_SIDE)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _thumbnail(file: Path, side: int) -> Image.Image:
    try:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise AtlasError(
            f"{file}: can't be read as an image ({error}); make it anew, or leave images out"
        ) from error
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture
