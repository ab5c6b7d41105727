"""Words that look like numbers, or like nothing, are words."""

from __future__ import annotations

import math

import pandas as pd

from atlas.embeddings import csv_tables


def test_texts_stay_texts_and_numbers_numbers(tmp_path):
    words = ["7", "nan", "null", "NA", "", "1e5", "True"]
    table = pd.DataFrame(
        {"model": ["1"] * 7, "word": words, "category": "", "x": [0.5, math.nan, *range(5)]}
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    found = csv_tables.read(tmp_path / "t.csv")
    assert found["word"].tolist() == words
    assert found["model"].tolist() == ["1"] * 7
    assert found["category"].tolist() == [""] * 7
    assert found["x"].dtype == float
    assert found["x"].isna().tolist() == [False, True, *[False] * 5]


def test_a_table_of_a_header_alone_is_empty(tmp_path):
    (tmp_path / "t.csv").write_text("model,word,x\n")
    assert list(csv_tables.read(tmp_path / "t.csv").columns) == ["model", "word", "x"]
