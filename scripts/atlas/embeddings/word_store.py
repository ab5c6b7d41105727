"""Shards of encoded words: vectors and similarities by content, kept when a model is added."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.basis.sealed import NOTES
from atlas.basis.sealing import is_sealed, require_sealed, seal
from atlas.basis.tables import replacing
from atlas.embeddings.similarities import MEASURES, Similarities

FLOATS = pa.list_(pa.float32())
SCHEMA = pa.schema(
    {
        "content": pa.string(),
        "form": pa.string(),
        "text": pa.string(),
        "cut": pa.bool_(),
        "vector": FLOATS,
        **dict.fromkeys(MEASURES, FLOATS),
    }
)
"""
A row group is one form of one content, its rows in the list's order. `content` tells encoder and
tokens; `vector` is null where the form is not kept; the measures are rows of squares.
"""


@dataclass(frozen=True, eq=False)
class Encoded:
    """One form of one content."""

    content: str
    form: str
    texts: Sequence[str]
    cut: Sequence[bool]
    vectors: NDArray[np.float32] | None
    """(texts, width); None where the form is not kept."""
    similarities: Similarities

    def table(self) -> pa.Table:
        """Return it as rows of a shard."""
        count = len(self.texts)
        vectors = [None] * count if self.vectors is None else list(self.vectors)
        columns = {
            "content": [self.content] * count,
            "form": [self.form] * count,
            "text": list(self.texts),
            "cut": list(self.cut),
            "vector": vectors,
        }
        for measure in MEASURES:
            columns[measure] = list(getattr(self.similarities, measure).astype(np.float32))
        return pa.Table.from_pydict(columns, schema=SCHEMA)


@dataclass
class Tally:
    """Contents that an update encoded, kept of those asked for, and others that it kept."""

    encoded: int = 0
    kept: int = 0
    absent: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    """By content: why it could not be encoded."""


Encode = Callable[[str], Iterable[Encoded]]
"""Returns all forms of a content."""


def update(
    path: Path,
    contents: Sequence[str],
    *,
    encode: Encode,
    state: Mapping[str, Any],
    notes: Mapping[str, Any],
) -> Tally:
    """
    Rewrite a shard so that it holds these contents.

    Others that it held stay: a model that comes back, or a group that is asked for in turn with
    another, costs nothing.

    Parameters
    ----------
    contents
        In the order in which they are encoded, none twice.
    state
        What is encoded, and how: the list, method, dtype, forms that are kept. All that was made
        otherwise is dropped.
    notes
        Kept in the file, for `Shards.notes`; the problems of contents are added.
    """
    tally = Tally()
    old = _Old(path, state)
    with replacing(path) as partial:
        with pq.ParquetWriter(partial, SCHEMA, compression="zstd", store_schema=False) as writer:
            asked = set(contents)
            absent = [content for content in old.groups if content not in asked]
            tally.absent = len(absent)
            for content in (*absent, *contents):
                if content in old.groups:
                    tally.kept += content in asked
                    for table in old.tables(content):
                        writer.write_table(table)
                    continue
                try:
                    found = [each.table() for each in encode(content)]
                except AtlasError as error:
                    logging.error("%s", error)
                    tally.problems[content] = str(error)
                    continue
                tally.encoded += 1
                for table in found:
                    writer.write_table(table)
            told = {"state": dict(state), "problems": tally.problems, **notes}
            writer.add_key_value_metadata({NOTES: json.dumps(told, sort_keys=True)})
        old.close()
        seal(partial)
    return tally


class _Old:
    """What a shard held before: nothing where it is damaged, or made otherwise."""

    def __init__(self, path: Path, state: Mapping[str, Any]) -> None:
        self.groups: dict[str, list[int]] = {}
        self._file: pq.ParquetFile | None = None
        if not path.is_file():
            return
        if not is_sealed(path):
            logging.warning("%s is damaged: all that it held is encoded anew", path)
            return
        file = pq.ParquetFile(path)
        if file.schema_arrow.names != SCHEMA.names or _notes(file).get("state") != dict(state):
            logging.info("%s was made otherwise: all that it held is encoded anew", path)
            file.close()
            return
        self._file = file
        for group, (content, _) in enumerate(_places(file)):
            self.groups.setdefault(content, []).append(group)

    def tables(self, content: str) -> Iterator[pa.Table]:
        """Yield a content's forms."""
        assert self._file is not None
        for group in self.groups[content]:
            yield self._file.read_row_group(group).cast(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


def _notes(file: pq.ParquetFile) -> dict[str, Any]:
    notes: dict[str, Any] = json.loads((file.metadata.metadata or {}).get(NOTES, b"{}"))
    return notes


def _places(file: pq.ParquetFile) -> Iterator[tuple[str, str]]:
    """Yield the content and the form of each row group."""
    for group in range(file.num_row_groups):
        first = file.read_row_group(group, columns=["content", "form"]).slice(0, 1)
        yield first["content"][0].as_py(), first["form"][0].as_py()


class Shards:
    """
    The shards of a list, to read from.

    Raises
    ------
    DamagedFileError
        One is not as it was written; it was moved aside, so that the next run makes it anew.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.notes: list[dict[str, Any]] = []
        self._place: dict[tuple[str, str], tuple[Path, int]] = {}
        for path in paths:
            require_sealed(path)
            with pq.ParquetFile(path) as file:
                self.notes.append(_notes(file))
                for group, key in enumerate(_places(file)):
                    self._place[key] = (path, group)

    def forms(self, content: str) -> list[str]:
        """Return the forms that there are of a content, in the order in which they were made."""
        return [form for each, form in self._place if each == content]

    def read(self, content: str, form: str) -> Encoded:
        """Return one form of one content."""
        path, group = self._place[content, form]
        with pq.ParquetFile(path) as file:
            table = file.read_row_group(group)
        squares = [_square(table[measure]).astype(np.float64) for measure in MEASURES]
        kept = table["vector"].null_count == 0
        return Encoded(
            content,
            form,
            table["text"].to_pylist(),
            table["cut"].to_pylist(),
            _square(table["vector"]) if kept else None,
            Similarities(*squares),
        )


def _square(column: pa.ChunkedArray) -> NDArray[np.float32]:
    whole = column.combine_chunks()
    values = whole.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float32).reshape(len(whole), -1)
