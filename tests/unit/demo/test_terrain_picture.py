"""The picture of terrain networks: every map is shown under its network's label."""

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas_demo.terrain import picture
from demo import draw_terrain


def test_a_column_for_each_network_and_a_row_for_each_difficulty():
    draws = np.random.default_rng(0)
    maps = {label: draws.uniform(-1, 1, (2, 8, 8)) for label in ("one", "another", "third")}
    figure = picture.draw(maps, difficulties=[10, 90], title="three networks")
    figure.draw_without_rendering()
    assert len(figure.axes) == 6
    assert [axes.get_title() for axes in figure.axes[:3]] == list(maps)
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["difficulty\n10", "difficulty\n90"]
    sizes = {text.get_fontsize() for text in figure.findobj(lambda part: hasattr(part, "get_text"))}
    assert min(sizes) >= 8
    edges = [axes.get_tightbbox().x0 for axes in figure.axes]
    assert min(edges) >= 0


def test_a_roster_without_terrain_networks_is_a_fault(tmp_path):
    with pytest.raises(AtlasError, match="no terrain networks"):
        draw_terrain.main(folders={}, threads=1, picture=tmp_path / "terrain.png")
