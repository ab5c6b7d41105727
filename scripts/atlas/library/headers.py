"""What a checkpoint is by its header alone; files of equal headers are looked at once."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import xxhash

from atlas.basis.errors import AtlasError
from atlas.basis.page import one_line
from atlas.basis.shipped import load
from atlas.checkpoint import files_of, open_checkpoint
from atlas.checkpoint.formats import FORMATS, HEAD_BYTES, SAFETENSORS
from atlas.checkpoint.safetensors import LENGTH_BYTES, looks_like
from atlas.library.entries import component_layout
from atlas.names.components import CONTROLNET, OTHER
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import FLOATING, Checkpoint, Tensor

BROKEN = "broken"
"""Kind of what can't be read; the problem is told beside it."""

LARGEST_HEADER = 1 << 24
"""Bytes of a header that is compared with others: those of networks have less than a megabyte."""

METADATA = b'{"__metadata__":'
"""How headers with metadata begin that the format's own library writes."""


@dataclass(frozen=True)
class Header:
    """What a header tells."""

    kind: str
    """`model`, a lone component's word such as `vae`, `lora`, `embedding`, or BROKEN."""
    architectures: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    """The commonest first."""
    parameters: int = 0
    layouts: Mapping[str, str] | None = None
    """Component to the digest of its tensors' names and shapes."""
    problem: str = ""


class Headers:
    """Describes checkpoints; of those whose headers are the same, byte by byte, only the first."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, int], Header] = {}

    def of(self, pattern: Path) -> tuple[Header, str, tuple[str, ...]]:
        """
        Return what a checkpoint is, its format, and who wrote its metadata; no weight is read.

        Parameters
        ----------
        pattern
            A file, a folder of diffusers, or a glob of shards.
        """
        if pattern.is_dir():
            return _described(pattern), "diffusers", ()
        try:
            files = files_of(pattern)
            form = _format(files[0])
            stamp = _stamp(files[0]) if len(files) == 1 and form == SAFETENSORS_WORD else None
        except (AtlasError, OSError) as error:
            return _broken(error, pattern), "", ()
        if stamp is None:
            return _described(pattern), form, ()
        known = self._known.get(stamp.key)
        if known is None:
            known = _described(pattern)
            if known.kind != BROKEN:  # which tells a place in a file
                self._known[stamp.key] = known
        return known, form, writers_of(stamp.metadata)


SAFETENSORS_WORD = "safetensors"
TORCH_WORD = "pytorch"


@dataclass(frozen=True)
class _Stamp:
    key: tuple[bytes, int]
    """Digest of the header without metadata, and bytes of all tensors."""
    metadata: tuple[str, ...]
    """Its keys."""


def writers_of(keys: Iterable[str]) -> tuple[str, ...]:
    """
    Return who wrote metadata of these keys, in order.

    >>> writers_of(["ss_epoch", "modelspec.title", "format"])
    ('kohya', 'modelspec')
    """
    facts = load("library/writers")
    found: set[str] = set()
    for key in keys:
        found.update(who for whole, who in facts["keys"].items() if key == whole)
        found.update(who for prefix, who in facts["prefixes"].items() if key.startswith(prefix))
    return tuple(sorted(found))


def layouts_of(tensors: Iterable[Tensor]) -> dict[str, str]:
    """Return component to the digest of names and shapes of its floating tensors."""
    held: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        if tensor.component != OTHER and tensor.dtype in FLOATING:
            held.setdefault(tensor.component, []).append(tensor)
    return {component: component_layout(held[component]) for component in sorted(held)}


def _described(pattern: Path) -> Header:
    try:
        return _header(open_checkpoint(pattern))
    except (AtlasError, OSError) as error:
        return _broken(error, pattern)


def _header(checkpoint: Checkpoint) -> Header:
    counts: dict[str, int] = {}
    for tensor in checkpoint.tensors:
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.numel
    layouts = layouts_of(checkpoint.tensors)
    components = sorted({*layouts, *checkpoint.unread})
    told = [f"{name}: {each.in_full}" for name, each in checkpoint.unread.items()]
    return Header(
        kind=_kind(checkpoint.kind, components),
        architectures=tuple(sorted(set(checkpoint.architectures.values()))),
        components=tuple(components),
        dtypes=tuple(sorted(counts, key=lambda dtype: (-counts[dtype], dtype))),
        parameters=sum(counts.values()),
        layouts=layouts,
        problem=one_line("; ".join(told)),
    )


def _kind(kind: str, components: list[str]) -> str:
    if kind == MODEL and len(components) == 1:
        alone = components[0]
        if alone in ("vae", CONTROLNET):
            return alone
        if alone.startswith("text_encoder"):
            return "text encoder"
    return kind


def _broken(error: Exception, pattern: Path) -> Header:
    told = str(error).removeprefix(f"{pattern}: ")
    return Header(BROKEN, problem=one_line(told))


def _format(file: Path) -> str:
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    form = next((form for form in FORMATS if form.is_sure(head)), None)
    if form is None:
        return ""
    return SAFETENSORS_WORD if form is SAFETENSORS else TORCH_WORD


def _stamp(file: Path) -> _Stamp | None:
    """Return what stands for a header; None where it is to be read in full."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if length > min(size, LARGEST_HEADER):
            return None
        text = stream.read(length)
    if len(text) < length or not looks_like(length.to_bytes(LENGTH_BYTES, "little") + text[:1]):
        return None
    metadata, rest = _split(text)
    if rest is None:
        return None
    digest = xxhash.xxh3_128_digest(rest)
    return _Stamp((digest, size - LENGTH_BYTES - length), tuple(metadata))


def _split(text: bytes) -> tuple[list[str], bytes | None]:
    """Return the keys of a header's metadata, and the header without it."""
    if not text.startswith(METADATA):
        return [], None if b'"__metadata__"' in text else text
    try:
        decoded = text.decode("utf-8")
        metadata, end = _decoder().raw_decode(decoded, len(METADATA))
    except (ValueError, RecursionError):
        return [], None
    if not isinstance(metadata, dict):
        return [], None
    keys = [key for key, value in metadata.items() if isinstance(value, str)]
    return keys, decoded[end:].rstrip().encode()


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder()


def stat_of(files: Iterable[Path]) -> tuple[int, int]:
    """Return the bytes of files, and the time of the latest change in nanoseconds."""
    states = [file.stat() for file in files]
    return sum(each.st_size for each in states), max(each.st_mtime_ns for each in states)
