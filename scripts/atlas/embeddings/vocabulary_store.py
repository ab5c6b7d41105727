"""Comparisons of vocabularies by the contents of both tables, kept when a model is added."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.basis.errors import AtlasError
from atlas.basis.sealed import NOTES
from atlas.basis.sealing import is_sealed, seal
from atlas.basis.tables import replacing
from atlas.embeddings.vocabulary import SCHEMA, Comparison

STORED = pa.schema([pa.field("pair", pa.string()), *SCHEMA])
"""`pair` tells the digests of both tables, the base's first; a row group is one pair."""


@dataclass(frozen=True)
class Known:
    """What is known of a pair."""

    summary: Mapping[str, Any]
    """As `vocabulary.Summary`, without the labels."""
    rows: pa.Table


def update(
    path: Path, pairs: Mapping[str, Callable[[], Comparison]], *, state: Mapping[str, Any]
) -> tuple[dict[str, Known], dict[str, str]]:
    """
    Rewrite a file so that it holds these pairs, and return them; only new ones are compared.

    Beside them, by pair, why some could not be compared.

    Parameters
    ----------
    pairs
        Key of a pair to what compares it.
    state
        How they are compared. What was compared otherwise, or by a damaged file, is anew.
    """
    known = _sound(path, state)
    found: dict[str, Known] = {}
    problems: dict[str, str] = {}
    with replacing(path) as partial:
        with pq.ParquetWriter(partial, STORED, compression="zstd", store_schema=False) as writer:
            for number, (pair, compare) in enumerate(pairs.items(), start=1):
                if pair not in known:
                    try:
                        made = compare()
                    except AtlasError as error:
                        logging.error("%s", error)
                        problems[pair] = str(error)
                        continue
                    logging.info("%d of %d: %s", number, len(pairs), made.summary.sentence())
                    known[pair] = Known(_plain(made), made.rows)
                found[pair] = known.pop(pair)
                rows = found[pair].rows
                column = pa.array([pair] * len(rows), pa.string())
                writer.write_table(rows.add_column(0, "pair", column).cast(STORED))
            notes = {
                "state": dict(state),
                "pairs": {pair: each.summary for pair, each in found.items()},
            }
            writer.add_key_value_metadata({NOTES: json.dumps(notes, sort_keys=True)})
        seal(partial)
    return found, problems


def _plain(made: Comparison) -> dict[str, Any]:
    told = asdict(made.summary)
    return {key: value for key, value in told.items() if key not in ("base", "other")}


def _sound(path: Path, state: Mapping[str, Any]) -> dict[str, Known]:
    """Return what a file holds, or nothing where it is damaged or was made otherwise."""
    if not path.is_file():
        return {}
    if not is_sealed(path):
        logging.warning("%s is damaged: all is compared anew", path)
        return {}
    with pq.ParquetFile(path) as file:
        notes = json.loads((file.metadata.metadata or {}).get(NOTES, b"{}"))
        if notes.get("state") != dict(state) or file.schema_arrow.names != STORED.names:
            return {}
        groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    return {
        rows["pair"][0].as_py(): Known(
            notes["pairs"][rows["pair"][0].as_py()], rows.drop_columns(["pair"]).cast(SCHEMA)
        )
        for rows in groups
    }
