"""A format of one float32 tensor: a line with its key and shape, then its elements."""

from pathlib import Path

from atlas.tensors.entries import Entry, Listing
from atlas.tensors.tensors import Part


def looks_like(head: bytes) -> bool:
    """Tell by a file's first bytes."""
    return head.startswith(b"PLAIN ")


def read(file: Path) -> Listing:
    """Return the one tensor."""
    with file.open("rb") as stream:
        line = stream.readline()
    _, key, *sizes = line.decode().split()
    part = Part(file, len(line), tuple(map(int, sizes)))
    return Listing((Entry(key, "f32", part),))
