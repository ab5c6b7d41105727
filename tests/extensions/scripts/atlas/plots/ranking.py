"""The models in order of their distance from the first."""

import numpy as np
from matplotlib.figure import Figure

from atlas.plots import style
from atlas.plots.words import distances_of, measure_of
from atlas.relations.matrices import Matrix


def draw(matrix: Matrix) -> Figure:
    """Draw a bar per model."""
    with style.applied():
        figure = Figure(figsize=(4, 2), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(list(matrix.labels), distances_of(matrix)[0])
        axes.set_xlabel(measure_of(matrix).title)
        return figure


def beside(matrix: Matrix) -> dict[str, str]:
    """Return the ids in order."""
    order = np.argsort(distances_of(matrix)[0])
    return {".txt": " ".join(matrix.ids[row] for row in order) + "\n"}
