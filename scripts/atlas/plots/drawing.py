"""Draw all pictures of a subject, and write what stands beside them."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

from atlas.basis.tables import write_text
from atlas.plots import style
from atlas.plots.kinds import Subject, kinds_of


def draw_all(subject: Subject, *parts: Any, stem: Path, **facts: Any) -> list[Path]:
    """
    Write {stem}{kind's ending}.svg and .png of each kind of picture of a subject.

    Parameters
    ----------
    parts, facts
        What the kinds' `draw` takes: a Matrix, a pair's table, an identity table.
    stem
        Path of the pictures without their endings.

    Returns
    -------
    list
        The files written; the tree's Newick file among them.
    """
    written = []
    for kind in kinds_of(subject):
        logging.info("drawing %s%s", stem.name, kind.ending)
        picture = import_module(f"atlas.plots.{kind.name}")  # each imports only what it needs
        place = stem.with_name(stem.name + kind.ending)
        written += style.save(picture.draw(*parts, **facts), place)
        beside = picture.beside(*parts, **facts) if hasattr(picture, "beside") else {}
        for ending, text in beside.items():
            file = place.with_name(place.name + ending)
            write_text(text, file)
            written.append(file)
    return written
