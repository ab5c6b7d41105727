"""The table of token embeddings of a text encoder: one row a token, read in blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.decoding import decode
from atlas.fingerprints.elements.digests import digest_of
from atlas.fingerprints.elements.files import OpenFiles, unchanged
from atlas.fingerprints.elements.reading import read_range
from atlas.tensors.tensors import FLOATING, ITEM_BYTES, Part, Tensor

ENDINGS = (
    "token_embedding.weight",
    "embed_tokens.weight",
    "shared.weight",
    "word_embeddings.weight",
    "token_emb.weight",
)
"""How the table's name ends: CLIP's; Gemma's and its like; T5's; BERT's; latent diffusion's."""

BLOCK_ROWS = 4096
BLOCK_BYTES = 1 << 24
"""Most rows, and about the most bytes of decoded ones, that are in hand at a time."""

COLUMNS = ["name", "component", "dtype", "shape", "digest", "parts"]


@dataclass(frozen=True)
class TokenTable:
    """A matrix of one embedding a token, and where it lies in a checkpoint's files."""

    label: str
    """Of the model and the encoder, for messages."""
    name: str
    """Canonical, as in text_encoder/text_model.embeddings.token_embedding.weight."""
    dtype: str
    """One of FLOATING."""
    rows: int
    width: int
    parts: tuple[Part, ...]
    digest: str | None = None
    """Of the fingerprint that it was found in; None where the checkpoint itself was opened."""

    def __post_init__(self) -> None:
        """Refuse what is no table of floating-point numbers."""
        if self.dtype not in FLOATING:
            raise AtlasError(
                f"{self.label}: {self.name} is stored as {self.dtype}, whose integers are no"
                " embeddings without their scales; give a copy that isn't quantised"
            )

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[NDArray[np.float32] | NDArray[np.float64]]:
        """
        Yield the rows in order, at most so many at a time: float32 (rows, width).

        It is float64 for a table of f64. Both are exact. Wide tables come in smaller blocks, so
        that none has much more than BLOCK_BYTES. Each block is the caller's own.

        Raises
        ------
        AtlasError
            When a file can't be read, or, before the last block is handed out, where it isn't what
            was fingerprinted; without a fingerprint after the last block, where the file changed.
        """
        wide = 8 if self.dtype == "f64" else 4
        step = max(1, min(rows, BLOCK_BYTES // max(1, wide * self.width)))
        files = OpenFiles()
        digest = digest_of(self.dtype, (self.rows, self.width))
        watched = [] if self.digest else sorted({part.file for part in self.parts})
        with unchanged(watched):
            for start in range(0, self.rows, step):
                stop = min(start + step, self.rows)
                raw = aligned_empty((stop - start) * self.width * ITEM_BYTES[self.dtype])
                read_range(files, self, start * self.width, raw)
                if self.digest:
                    digest.update(raw.data)
                    if stop == self.rows and digest.hexdigest() != self.digest:
                        raise self._changed()
                yield decode(raw, self.dtype).reshape(stop - start, self.width)

    def _changed(self) -> AtlasError:
        files = ", ".join(sorted({str(part.file) for part in self.parts}))
        return AtlasError(
            f"{files}: {self.name} holds other weights than when it was fingerprinted, so nothing"
            " of it was stored. If the file was replaced, run again: it is fingerprinted anew"
            " (`snakemake --forcerun fingerprint` if its time stamp was kept); else check the disk"
        )


def of_tensor(tensor: Tensor, *, label: str) -> TokenTable:
    """Return the table that a tensor of an open checkpoint is."""
    return TokenTable(label, tensor.name, tensor.dtype, *_sides(label, tensor), tensor.parts)


def of_fingerprint(fingerprint: Path, *, home: Path, component: str, label: str) -> TokenTable:
    """
    Return the table of token embeddings of a component, from a model's fingerprint alone.

    Parameters
    ----------
    home
        The folder that the fingerprint's files are named from: `fingerprint.anchor` of the path.
    component
        Such as text_encoder_2.

    Raises
    ------
    DamagedFileError
        When the fingerprint is not as it was written.
    AtlasError
        When the component has no such table, or several.
    """
    table, _ = sealed.read(fingerprint, COLUMNS)
    names, components = (table[column].to_pylist() for column in ("name", "component"))
    found = [
        row
        for row, (name, owner) in enumerate(zip(names, components, strict=True))
        if owner == component and is_token_table(name)
    ]
    if len(found) != 1:
        told = ", ".join(names[row] for row in found) or "none whose name ends in " + _listed()
        raise AtlasError(
            f"{label}: {component} should have one table of token embeddings, but has {told};"
            " leave the model out of the comparison of vocabularies"
        )
    (held,) = table.slice(found[0], 1).to_pylist()
    parts = tuple(_part(home, part) for part in held["parts"])
    tensor = Tensor(
        key=held["name"], name=held["name"], component=component, block="", role="embedding",
        dtype=held["dtype"], shape=tuple(held["shape"]), parts=parts,
    )  # fmt: skip
    sides = _sides(label, tensor)
    return TokenTable(label, tensor.name, tensor.dtype, *sides, parts, held["digest"])


def is_token_table(name: str) -> bool:
    """Tell by its name a table of token embeddings, of any of the text encoders' families."""
    return any(f".{name.rpartition('/')[2]}".endswith(f".{ending}") for ending in ENDINGS)


def _listed() -> str:
    return f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"


def _sides(label: str, tensor: Tensor) -> tuple[int, int]:
    if len(tensor.shape) != 2:
        raise AtlasError(
            f"{label}: {tensor.name} has the shape {_shape(tensor.shape)}, but a table of token"
            " embeddings has rows and columns; check what the file holds"
        )
    rows, width = tensor.shape
    return rows, width


def _shape(sides: Sequence[int]) -> str:
    return "(" + " × ".join(map(str, sides)) + ")"


def _part(home: Path, part: dict[str, Any]) -> Part:
    strides = part["strides"]
    return Part(
        file=home / part["file"],
        offset=part["offset"],
        shape=tuple(part["shape"]),
        strides=None if strides is None else tuple(strides),
    )
