"""The identity table as a page that one can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from atlas.basis.page import markdown_table
from atlas.names import components
from atlas.relations.families import families
from atlas.relations.verdicts import VERDICTS

MAX_PAIRS = 400
"""A page with more rows than this helps nobody: it keeps to the families and says so."""


def document(
    frame: pd.DataFrame, *, group: str, models: Sequence[str], labels: Mapping[str, str]
) -> str:
    """Return the page: families of equal components first, then what differs, pair by pair."""
    lines = [f"# Which components of {group} are the same", ""]
    if unread := [model for model in models if model not in {*frame["a"], *frame["b"]}]:
        names = ", ".join(labels.get(model, model) for model in unread)
        lines += [f"Not compared, for `models.md` tells of trouble with them: {names}.", ""]
    for component, rows in frame.groupby("component", sort=True):
        lines += [f"## {_title(str(component))}", "", *_summary(rows), ""]
        lines += _families(rows, labels)
    lines += _pairs(frame, labels)
    return "\n".join(lines).rstrip() + "\n"


def _title(component: str) -> str:
    word = components.WORDS.get(component, component)
    return word[0].upper() + word[1:]


def _summary(rows: pd.DataFrame) -> list[str]:
    counts = rows["verdict"].value_counts()
    told = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts]
    pairs = "1 pair" if len(rows) == 1 else f"{len(rows)} pairs"
    return [f"{pairs}: {', '.join(told)}."]


def _families(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    lines = [
        f"- identical in {len(members)} models: {', '.join(labels.get(m, m) for m in members)}"
        for members in families(rows)
    ]
    return [*lines, ""] if lines else []


def _pairs(frame: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    if len(frame) > MAX_PAIRS:
        return [f"The {len(frame)} pairs are in `identity.csv`."]
    header = ["a", "b", "component", "verdict", "what"]
    rows = []
    for row in frame.to_dict("records"):
        a, b = (labels.get(row[side], row[side]) for side in "ab")
        what = "" if row["what"] == row["verdict"] else row["what"]
        rows.append([a, b, row["component"], row["verdict"], what])
    return ["## Pair by pair", "", *markdown_table(header, rows, words=range(len(header)))]
