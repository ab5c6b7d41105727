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


def write(table: pa.Table, path: Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write a table with notes, whole or not at all, so that equal contents give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bare = table.replace_schema_metadata(None)
    with replacing(path) as partial:
        with pq.ParquetWriter(partial, bare.schema, compression="zstd", store_schema=False) as file:
            file.write_table(bare)
            if notes:
                file.add_key_value_metadata({NOTES: json.dumps(notes, sort_keys=True)})
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
        return file.read(columns=list(columns)), json.loads(notes)
