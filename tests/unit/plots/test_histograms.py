"""Histograms of a pair count every tensor once: in a bar, as identical, or as not compared."""

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.patches import StepPatch

from atlas.plots import histograms, words
from atlas.relations.groups import TOTAL
from drawn_texts import all_text, overlapping, text_boxes, texts
from tidy_parts import TENSORS, part, tidy

DIFFERENT = {"status": "different", "l2": 1.5, "relative_l2": 0.01}
IDENTICAL = {"status": "identical", "l2": 0.0, "relative_l2": 0.0}
ABSENT = {"status": "only_a", "l2": None, "relative_l2": None}

NONE = tidy([])
"""Blocks of a pair without any."""


def table(*rows):
    """Return a pair's table; each row overrides a convolution of the UNet that differs."""
    defaults = {"component": "unet", "role": "convolution", "numel": 9} | DIFFERENT
    records = [{"name": f"t{number}"} | defaults | row for number, row in enumerate(rows)]
    columns = ("name", "component", "role", "status", "numel", "l2", "relative_l2")
    return pa.table({column: [record[column] for record in records] for column in columns})


def counted(figure):
    """Return the sum of all bars of the left panels: stairs filled and outlined count once."""
    left = [axes for axes in figure.axes[1:] if axes.get_position().x0 < 0.5]
    stairs = [patch for axes in left for patch in axes.findobj(StepPatch) if patch.get_fill()]
    values = np.concatenate([patch.get_data().values for patch in stairs])
    return values[values >= 1].sum()


def many():
    random = np.random.default_rng(0)
    roles = list(words.ROLE_TITLES)
    return table(
        *(
            {"l2": value, "relative_l2": value / 40, "role": roles[k % 8], "component": part}
            for part in ("unet", "vae", "text_encoder")
            for k, value in enumerate(random.lognormal(0, 3, 200))
        ),
        *[IDENTICAL] * 7,
        *[ABSENT] * 3,
    )


def test_every_tensor_that_differs_is_in_one_bar():
    assert counted(histograms.draw(many(), NONE, a="A", b="B")) == 600


def test_counts_of_identical_and_absent_tensors_are_written():
    text = all_text(histograms.draw(many(), NONE, a="A", b="B"))
    assert "A and B: 600 of 610 tensors differ" in text
    assert "7 identical" in text
    assert "3 not compared" in text
    assert "log counts, log distances" in text


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (table(), "no tensors"),
        (table(IDENTICAL, IDENTICAL), "no tensor differs"),
        (table(IDENTICAL, ABSENT), "no difference in 1 tensor, 1 not compared"),
        (table(ABSENT), "none of 1 tensor could be compared"),
        (table({}), "1 of 1 tensor differ"),
        (table({}, IDENTICAL, ABSENT), "1 of 3 tensors differ"),
        (table({"l2": 0.0, "relative_l2": 0.0, "status": "cast"}), "no tensor differs"),
        (table({"relative_l2": None}), "1 of 1 tensor differ"),
        (table({"component": "new", "role": "novel"}), "novel"),
        (table({}, IDENTICAL | {"role": "norm"}, ABSENT | {"role": "other"}), "all identical"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_sparse_pairs_are_drawn_and_said(pair, says):
    assert says in all_text(histograms.draw(pair, NONE, a="A", b="B"))


def test_the_scale_is_written_though_the_last_role_has_no_bar():
    figure = histograms.draw(table({}, IDENTICAL | {"role": "other"}), NONE, a="A", b="B")
    assert sum("per tensor (" in text for text in texts(figure)) == 2
    assert overlapping(text_boxes(figure)) == []


def test_no_text_overlaps():
    long = "20-bpcga9-lracrc2oh-b11i75pvc-gf34ym34-sd.safetensors"
    figure = histograms.draw(many(), NONE, a=long, b=f"other-{long}")
    assert overlapping(text_boxes(figure)) == []
    assert sum(long in text or "gf34ym34" in text for text in texts(figure)) >= 1


def strips(columns, *components):
    """Return the blocks of a pair whose components differ in each of so many, and in some roles."""
    return tidy(
        part("a", "b", f"transformer_blocks.{number}", role, component=component, far=0.1 + number)
        for component in components
        for number in range(columns)
        for role in ("norm", "feed_forward", TOTAL)
    )


def test_strips_stand_above_the_histograms_of_their_components():
    same = [part("a", "b", "MID", same=TENSORS, component="vae")]
    blocks = [*strips(57, "unet").to_pylist(), *strips(3, "text_encoder").to_pylist(), *same]
    figure = histograms.draw(many(), tidy(blocks), a="A", b="B")
    boxes = text_boxes(figure)
    assert overlapping(boxes) == []
    found = [text for text, _ in boxes]
    assert "Identical in every block: VAE." in found
    assert found.count("All roles") == 2
    assert counted(figure) == 600
    shapes = [axes.images[0].get_array().shape for axes in figure.axes if axes.images]
    assert shapes == [(3, 57), (3, 3), (1, 256)]


def test_a_pair_without_a_block_that_moved_has_no_strip():
    same = tidy([part("a", "b", "MID", same=TENSORS)])
    assert not any(axes.images for axes in histograms.draw(many(), same, a="A", b="B").axes)
