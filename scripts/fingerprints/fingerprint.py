"""Fingerprint one checkpoint: a table of its tensors with digests and moments."""

import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import sealed
from atlas.basis.arrow import spare_pandas
from atlas.basis.errors import AtlasError, printable
from atlas.basis.workflow import command_line
from atlas.checkpoint import open_checkpoint, own_problem
from atlas.checkpoint.files import watched_files
from atlas.fingerprints import fingerprint
from atlas.fingerprints.elements.files import unchanged


def main(
    *,
    checkpoint: Path,
    architecture: str | None,
    weights: str | None,
    table: Path,
    threads: int,
) -> None:
    """
    Stream the checkpoint once and write its fingerprint.

    A checkpoint that can't be opened or read to its end gets a fingerprint without rows that
    carries the reason, so that the other models' results are made all the same; a component that
    can't be read, or whose weights are codes, is told in it with its reason, and the others are
    there.

    Parameters
    ----------
    checkpoint
        A weight file, an index.json of shards, a diffusers folder, or a glob of shards. None of its
        files may change while they are read.
    architecture
        `generic` keeps every name as the file has it; else it is recognised.
    weights
        `ema` or `raw`, where the checkpoint has both.
    table
        The fingerprint to write.
    """
    with unchanged(files_at_hand(checkpoint, weights)):
        try:
            with own_problem(checkpoint):
                opened = open_checkpoint(checkpoint, architecture=architecture, weights=weights)
                rows = fingerprint.table(opened, threads=threads)
        except AtlasError as problem:
            told = printable(str(problem))
            logging.error("%s", told)
            rows = fingerprint.SCHEMA.empty_table()
            notes: dict[str, Any] = {"problem": told}
        else:
            notes = fingerprint.notes(opened)
    sealed.write(rows, table, notes)


def files_at_hand(checkpoint: Path, weights: str | None) -> list[Path]:
    """Return the files that are there to be read; what is wrong with a path is told later."""
    try:
        return watched_files(checkpoint, weights=weights)
    except AtlasError:
        return []


def preload() -> None:
    """Load what many fingerprints need, once for all of them."""
    spare_pandas()
    fingerprint.load_compiled()


if __name__ == "__main__":
    spare_pandas()
    command_line(main)
