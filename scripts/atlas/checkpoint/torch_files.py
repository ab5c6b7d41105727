"""PyTorch's files: zip archives and the older plain pickles, without PyTorch."""

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.checkpoint.pickle_machine import MOST_BYTES, Machine
from atlas.checkpoint.pickle_names import Storage, storage_of
from atlas.tensors.entries import item_bytes

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
"""First pickle of a file that PyTorch before 1.6 wrote (torch/serialization.py)."""

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Of a zip entry: its first bytes, lengths of its name and of its extra field."""

AGAIN = "download or save the file again"

FIRST_OPCODES = frozenset(b"(]})cNIJKLMFGSTUVX")
"""Bytes that a pickle of an old protocol may begin with: what needs nothing before it."""


@dataclass(frozen=True)
class TorchFile:
    """What a file's pickle describes, and where its storages lie."""

    value: Any
    places: dict[str, tuple[int, int]]
    """Storage to the offset of its first byte and its length in bytes."""


def is_zip(head: bytes) -> bool:
    """Tell by a file's first bytes whether it is a zip archive, as PyTorch 1.6 and later write."""
    return head.startswith(b"PK\x03\x04")


def is_pickle(head: bytes) -> bool:
    """Tell by a file's first bytes whether it is a pickle of protocol 2 to 5."""
    return head[:1] == b"\x80" and head[1:2] <= b"\x05"


def may_be_old_pickle(head: bytes) -> bool:
    """Tell by a file's first byte whether it may be a pickle of protocol 0 or 1."""
    return head[0] in FIRST_OPCODES


def read_zip(file: Path) -> TorchFile:
    """
    Read PyTorch's zip format, PyTorch 1.6 and later.

    Raises
    ------
    AtlasError
        Where the archive is broken, compressed, or asks for more than weights.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise AtlasError(f"{file}: a zip archive that is broken ({error}); {AGAIN}") from None
    root = next((n.removesuffix("data.pkl") for n in entries if n.endswith("/data.pkl")), None)
    if root is None:
        raise AtlasError(
            f"{file}: a zip archive, but none of PyTorch's (no data.pkl in it); unpack it and "
            "name the weight file"
        )
    with file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
        places = {
            name.removeprefix(f"{root}data/"): _place(file, data, entry)
            for name, entry in entries.items()
            if name.startswith((f"{root}data/", f"{root}data.pkl", f"{root}byteorder"))
        }
        _check_byte_order(file, data, places.pop(f"{root}byteorder", None))
        start, length = places.pop(f"{root}data.pkl")
        if length > MOST_BYTES:
            raise AtlasError(f"{file}: its pickle has {length} bytes; save the weights alone")
        pickled = data[start : start + length]
    machine = Machine(pickled, 0, file=file, load_storage=storage_of)
    return TorchFile(machine.run(), places)


def read_legacy(file: Path) -> TorchFile:
    """
    Read the format of PyTorch before 1.6: five pickles, then the storages.

    Raises
    ------
    AtlasError
        Where the file is broken, asks for more than weights, or is some other pickle.
    """
    sizes: dict[str, Storage] = {}

    def remember(persistent: Any) -> Storage:
        storage = storage_of(persistent)
        # a key's storage type says its element size; views repeat the key
        sizes.setdefault(storage.key, storage)
        return storage

    with file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
        first, position = _run(file, data, 0, remember)
        if first != MAGIC_NUMBER:
            return TorchFile(first, {})
        for _ in ("protocol version", "system"):
            _, position = _run(file, data, position, remember)
        value, position = _run(file, data, position, remember)
        keys, position = _run(file, data, position, remember)
        return TorchFile(value, _legacy_places(file, data, keys, position, sizes))


def _run(
    file: Path, data: mmap, position: int, load_storage: Callable[[Any], Storage]
) -> tuple[Any, int]:
    machine = Machine(data, position, file=file, load_storage=load_storage)
    return machine.run(), machine.position


def _place(file: Path, data: mmap, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where an entry's bytes lie; its local header may differ from the directory's."""
    header = data[entry.header_offset : entry.header_offset + LOCAL_HEADER.size]
    if len(header) < LOCAL_HEADER.size:
        raise AtlasError(f"{file}: a zip archive that is cut off; {AGAIN}")
    magic, name, extra = LOCAL_HEADER.unpack(header)
    if not is_zip(magic):
        raise AtlasError(f"{file}: {entry.filename} is not where its directory says; {AGAIN}")
    start = entry.header_offset + LOCAL_HEADER.size + name + extra
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise AtlasError(
            f"{file}: {entry.filename} is compressed or encrypted, which PyTorch never does; "
            "load it and save it again with torch.save"
        )
    if start + entry.file_size > len(data):
        raise AtlasError(f"{file}: {entry.filename} is cut off; {AGAIN}")
    return start, entry.file_size


def _check_byte_order(file: Path, data: mmap, place: tuple[int, int] | None) -> None:
    if place and data[place[0] : place[0] + min(place[1], 6)] == b"big":
        raise AtlasError(f"{file}: big-endian numbers; save it again on a usual machine")


def _legacy_places(
    file: Path, data: mmap, keys: Any, position: int, sizes: dict[str, Storage]
) -> dict[str, tuple[int, int]]:
    if not isinstance(keys, list):
        raise AtlasError(f"{file}: the list of its storages is broken; {AGAIN}")
    places = {}
    for key in keys:
        storage = sizes.get(key) if isinstance(key, str) else None
        count = int.from_bytes(data[position : position + 8], "little", signed=True)
        length = count * item_bytes(storage.dtype) if storage else -1
        if length < 0 or position + 8 + length > len(data):
            raise AtlasError(f"{file}: cut off in its storages; {AGAIN}")
        places[key] = (position + 8, length)
        position += 8 + length
    return places
