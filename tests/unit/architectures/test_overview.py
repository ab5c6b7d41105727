"""The overview: every label is told apart, whatever there is to draw."""

from dataclasses import replace
from math import dist

import numpy as np
import pytest

from atlas.architectures.diagrams import overview
from atlas.architectures.portraits import Portrait, Structure

Box = tuple[float, float, float, float]


def portrait(label: str, weights: float, macs: float, side: int = 1024, **more: str) -> Portrait:
    structure = Structure("Denoiser", (), (), (), int(weights), 0, int(macs), ())
    kind = ("UNet", "DiT", "MMDiT")[len(label) % 3]
    return Portrait(label, label, kind, side, 1, 77, "f16", 1, (1, 4, 64, 64), 1024, 8, (),
                    structure, **more)  # fmt: skip


def crowd(count: int, seed: int) -> list[Portrait]:
    """Return architectures as there are: thick along one line, some of them in one place."""
    numbers = np.random.default_rng(seed)
    found = []
    for place in range(count):
        weights = 10 ** numbers.normal(9.5, 0.4)
        macs = weights * 10 ** numbers.normal(3.6, 0.25)
        side = int(numbers.choice([256, 512, 1024, 1328, 2048, 4096]))
        words = numbers.choice(["Edit", "Turbo", "Stable Diffusion", "base", "14B"], 2)
        found.append(portrait(f"Model {place} {' '.join(words)}", weights, macs, side))
    alike = [replace(each, label=f"{each.label} again") for each in found[: count // 8]]
    return [*found[: count - len(alike)], *alike]


def gap(box: Box, spot: overview.Spot) -> float:
    """Return the inches from a box to the edge of a bubble."""
    left, top, right, bottom = box
    x, y = spot.centre
    return dist((x, y), (min(max(x, left), right), min(max(y, top), bottom))) - spot.radius


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(("count", "seed"), [(2, 1), (29, 2), (70, 3)])
def test_labels_are_whose_they_seem_to_be_and_off_everything(count: int, seed: int) -> None:
    shown = crowd(count, seed)
    figure, placed = overview.drawn(shown)
    assert sum(len(spot.members) for spot, _ in placed) == count
    for spot, label in placed:
        others = [gap(label.box, other) for other, _ in placed if other is not spot]
        assert min(others) > 0, "a label lies on no bubble"
        assert label.leader or gap(label.box, spot) < min(others), spot.text
    boxes = [label.box for _, label in placed]
    assert not any(overlap(boxes[a], boxes[b]) for a in range(len(boxes)) for b in range(a))
    key = overview._box(figure, figure.legends[0].get_window_extent())
    plot = overview._box(figure, figure.axes[0].get_window_extent())
    assert not any(overlap(box, key) for box in boxes)
    assert not overlap(plot, key), "the legend lies off the data"


def test_bubbles_in_one_place_share_a_label() -> None:
    _, placed = overview.drawn([portrait(name, 1e9, 1e12) for name in ("one", "other", "third")])
    ((spot, label),) = placed
    assert spot.text == "one\nother\nthird"
    assert label.height > 2 * overview.LABEL / 72


def test_both_scales_have_one_kind_of_tick() -> None:
    figure, _ = overview.drawn(crowd(12, 5))
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        assert not len(axis.get_minorticklocs())
        digits = {f"{value:e}"[0] for value in axis.get_majorticklocs()}
        assert digits <= {"1", "2", "5"}


def test_a_doubtful_architecture_is_marked_and_not_quoted() -> None:
    sure = [portrait("sure", 1e9, 1e12), portrait("also", 2e9, 3e12)]
    doubtful = portrait("typo", 9e9, 9e12, doubt="does not know the key")
    figure, placed = overview.drawn([*sure, doubtful])
    assert "typo (doubtful)" in {spot.text for spot, _ in placed}
    assert figure.get_suptitle() == "A step costs from 1.00 TMAC (sure) to 3.00 TMAC (also)"
