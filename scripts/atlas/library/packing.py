"""The file of a library: many models' sketches and digests, to share without their weights."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.basis.sealing import is_sealed
from atlas.fingerprints.elements.projection import SUMS
from atlas.library.entries import Block, Entry, Part
from atlas.library.identities import AS_IS, FORMS, Digests

VERSION = 1
"""Raised when what a file holds, or what it means, changes: sketches of two versions never meet."""

SUFFIX = ".parquet"

DIGEST = pa.binary(16)
DIGESTS = tuple("digest" if form == AS_IS else f"digest_{form}" for form in FORMS)
WORD = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    {
        "model": WORD,
        "component": WORD,
        "block": WORD,
        "elements": pa.int64(),
        "left_out": pa.int64(),
        "layout": WORD,
        "squares": pa.float64(),
        "floor": pa.float64(),
        **dict.fromkeys(DIGESTS, DIGEST),
        "sums": pa.binary(4 * SUMS),
    }
)


def write(entries: Iterable[Entry], path: Path) -> None:
    """Write a library, whole or not at all; equal entries give equal bytes in any order."""
    ordered = sorted(entries, key=lambda entry: entry.model)
    places = [
        (entry.model, part.component, block)
        for entry in ordered
        for part in entry.parts
        for block in part.blocks
    ]
    columns: dict[str, list[Any]] = {
        "model": [model for model, _, _ in places],
        "component": [component for _, component, _ in places],
        "block": [block.block for *_, block in places],
        "elements": [block.elements for *_, block in places],
        "left_out": [block.left_out for *_, block in places],
        "layout": [block.layout for *_, block in places],
        "squares": [block.squares for *_, block in places],
        "floor": [block.floor for *_, block in places],
        "sums": [block.sums.astype("<f4").tobytes() for *_, block in places],
    }
    for number, column in enumerate(DIGESTS):
        columns[column] = [block.digests[number] for *_, block in places]
    arrays = [
        pa.array(columns[field.name], pa.string()).dictionary_encode()
        if field.type == WORD
        else pa.array(columns[field.name], field.type)
        for field in SCHEMA
    ]
    notes = {"library": VERSION, "models": {entry.model: _noted(entry) for entry in ordered}}
    sealed.write(pa.Table.from_arrays(arrays, schema=SCHEMA), path, notes)


def _noted(entry: Entry) -> dict[str, Any]:
    return {
        "label": entry.label,
        "kind": entry.kind,
        "claims": dict(entry.claims),
        "components": {part.component: _part_noted(part) for part in entry.parts},
    }


def _part_noted(part: Part) -> dict[str, Any]:
    return {
        "architecture": part.architecture,
        "dtypes": list(part.dtypes),
        "tensors": part.tensors,
        "parameters": part.parameters,
        "bytes": part.nbytes,
        "layout": part.layout,
        "digests": _hexadecimal(part.digests),
        "contents": _hexadecimal(part.contents),
    }


def read(path: Path) -> list[Entry]:
    """
    Return the models of a library, in order of id.

    Raises
    ------
    AtlasError
        The file is not there, is no library, is of another version, is damaged or holds no model.
    """
    notes, table = _opened(path)
    blocks: dict[tuple[str, str], list[Block]] = {}
    columns = {
        field.name: table[field.name].to_pylist() for field in SCHEMA if field.name != "sums"
    }
    digests = list(zip(*(columns[column] for column in DIGESTS), strict=True))
    sums = _sums(table)
    for place, key in enumerate(zip(columns["model"], columns["component"], strict=True)):
        blocks.setdefault(key, []).append(
            Block(
                block=columns["block"][place],
                elements=columns["elements"][place],
                left_out=columns["left_out"][place],
                layout=columns["layout"][place],
                squares=columns["squares"][place],
                floor=columns["floor"][place],
                digests=digests[place],
                sums=sums[place],
            )
        )
    return [_entry(model, told, blocks) for model, told in sorted(notes["models"].items())]


def _opened(path: Path) -> tuple[dict[str, Any], pa.Table]:
    if not path.is_file():
        raise AtlasError(f"{path}: no such library; make one by `snakemake library`")
    try:
        with pq.ParquetFile(path) as file:
            told = (file.metadata.metadata or {}).get(sealed.NOTES, b"{}")
            notes = json.loads(told)
            version = notes.get("library") if isinstance(notes, dict) else None
            if version is None:
                raise AtlasError(f"{path}: no library; make one by `snakemake library`")
            if version != VERSION:
                raise AtlasError(
                    f"{path}: a library of version {version}, where this atlas reads version "
                    f"{VERSION}; make it anew by `snakemake library`, or use the atlas it is of"
                )
            if not notes["models"]:
                raise AtlasError(
                    f"{path}: an empty library: there is no model in it to compare with"
                )
            if not is_sealed(path):
                raise AtlasError(f"{path}: damaged: not as it was written; fetch or make it again")
            table = file.read(columns=SCHEMA.names)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise AtlasError(f"{path}: no library; make one by `snakemake library`") from error
    return notes, table


def _sums(table: pa.Table) -> np.ndarray:
    held = table["sums"].combine_chunks()
    if isinstance(held, pa.ChunkedArray):
        held = held.chunk(0) if held.num_chunks else pa.array([], pa.binary(4 * SUMS))
    found = np.frombuffer(held.buffers()[1] or b"", "<f4").reshape(-1, SUMS)
    return found[held.offset : held.offset + len(held)].astype(np.float32, copy=False)


def _entry(
    model: str, told: Mapping[str, Any], blocks: Mapping[tuple[str, str], Sequence[Block]]
) -> Entry:
    parts = tuple(
        Part(
            component=component,
            architecture=each["architecture"],
            dtypes=tuple(each["dtypes"]),
            tensors=each["tensors"],
            parameters=each["parameters"],
            nbytes=each["bytes"],
            layout=each["layout"],
            digests=_binary(each["digests"]),
            contents=_binary(each["contents"]),
            blocks=tuple(blocks.get((model, component), ())),
        )
        for component, each in sorted(told["components"].items())
    )
    return Entry(model, told["label"], told["kind"], parts, told["claims"])


def _hexadecimal(digests: Digests) -> list[str | None]:
    return [digest.hex() if digest else None for digest in digests]


def _binary(digests: Sequence[str | None]) -> Digests:
    return tuple(bytes.fromhex(digest) if digest else None for digest in digests)
