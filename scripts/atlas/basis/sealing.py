"""
Seal a parquet file with a digest of all its bytes, and tell whether it is still as it was sealed.

The digest lies in 16 bytes of its own between the data and the footer. Readers of parquet find
everything by offsets from the footer and never look there, so the file stays an ordinary one.
"""

from pathlib import Path
from typing import BinaryIO

import xxhash

from atlas.basis.errors import AtlasError

DIGEST_BYTES = 16
TAIL_BYTES = 8
"""The footer's length and the magic number."""
STEP_BYTES = 1 << 20


class DamagedFileError(AtlasError):
    """A sealed file that is not as it was written."""


def require_sealed(path: Path) -> None:
    """
    Move a file aside that is not as it was sealed, so that the next run makes it anew.

    Raises
    ------
    DamagedFileError
        After that, or where another reader has just done it.
    """
    aside = path.with_name(f"{path.name}.damaged")
    try:
        if is_sealed(path):
            return
        path.replace(aside)
    except FileNotFoundError as error:
        raise DamagedFileError(
            f"{path}: is not there; where it was damaged, another job has moved it to {aside.name}."
            " Run again, and it is made anew"
        ) from error
    raise DamagedFileError(
        f"{path}: damaged: it is not as it was written. It was moved to {aside.name};"
        " run again, and it is made anew"
    )


def seal(path: Path) -> None:
    """Insert the digest; the file has none yet."""
    with path.open("r+b") as file:
        start = _footer_start(file)
        file.seek(start)
        footer = file.read()
        digest = _digest(file, start, footer)
        file.seek(start)
        file.write(digest + footer)


def is_sealed(path: Path) -> bool:
    """Tell whether the file carries the digest of its bytes: false for any damage."""
    with path.open("rb") as file:
        start = _footer_start(file)
        if start < DIGEST_BYTES:
            return False
        file.seek(start - DIGEST_BYTES)
        stored = file.read(DIGEST_BYTES)
        footer = file.read()
        return _digest(file, start - DIGEST_BYTES, footer) == stored


def seal_of(path: Path) -> str:
    """Return the digest that a file carries, as 32 hexadecimal digits: "" where it has none."""
    with path.open("rb") as file:
        start = _footer_start(file)
        if start < DIGEST_BYTES:
            return ""
        file.seek(start - DIGEST_BYTES)
        return file.read(DIGEST_BYTES).hex()


def _footer_start(file: BinaryIO) -> int:
    """Return where the footer begins; negative in a file that is none of parquet."""
    size = file.seek(0, 2)
    if size < TAIL_BYTES:
        return -1
    file.seek(size - TAIL_BYTES)
    return size - TAIL_BYTES - int.from_bytes(file.read(4), "little")


def _digest(file: BinaryIO, stop: int, footer: bytes) -> bytes:
    """Return the digest of the file up to `stop` and of the footer."""
    digest = xxhash.xxh3_128()
    file.seek(0)
    for begin in range(0, stop, STEP_BYTES):
        digest.update(file.read(min(STEP_BYTES, stop - begin)))
    digest.update(footer)
    return digest.digest()
