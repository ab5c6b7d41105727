"""The register: which models have a fingerprint, which one, and of which checkpoint."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas.basis import tables
from atlas.basis.errors import AtlasError
from atlas.basis.sealing import seal_of

COLUMNS = ["model", "seal", "fingerprint", "checkpoint"]


@dataclass(frozen=True)
class Entry:
    """One model's fingerprint, and the checkpoint that it is of."""

    fingerprint: Path
    checkpoint: Path


def write(entries: Mapping[str, Entry], path: Path) -> None:
    """
    Write a line for each model: its id, the seal of its fingerprint, and where both files lie.

    One file then stands for all fingerprints, and changes when one of them does. A job of many
    outputs that reads them all asks for this one: Snakemake notes every input beside every output.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(
        [model, seal_of(each.fingerprint), each.fingerprint.as_posix(), each.checkpoint.as_posix()]
        for model, each in sorted(entries.items())
    )
    tables.write_text(text.getvalue(), path)


def read(path: Path) -> dict[str, Entry]:
    """
    Return each model's entry, once it is sure that every fingerprint is the one that was entered.

    Raises
    ------
    AtlasError
        A fingerprint is another one by now, or is gone; or the file is no register.
    """
    found = {}
    for model, seal, place, checkpoint in _lines(path):
        fingerprint = Path(place)
        if not fingerprint.is_file() or seal_of(fingerprint) != seal:
            raise AtlasError(
                f"{place}: is no longer the fingerprint that {path} tells of; run again, and both"
                " are made anew"
            )
        found[model] = Entry(fingerprint, Path(checkpoint))
    return found


def _lines(path: Path) -> Iterable[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *lines = [*csv.reader(file)] or [[]]
    if head != COLUMNS or any(len(line) != len(COLUMNS) for line in lines):
        raise AtlasError(f"{path}: no register of fingerprints; delete it and run again")
    return lines
