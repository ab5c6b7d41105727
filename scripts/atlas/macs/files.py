"""The tables of MACs as CSV files, written and read back; no torch here."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from atlas.architectures.faults import FAILED
from atlas.basis.tables import replacing

HEAD = [
    "architecture", "component", "class", "call", "width_pixels", "height_pixels", "latent_width",
    "latent_height", "image_tokens", "prompts", "prompt_tokens", "text_tokens", "batch",
    "is_asked", "parameters", "doubt", "status",
]  # fmt: skip
"""What every row says of the call that was counted."""
IMPOSSIBLE = "not possible"
"""Status of a call beside those of faults: the model makes no such image or takes no such text."""
PROFILE = [
    *HEAD, "part", "name", "macs", "flops", "convolution_macs", "linear_macs",
    "attention_macs", "other_matmul_macs", "moved_bytes", "problem",
]  # fmt: skip
COUNTERS = [
    *HEAD, "counter", "record_macs", "counter_macs", "difference_macs", "causes",
    "unexplained_macs", "problem",
]  # fmt: skip
WORDS = {
    "architecture", "component", "class", "call", "part", "name", "problem", "causes", "counter",
    "model", "guidance", "label", "kind", "prompts", "doubt", "status", "encoder_tokens",
    "sampling", "quantity", "term", "per", "variable", "checked_at", "device", "device_label",
    "dtype", "limited_by", "fits", "note", "who", "source", "what", "unit", "published",
    "difference", "addition", "addition_label",
}  # fmt: skip
"""Columns that hold words; all others hold numbers or truth values."""


def failed(name: str, problem: str) -> dict[str, Any]:
    """Return the one row of the profile of an architecture that could not be profiled."""
    words = dict.fromkeys(("component", "class", "call", "name", "prompts", "doubt"), "")
    told = {"architecture": name, "is_asked": True, "part": "total", "problem": problem}
    return {**words, **told, "status": FAILED}


def write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, whole or not at all; what is not known is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path: Path) -> list[dict[str, Any]]:
    """Read rows back: numbers as numbers, an empty cell as None."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {column: _value(column, text) for column, text in row.items()}
            for row in csv.DictReader(file)
        ]


def _value(column: str, text: str) -> Any:
    if column in WORDS:
        return text
    if text in {"True", "False"}:
        return text == "True"
    if not text:
        return None
    return float(text) if "." in text or "e" in text else int(text)
