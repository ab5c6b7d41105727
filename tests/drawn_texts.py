"""What a figure writes and where, as the renderer sets it."""

from unittest import mock

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from atlas.plots import style

SLACK = 1.0
"""Points by which two boxes may touch: a box is higher than its letters."""


def text_boxes(figure):
    """Return each text that is drawn and its box in points, as the renderer sets it: no pixels."""
    found = []

    def draw_and_note(text, renderer, *args, **options):
        original(text, renderer, *args, **options)
        if text.get_text().strip() and text.get_visible():
            found.append((text.get_text(), Text.get_window_extent(text, renderer)))

    original = Text.draw
    with style.applied(), mock.patch.object(Text, "draw", draw_and_note):
        figure.set_dpi(72)
        FigureCanvasAgg(figure)
        figure.draw_without_rendering()
    return found


def overlapping(boxes):
    """Return the pairs of texts whose boxes overlap by more than the slack."""
    corners = np.array([box.extents for _, box in boxes])
    low, high = corners[:, None, :2], corners[:, None, 2:]
    inside = np.minimum(high, corners[None, :, 2:]) - np.maximum(low, corners[None, :, :2])
    pairs = np.argwhere(np.triu((inside > SLACK).all(axis=2), k=1))
    return [(boxes[a][0], boxes[b][0]) for a, b in pairs]


def texts(figure):
    return [text for text, _ in text_boxes(figure)]


def all_text(figure):
    return "\n".join(texts(figure))
