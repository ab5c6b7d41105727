"""The pictures of recipes: one for each component of each model that is a sum of others."""

from __future__ import annotations

import logging
from pathlib import Path

from atlas.basis.page import listed
from atlas.lineage import strip_picture, strips
from atlas.lineage.fitted import Fitted
from atlas.lineage.sentences import NEAR
from atlas.lineage.telling import Told
from atlas.plots import notice, style
from atlas.plots.words import counted, titled
from atlas.relations.groups import ALL, nothing_to_compare
from atlas.relations.matrices import stem_of

NO_RECIPE = "No recipe to draw: no model of the group is a sum of others. recipes.md tells of each."
LEFT_NOTE = (
    "Left: the L2 that the sum does not explain, as a share of the distance from the nearest "
    "model. Distances as they are stored tell little below some 0.01."
)
SEPARATOR = "  ·  "
MOST_NAMED = 6
"""Deviating tensors that a note names."""


def draw_all(told: Told, folder: Path) -> list[Path]:
    """
    Write {model}.{component}.svg and .png of each recipe of a group; where there is none, a notice.

    Returns
    -------
    list
        The files written.
    """
    written = []
    for model, components in told.fits.items():
        drawn = {name: each for name, each in components.items() if strips.has_strip(each)}
        found = {name: strips.strip_of(each, told.teller) for name, each in drawn.items()}
        parents = {parent for strip in found.values() for parent in strip.parents}
        order = told.teller.place
        colours = strip_picture.colours_of(
            sorted(parents, key=lambda parent: (order.get(parent, len(order)), parent))
        )
        for component, strip in found.items():
            logging.info("drawing %s.%s", model, component)
            figure = strip_picture.draw(
                strip,
                title=_title(told, drawn[component]),
                subtitle=_subtitle(told, drawn[component], strip),
                colours=colours,
                name=told.name,
                notes=_notes(told, drawn[component], strip),
            )
            written += style.save(figure, folder / f"{model}.{stem_of(component)}")
    if not written:
        sentence = NO_RECIPE if told.fits else nothing_to_compare(len(told.models))
        written = style.save(notice.draw(told.group, sentence), folder / f"{ALL}.notice")
    return written


def _title(told: Told, fitted: Fitted) -> str:
    model, component = told.label(fitted.whole.target), titled(fitted.component)
    return f"{model}, {component}: {told.teller.phrase(fitted, in_brief=True)}"


def _subtitle(told: Told, fitted: Fitted, strip: strips.Strip) -> str:
    columns = strip.columns
    parts = [
        f"Group {told.group}",
        "weights of the parents, stacked",
        "one sum serves all blocks"
        if strip.is_global and len(columns) > 1
        else counted(len(columns), "block")
        if len(columns) > 1
        else "",
    ]
    return SEPARATOR.join(filter(None, parts))


def _notes(told: Told, fitted: Fitted, strip: strips.Strip) -> list[str]:
    notes = []
    if fitted.whole.is_sum and told.teller.comes_near(fitted.whole):
        notes.append(f"It leaves {told.teller.left(fitted.whole)}: {NEAR}.")
    if proof := told.teller.proof_of(fitted):
        notes.append(f"{proof[0].upper()}{proof[1:]}.")
    if any(column.left is not None for column in strip.columns):
        notes.append(LEFT_NOTE)
    if names := [each.name for each in fitted.deviating]:
        notes.append(
            f"Not in these weights, as they deviate ({counted(len(names), 'tensor')}): "
            f"{listed(names, most=MOST_NAMED)}."
        )
    return notes
