"""What a checkpoint holds: tensors as places in files, before any weight is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

ITEM_BYTES = {
    "f64": 8,
    "f32": 4,
    "f16": 2,
    "bf16": 2,
    "f8_e4m3fn": 1,
    "f8_e5m2": 1,
    "i64": 8,
    "i32": 4,
    "i16": 2,
    "i8": 1,
    "u64": 8,
    "u32": 4,
    "u16": 2,
    "u8": 1,
    "bool": 1,
}
"""Bytes per element of each dtype that the atlas reads, by the atlas's names."""

FLOATING = frozenset({"f64", "f32", "f16", "bf16", "f8_e4m3fn", "f8_e5m2"})

ROUNDED = ("f32", "f16", "bf16", "f8_e4m3fn", "f8_e5m2")
"""Dtypes that checkpoints are rounded to: fingerprints foretell what such a copy would be."""


def rounds_to(dtype: str) -> tuple[str, ...]:
    """Return the dtypes of ROUNDED that may lose some of what this one holds, and itself."""
    return ROUNDED if dtype in ("f64", "f32") else ROUNDED[1:]


@dataclass(frozen=True)
class Part:
    """A view of elements in a file: contiguous in C order unless strides say otherwise."""

    file: Path
    offset: int
    """Byte offset in the file of the view's first element."""
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None = None
    """Strides in elements; None for contiguous C order."""


@dataclass(frozen=True)
class Tensor:
    """One tensor under its canonical name, and where its elements lie."""

    key: str
    """The name in the file; several keys that make one tensor are joined by " + "."""
    name: str
    """Canonical: diffusers' naming prefixed with the component, as in unet/conv_in.weight."""
    component: str
    block: str
    role: str
    dtype: str
    """One of ITEM_BYTES."""
    shape: tuple[int, ...]
    parts: tuple[Part, ...]
    """In order; their elements, one part after the other, are the tensor's in C order."""

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements in the tensor's own dtype."""
        return self.numel * ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class Unread:
    """A component whose weights are not read, though the rest of the checkpoint is."""

    reason: str
    """With the remedy."""
    numel: int
    """Elements that its file lists; of a file that can't be read, as many as its bytes may be."""
    told_by: str = ""
    """What in the file tells it."""
    is_broken: bool = False
    """Whether its file can't be read, rather than holds weights in a form that is refused."""

    @property
    def in_full(self) -> str:
        """The reason, and what tells it."""
        return f"{self.reason} ({self.told_by})" if self.told_by else self.reason


@dataclass(frozen=True)
class FileMetadata:
    """What a checkpoint's file, or a document beside its weights, says of the model's making."""

    name: str
    """Relative to the checkpoint's folder, or the file's own name."""
    component: str = ""
    """Of a folder of components; else ""."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By key; as hostile as the file."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """Key to the characters that its text has in full, where it was cut."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's tensors in order of name, and what was noticed on opening it."""

    path: Path
    files: tuple[Path, ...]
    tensors: tuple[Tensor, ...]
    architectures: dict[str, str] = field(default_factory=dict)
    """Component to the recognised architecture; a component that fits none is absent."""
    findings: tuple[str, ...] = ()
    """Sentences for the user: an extension that lies, position_ids stored as float, ..."""
    kind: str = "model"
    """`model`, or what is no model of its own: `lora`, `embedding`."""
    unread: dict[str, Unread] = field(default_factory=dict)
    """Component to why its weights are not among the tensors."""
    metadata: tuple[FileMetadata, ...] = ()
    """Of files that say something, in order."""
