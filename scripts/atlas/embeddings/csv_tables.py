"""Tables of words read back as they were written: a word may be 7, nan or null."""

from pathlib import Path

import pandas as pd

TEXTS = (
    "model", "base", "same_as", "component", "form", "alignment", "text", "word", "variant",
    "category",
)  # fmt: skip
"""Columns that are texts whatever stands in them."""


def read(path: Path) -> pd.DataFrame:
    """Return a CSV file of `map_words`: texts as texts, and an empty cell of numbers as NaN."""
    columns = pd.read_csv(path, nrows=0).columns
    return pd.read_csv(
        path,
        dtype={name: str for name in columns if name in TEXTS},
        keep_default_na=False,
        na_values={name: [""] for name in columns if name not in TEXTS},
    )
