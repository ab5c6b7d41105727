"""The one exception that users see, and help in naming what they meant."""

import errno
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 2000
"""Characters of a printable text: what a file says of itself may be of any length."""


class AtlasError(Exception):
    """A fault of the input: its text names the file, what was found and the remedy."""


def nearest(found: str, valid: Iterable[str]) -> str:
    """
    Return "; did you mean X?" for the valid name nearest to what was found, else "".

    Upper and lower case make no difference.

    >>> nearest("unett", ["unet", "vae"])
    '; did you mean unet?'
    >>> nearest("unet2dmodle", ["UNet2DModel"])
    '; did you mean UNet2DModel?'
    """
    names = {name.lower(): name for name in sorted(valid)}
    close = get_close_matches(found.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean {names[close[0]]}?" if close else ""


ROOM = {
    errno.ENOSPC: "free some room on its disk",
    errno.EDQUOT: "your quota is used up: free some room",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EROFS: "its disk takes no writes: choose another folder with --directory",
}
"""Faults of a disk that takes no more, and the remedy of each."""


def lacks_room(error: OSError) -> str | None:
    """Return the remedy where a file could not be written for want of room, else None."""
    return ROOM.get(error.errno or 0)


def printable(text: str) -> str:
    r"""
    Return a text that any file can hold, on one line and not too long.

    >>> printable("a\nb\udcff")
    'a b\\udcff'
    """
    line = " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
