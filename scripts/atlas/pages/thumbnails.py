"""Small pictures of large ones, as texts that a page holds."""

import base64
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

SIZE = (560, 420)
"""Within so many pixels: twice what a page shows, for screens of fine dots."""
MOST_BYTES = 30_000
"""Of a picture: in base64, a page has a third more."""
QUALITIES = (82, 70, 55, 40)
"""Of WebP, the best first; where none is small enough, the picture shrinks."""


def thumbnail(file: Path) -> str | None:
    """
    Return a picture as a data URI of at most 4/3 * MOST_BYTES characters and a few.

    None where the file is no picture that can be read, or one of more pixels than Pillow trusts.
    """
    try:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
    return "data:image/webp;base64," + base64.b64encode(_small(picture)).decode("ascii")


def _small(picture: Image.Image) -> bytes:
    while True:
        for quality in QUALITIES:
            stream = BytesIO()
            picture.save(stream, "WEBP", quality=quality, method=4)
            if stream.tell() <= MOST_BYTES:
                return stream.getvalue()
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
