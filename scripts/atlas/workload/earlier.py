"""What the jobs of earlier runs took, from Snakemake's benchmark files."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median


def seconds(folder: Path) -> dict[str, float]:
    """
    Return the median seconds of each rule's jobs, from `{folder}/{rule}/**.tsv`.

    Files that are cut short, as a killed run leaves them, are passed over.
    """
    found: dict[str, list[float]] = {}
    for file in sorted(folder.rglob("*.tsv")):
        spent = [value for row in _rows(file) if (value := _number(row.get("s"))) is not None]
        found.setdefault(file.relative_to(folder).parts[0], []).extend(spent)
    return {rule: median(values) for rule, values in found.items() if values}


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", errors="replace", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
