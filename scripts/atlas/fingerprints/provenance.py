"""What a fingerprint keeps of where a model comes from: its files' marks, and what they say."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atlas.basis import sealed
from atlas.basis.errors import printable
from atlas.tensors.tensors import Checkpoint, FileMetadata

KEY = b"diffusion-atlas.provenance"
"""Where a fingerprint's file has it: beside its rows and notes, which are read without it."""

LEGACY_START = 2**20
LEGACY_BYTES = 2**16
LEGACY_DIGITS = 8
"""Of the old web UIs' hash of a file: the first digits of the SHA-256 of these bytes of it."""

SHA256 = re.compile("[0-9a-f]{64}")

UPDATES = "model_ema.num_updates"
"""Name of the tensor in which trainers count how often they have updated averaged weights."""


@dataclass(frozen=True)
class FileMark:
    """By what others may name a file of weights."""

    name: str
    """Without its folder."""
    bytes: int
    legacy_hash: str
    """Eight hexadecimal digits; "" of a file too short to have one."""
    sha256: str = ""
    """Of the whole file, where the hub's cache names it so; it is not computed."""


@dataclass(frozen=True)
class Provenance:
    """What a fingerprint tells of a model's files."""

    files: tuple[FileMark, ...] = ()
    """In order of their paths."""
    metadata: tuple[FileMetadata, ...] = ()
    """Of files that say something."""


def provenance(checkpoint: Checkpoint) -> Provenance:
    """Return marks of a checkpoint's files, for which 64 KiB of each are read, and its metadata."""
    marks = tuple(
        FileMark(printable(file.name), file.stat().st_size, legacy_hash(file), cached_hash(file))
        for file in checkpoint.files
    )
    return Provenance(marks, (*checkpoint.metadata, *_updates(checkpoint)))


def _updates(checkpoint: Checkpoint) -> Iterator[FileMetadata]:
    """Yield what a file says by its count of updates, as if it were a text of its metadata."""
    for tensor in checkpoint.tensors:
        is_count = tensor.key == UPDATES and tensor.dtype in ("i32", "i64") and tensor.numel == 1
        if is_count and len(tensor.parts) == 1:
            part = tensor.parts[0]
            with part.file.open("rb") as stream:
                stream.seek(part.offset)
                taken = stream.read(tensor.nbytes)
            count = int.from_bytes(taken, "little", signed=True)
            yield FileMetadata(printable(part.file.name), texts={UPDATES: str(count)})


def legacy_hash(file: Path) -> str:
    """
    Return what web UIs before 2023 named a file by: `sd_model_hash` and the like.

    It is of 64 KiB from 1 MiB on (AUTOMATIC1111, modules/sd_models.py, `model_hash`), so files may
    share it that are not the same.
    """
    with file.open("rb") as stream:
        stream.seek(LEGACY_START)
        taken = stream.read(LEGACY_BYTES)
    return hashlib.sha256(taken).hexdigest()[:LEGACY_DIGITS] if taken else ""


def cached_hash(file: Path) -> str:
    """Return a file's SHA-256 where a link of the hub's cache leads to what it names; else ""."""
    name = file.readlink().name if file.is_symlink() else ""
    return name if SHA256.fullmatch(name) else ""


def packed(found: Provenance) -> bytes:
    """Return it as a file's metadata keeps it: JSON."""
    return json.dumps(asdict(found), sort_keys=True).encode()


def unpacked(text: bytes) -> Provenance:
    """Return what `packed` has made a text of."""
    held: dict[str, Any] = json.loads(text)
    files: Iterable[dict[str, Any]] = held["files"]
    metadata: Iterable[dict[str, Any]] = held["metadata"]
    return Provenance(
        tuple(FileMark(**each) for each in files),
        tuple(FileMetadata(**each) for each in metadata),
    )


def read_provenance(path: Path) -> Provenance:
    """
    Return what a fingerprint tells; nothing of a checkpoint that can't be read.

    Raises
    ------
    DamagedFileError
        The fingerprint is not as it was written.
    """
    beside = sealed.read_beside(path)
    return unpacked(beside[KEY]) if KEY in beside else Provenance()
