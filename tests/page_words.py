"""What cells of a group's tables are in the words of its page."""

from __future__ import annotations

from typing import Any

import numpy as np

from atlas.plots.words import significant


def said(text: str, measure: str, coverage: float) -> str:
    """Return what is told of a matrix's cell, in the short words of the pair's table."""
    if text == ("1" if measure == "cosine" else "0"):
        return "="
    if text == "":
        return "= in part" if 0 < coverage < 1 else "–"
    value = float(text)
    return significant(1 - value if measure == "cosine" else value)


def compared(text: str) -> str:
    """Return what is told of a cell of the coverage: of what neither has, nothing."""
    share = float(text or "nan")
    return "–" if np.isnan(share) else "all" if share == 1 else f"{significant(100 * share, 3)} %"


def cell(row: dict[str, Any]) -> str:
    """Return what a row of the distances says, in words or three significant digits."""
    if row["compared_tensors"] == 0:
        return "not compared"
    if row["identical_tensors"] == row["compared_tensors"]:
        whole = row["identical_tensors"] == row["tensors"]
        return "identical" if whole else "identical as far as compared"
    return significant(row["relative_l2"], 3)


def edge(at: int) -> str:
    """Return the power of ten of a bin's lower edge."""
    return f"{-8 + at / 2:g}"


def short(text: str) -> str:
    """Return a number of a table with three significant digits."""
    return significant(float(text), 3) if text else "–"
