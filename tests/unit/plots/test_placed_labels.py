"""Labels of graphs and maps: whose each is can be seen, by nearness or by a line."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from atlas.plots import map, spectral
from atlas.relations import notebook
from synthetic_families import family

PUBLISHED = sorted((Path(__file__).parents[3].parent / "shared" / "data").glob("notebook_*.json"))


def panels(plot, matrix):
    """Return the panels that a plot draws, with their points and labels."""
    with mock.patch.object(plot, "draw_panel", wraps=plot.draw_panel) as drawn:
        plot.draw(matrix)
    return [call.args[3] for call in drawn.call_args_list]


def gap(box, points):
    """Return how far each point lies from a box, 0 inside it."""
    left, top, right, bottom = box
    x = np.maximum(np.maximum(left - points[:, 0], points[:, 0] - right), 0)
    y = np.maximum(np.maximum(top - points[:, 1], points[:, 1] - bottom), 0)
    return np.hypot(x, y)


def unclear(panel):
    """Return the texts without a line that lie nearer to a foreign point than to their own."""
    found = []
    for spot, text, label in zip(panel.spots, panel.texts, panel.labels, strict=True):
        own, foreign = panel.points[list(spot)], np.delete(panel.points, spot, axis=0)
        middle = np.array(label.centre)
        for measure in (
            lambda points, box=label.box: gap(box, points),
            lambda points, middle=middle: np.hypot(*(points - middle).T),
        ):
            if label.leader is None and measure(foreign).min() < measure(own).min():
                found.append(text)
    return found


def labels_of(plot, matrix):
    drawn = panels(plot, matrix)
    assert sum(len(panel.labels) for panel in drawn) > 0
    return [text for panel in drawn for text in unclear(panel)]


@pytest.mark.parametrize("plot", [map, spectral], ids=["map", "spectral"])
@pytest.mark.parametrize(
    ("size", "seed"), [(5, 0), (10, 0), (16, 1), (33, 0), (45, 2), (100, 0), (100, 1)]
)
def test_no_label_seems_another_points(plot, size, seed):
    assert labels_of(plot, family(size, seed=seed, copies=size // 12)) == []


@pytest.mark.parametrize("plot", [map, spectral], ids=["map", "spectral"])
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_no_label_of_a_published_matrix_seems_another_points(plot, path):
    found = notebook.matrices(notebook.read(path), group=path.stem)
    for component in ("unet", "text_encoder"):
        if len(np.unique(found[component].values)) > 3:
            assert labels_of(plot, found[component]) == []
