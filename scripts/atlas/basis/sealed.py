"""Sealed tables with notes: read as they were written, or not at all."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.basis.sealing import require_sealed, seal
from atlas.basis.tables import replacing

NOTES = b"diffusion-atlas"
"""Key of the notes in a parquet file's own metadata."""

BESIDE = b"diffusion-atlas."
"""How keys of a table's metadata begin that are kept with it: what few readers want."""


def write(table: pa.Table, path: Path, notes: Mapping[str, Any] | None = None) -> None:
    """
    Write a table with notes, whole or not at all, so that equal contents give equal bytes.

    Of the metadata of the table's schema, what begins with BESIDE is kept: see `read_beside`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    bare, beside = table.replace_schema_metadata(None), _beside(table.schema.metadata)
    with replacing(path) as partial:
        with pq.ParquetWriter(partial, bare.schema, compression="zstd", store_schema=False) as file:
            file.write_table(bare)
            told = {NOTES: json.dumps(notes, sort_keys=True)} if notes else {}
            if told or beside:
                file.add_key_value_metadata(told | beside)
        seal(partial)


def read(path: Path, columns: Sequence[str]) -> tuple[pa.Table, dict[str, Any]]:
    """
    Return columns of a table, and its notes, where it is as it was written.

    Raises
    ------
    DamagedFileError
        Else; the file was moved aside, so that the next run makes it anew.
    """
    require_sealed(path)
    with pq.ParquetFile(path) as file:  # pq.read_table would import pyarrow.dataset
        notes = (file.metadata.metadata or {}).get(NOTES, b"{}")
        table = file.read(columns=list(columns)).replace_schema_metadata(None)
        return table, json.loads(notes)


def read_beside(path: Path) -> dict[bytes, bytes]:
    """
    Return what stands beside the rows and notes of a table, by its key, which begins with BESIDE.

    Raises
    ------
    DamagedFileError
        The file is not as it was written; it was moved aside.
    """
    require_sealed(path)
    with pq.ParquetFile(path) as file:
        return _beside(file.metadata.metadata)


def _beside(metadata: Mapping[bytes, bytes] | None) -> dict[bytes, bytes]:
    return {key: kept for key, kept in sorted((metadata or {}).items()) if key.startswith(BESIDE)}
