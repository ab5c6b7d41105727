"""Byte-stable parquet files, written whole or not at all."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.basis.errors import AtlasError, lacks_room


def write(table: pa.Table, path: Path) -> None:
    """
    Write a table so that equal contents give equal bytes.

    The file appears under its name only when it is complete: a killed job leaves the old one.
    """
    write_parts([table], table.schema.remove_metadata(), path)


def write_parts(parts: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    """Write a table that comes in parts, none of them kept in memory; else as `write`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        replacing(path) as partial,
        pq.ParquetWriter(partial, schema, compression="zstd", store_schema=False) as writer,
    ):
        for part in parts:
            writer.write_table(part.replace_schema_metadata(None))


def write_text(text: str, path: Path) -> None:
    """Write a text file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


class replacing:  # noqa: N801 - reads as a verb at the call: with replacing(path) as partial
    """
    Hand out a temporary path beside the file and move it there if the block succeeds.

    Raises
    ------
    AtlasError
        Where the disk takes no more, with the remedy.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        try:
            handle, name = tempfile.mkstemp(
                dir=self.path.parent, prefix=f".{self.path.name}.", suffix=".part"
            )
        except OSError as error:
            raise self._told(error) from error
        os.close(handle)
        self.partial = Path(name)
        return self.partial

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        if kind is None:
            umask = os.umask(0)
            os.umask(umask)
            self.partial.chmod(0o666 & ~umask)
            self.partial.replace(self.path)
        else:
            self.partial.unlink(missing_ok=True)
            if isinstance(error, OSError) and lacks_room(error):
                raise self._told(error) from error

    def _told(self, error: OSError) -> AtlasError:
        remedy = lacks_room(error) or "check its folder"
        return AtlasError(
            f"{self.path}: can't be written ({os.strerror(error.errno or 0)}); {remedy} and run "
            "again"
        )
