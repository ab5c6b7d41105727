"""Pictures of words: every panel and bar is there, no word is over another."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from atlas.embeddings import drift_picture, words_picture
from atlas.embeddings.words_picture import Panel
from atlas.plots import style

WORDS = [f"word {number}" for number in range(40)]


def points(models: int) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    base = generator.standard_normal((40, 2))
    parts = []
    for alignment in ("raw", "aligned"):
        for model in range(models):
            moved = base + 0.1 * model * generator.standard_normal((40, 2))
            frame = pd.DataFrame({"word": WORDS, "x": moved[:, 0], "y": moved[:, 1]})
            frame["category"] = ["near", "far"] * 20
            parts.append(frame.assign(model=f"m{model}", alignment=alignment))
    whole = pd.concat(parts, ignore_index=True)
    whole[["explained_x", "explained_y"]] = 0.4, 0.2
    return whole


def overlaps(figure) -> list[tuple[str, str]]:
    """Return the texts that lie over one another."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.applied():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        found = [text for axes in figure.axes for text in axes.texts if text.get_text()]
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in found]
    return [
        (found[a].get_text(), found[b].get_text())
        for a, b in combinations(range(len(found)), 2)
        if boxes[a].x0 < boxes[b].x1 - 1
        and boxes[b].x0 < boxes[a].x1 - 1
        and boxes[a].y0 < boxes[b].y1 - 2
        and boxes[b].y0 < boxes[a].y1 - 2
    ]


@pytest.mark.parametrize("models", [1, 2, 5])
def test_each_encoder_has_a_panel_as_it_is_and_aligned(models):
    panels = [Panel(f"m{at}", f"model {at}", "moved", tuple(WORDS[:8])) for at in range(models)]
    figure = words_picture.draw(points(models), panels, title="a claim", subtitle="of words")
    told = [text.get_text() for axes in figure.axes for text in axes.texts]
    for at in range(models):
        assert told.count(f"model {at}") == 2
    assert any("40% of the variance" in text for text in told)
    assert told.count(WORDS[0]) >= 2
    assert not overlaps(figure)


def test_words_in_one_place_are_named_only_where_there_is_room():
    crowded = points(2)
    crowded[["x", "y"]] *= 1e-3
    crowded.loc[0, ["x", "y"]] = 5, 5
    panels = [Panel(f"m{at}", f"model {at}", "", tuple(WORDS)) for at in range(2)]
    figure = words_picture.draw(crowded, panels, title="a claim", subtitle="of words")
    assert not overlaps(figure)


@pytest.mark.parametrize("models", [1, 4])
def test_bars_are_in_order_and_to_scale(models):
    table = pd.DataFrame(
        {
            "model": [f"m{model}" for model in range(models) for _ in WORDS],
            "word": WORDS * models,
            "category": None,
            "cosine_distance": np.tile(np.linspace(1, 0.01, 40), models),
            "rank": np.tile(np.arange(1, 41), models),
        }
    )
    figure = drift_picture.draw(
        table, [f"m{at}" for at in range(models)], labels={"m0": "first"}, title="t", subtitle="s"
    )
    told = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert told.count("first") == 1
    assert told.count(WORDS[0]) == models
    assert WORDS[30] not in told
    lengths = [
        float(np.ptp(line.get_xdata()))
        for axes in figure.axes
        for line in axes.get_lines()
        if line.get_linewidth() == 6
    ][: drift_picture.MOST]
    np.testing.assert_allclose(
        np.array(lengths) / lengths[0], np.linspace(1, 0.01, 40)[: drift_picture.MOST], rtol=1e-6
    )
    assert not overlaps(figure)
