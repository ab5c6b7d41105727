"""The one exception that users see, and help in naming what they meant."""

from collections.abc import Iterable
from difflib import get_close_matches


class AtlasError(Exception):
    """A fault of the input: its text names the file, what was found and the remedy."""


def nearest(found: str, valid: Iterable[str]) -> str:
    """
    Return "; did you mean X?" for the valid name nearest to what was found, else "".

    >>> nearest("unett", ["unet", "vae"])
    '; did you mean unet?'
    """
    close = get_close_matches(found.lower(), sorted(valid), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
