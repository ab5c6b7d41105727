"""The page and the table of published resource tables, beside ours."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from atlas.activations.published import COLUMNS
from atlas.activations.sizes import NOTHING, size
from atlas.basis.page import Section, markdown, plain

TITLE = "Published resource tables of activation datasets, made again"
HEADER = (
    "quantity", "of", "published", "as published", "float32", "float16", "means",
    "published / float32", "why it differs",
)  # fmt: skip
PROSE = len(HEADER) - 1


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as CSV; what is not known is an empty cell."""
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def page_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the page in Markdown: a section for each set."""
    by_set: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_set.setdefault(row["set"], []).append(row)
    return markdown(TITLE, findings(rows), [_section(name, own) for name, own in by_set.items()])


def findings(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what to know at once."""
    made = [row for row in rows if row["agrees"] is not None]
    same = [row for row in made if row["agrees"]]
    over = [
        row["published_over_right_float32"]
        for row in rows
        if row["quantity"] == "UMAP's memory" and row["published_over_right_float32"]
    ]
    seven = _raw(rows, "seven") / _raw(rows, "SDXL 1024 x 1024, mid")
    return [
        f"{len(same)} of {len(made)} published figures come out as printed under the assumptions "
        "that they were made with.",
        f"Memory of UMAP is printed as {min(over):.0%} to {max(over):.0%} of what it takes.",
        f"All seven blocks of SDXL are {seven:.1f} times its mid block, not 10 to 15.",
        f"The mid block of SD 1.5 takes {_raw(rows, 'SD 1.5') / 1e6:.2f} MB a sample in float32, "
        "a quarter of what is printed.",
    ]


def _raw(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return next(
        float(row["right_float32_bytes"])
        for row in rows
        if name in row["set"] and row["quantity"] == "activations, raw"
    )


def _section(name: str, rows: Sequence[Mapping[str, Any]]) -> Section:
    return Section(
        name,
        "As published: made again under the assumptions of the published figure. Float32, float16 "
        "and means: what is right, uncompressed, where maps are kept in either, or means over "
        "space alone.",
        HEADER,
        [_cells(row) for row in rows],
        words=frozenset({0, 1}),
        prose=frozenset({PROSE}),
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    over = row["published_over_right_float32"]
    return (
        row["quantity"],
        row["of"],
        row["published"] or NOTHING,
        _made(row),
        *(size(row[f"right_{kind}_bytes"]) for kind in ("float32", "float16", "means")),
        NOTHING if over is None else f"{over:,.2f}",
        row["causes"] or NOTHING,
    )


def line(row: Mapping[str, Any]) -> str:
    """Return a row as a line of the page's table in Markdown."""
    return f"| {' | '.join(map(plain, _cells(row)))} |"


def _made(row: Mapping[str, Any]) -> str:
    if row["agrees"] is None:
        return NOTHING
    return "as printed" if row["agrees"] else size(row["recomputed_bytes"])
