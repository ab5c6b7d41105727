"""Matrices as pages that one can look at: who is nearest to whom, then the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atlas.basis.page import Section
from atlas.measures import SHOWN
from atlas.names import components
from atlas.relations.group_matrices import COVERAGE
from atlas.relations.groups import nothing_to_compare
from atlas.relations.matrices import Matrix

LARGEST = 64
"""Of more models no table of all pairs is shown: the heatmap and the CSV have them."""
NEAREST = 3
"""How many neighbours of each model are told."""
SIGNS = "= has the same weights; – was not compared. A column's number is its model's row."

Content = tuple[str, list[str], list[Section]]
"""A page's title, what to know at once, and its sections."""


def content(matrices: Sequence[Matrix]) -> Content:
    """Return the page of one component: matrices of several measures, l2 the first."""
    first = matrices[0]
    word = components.WORDS.get(first.component, first.component)
    title = f"{word[0].upper()}{word[1:]}: distances between {len(first)} models"
    sections = [_nearest(first)]
    if len(first) > LARGEST:
        where = f"{first.component}.{first.measure}.csv and beside it have all {len(first)} rows."
        return title, [where], sections
    return title, [], sections + [_square(matrix) for matrix in matrices]


def nothing(models: int) -> Content:
    """Return the page of a group of which no two models can be compared."""
    return "Distances", [nothing_to_compare(models)], []


def _title(matrix: Matrix) -> str:
    if matrix.measure == COVERAGE:
        return "Coverage (share of the parameters that was compared)"
    measure = SHOWN[matrix.measure]
    # A picture of a similarity shows 1 - it; the matrix has the similarity itself.
    return f"{measure.title.removeprefix('1 − ')} ({measure.unit})"


def _nearest(matrix: Matrix) -> Section:
    """Return the table of each model's nearest others, those of the same weights first."""
    values = np.where(matrix.identical, 0.0, matrix.values)
    rows = []
    for row, model in enumerate(matrix.ids):
        order = [int(each) for each in np.argsort(values[row], kind="stable") if each != row]
        near = [each for each in order if not np.isnan(values[row, each])][:NEAREST]
        told = [f"{matrix.ids[each]} ({_cell(matrix, row, each)})" for each in near]
        rows.append([str(row + 1), model, "; ".join(told) or "–"])
    header = ["", "model", f"nearest, by {_title(matrix)}"]
    return Section("Nearest", SIGNS, header, rows, frozenset({1, 2}))


def _square(matrix: Matrix) -> Section:
    size = range(len(matrix))
    rows = [
        [str(row + 1), matrix.ids[row], *(_cell(matrix, row, column) for column in size)]
        for row in size
    ]
    header = ["", "model", *(str(column + 1) for column in size)]
    return Section(_title(matrix), "", header, rows, frozenset({1}))


def _cell(matrix: Matrix, row: int, column: int) -> str:
    if row == column:
        return ""
    if matrix.identical[row, column]:
        return "="
    value = matrix.values[row, column]
    return "–" if np.isnan(value) else f"{value:.4g}"
