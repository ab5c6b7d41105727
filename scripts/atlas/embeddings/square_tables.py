"""Word by word tables of a model, as comparisons of prompts write them: four decimals."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np
import pyarrow as pa

from atlas.embeddings.similarities import MEASURES
from atlas.embeddings.word_store import Encoded

DECIMALS = 4

LONG = pa.schema(
    {
        "encoder": pa.string(),
        "component": pa.string(),
        "form": pa.string(),
        "a": pa.string(),
        "b": pa.string(),
        **dict.fromkeys(MEASURES, pa.float64()),
    }
)


@dataclass(frozen=True)
class Part:
    """One form of one of a model's text encoders."""

    component: str
    encoded: Encoded


def wide(parts: Sequence[Part]) -> str:
    """
    Return a model's tables as one CSV: a row for each text of each form and measure.

    `component, form, measure, text`, then a column a text: with the first three chosen, the square
    of all texts.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, part in enumerate(parts):
        if number == 0:
            writer.writerow(["component", "form", "measure", "text", *part.encoded.texts])
        for measure in MEASURES:
            square = getattr(part.encoded.similarities, measure)
            told = np.char.mod(f"%.{DECIMALS}f", square).tolist()
            for text, row in zip(part.encoded.texts, told, strict=True):
                writer.writerow([part.component, part.encoded.form, measure, text, *row])
    return out.getvalue()


def long(parts: Sequence[Part]) -> Iterator[pa.Table]:
    """Yield each two texts of each form, once: as `LONG` has them."""
    for part in parts:
        encoded = part.encoded
        first, second = np.triu_indices(len(encoded.texts), 1)
        texts = np.array(encoded.texts, dtype=object)
        count = len(first)
        columns = {
            "encoder": [encoded.content] * count,
            "component": [part.component] * count,
            "form": [encoded.form] * count,
            "a": texts[first],
            "b": texts[second],
        }
        for measure in MEASURES:
            columns[measure] = getattr(encoded.similarities, measure)[first, second]
        yield pa.Table.from_pydict(columns, schema=LONG)
