"""Draw all pictures of a subject, and write what stands beside them."""

import logging
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any

from atlas.basis.tables import write_text
from atlas.plots import style
from atlas.plots.registry import Subject, plots_of


def draw_all(
    subject: Subject,
    *parts: Any,
    stem: Path,
    kinds: Collection[str] | None = None,
    in_full: bool = False,
    **facts: Any,
) -> list[Path]:
    """
    Write {stem}{plot's ending}.svg and .png of each plot of a subject.

    Parameters
    ----------
    parts, facts
        What the plots' `draw` takes: a Matrix, a pair's table, an identity table.
    stem
        Path of the pictures without their endings.
    kinds
        Names of the plots to draw; None for all.
    in_full
        Whether the files of a lone plot bear its name, too, as those of others do.

    Returns
    -------
    list
        The files written; the tree's Newick file among them.
    """
    written = []
    for plot in plots_of(subject):
        if kinds is not None and plot.name not in kinds:
            continue
        logging.info("drawing %s%s", stem.name, plot.ending)
        picture = import_module(f"atlas.plots.{plot.name}")  # each imports only what it needs
        ending = f".{plot.name}" if in_full else plot.ending
        place = stem.with_name(stem.name + ending)
        written += style.save(picture.draw(*parts, **facts), place)
        beside = picture.beside(*parts, **facts) if hasattr(picture, "beside") else {}
        for ending, text in beside.items():
            file = place.with_name(place.name + ending)
            write_text(text, file)
            written.append(file)
    return written
