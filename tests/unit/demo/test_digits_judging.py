"""The digits as pictures, and the classifier that reads them."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from atlas_demo import facts
from atlas_demo.digits import drawing, images, judging, sheet


@pytest.fixture(scope="module")
def pictures():
    return images.load(64)


def test_pictures_are_the_digits_enlarged(pictures):
    large, digits = pictures
    assert large.shape == (1797, 3, 64, 64)
    assert large.min() == -1
    assert large.max() == 1
    real = load_digits()
    np.testing.assert_array_equal(digits, real.target)
    shrunk = images.shrink(large[:200])
    assert np.corrcoef(shrunk.ravel(), real.data[:200].ravel())[0, 1] > 0.99


def test_pictures_of_the_same_side_come_back_exactly():
    small, _ = images.load(images.SIDE)
    np.testing.assert_array_equal(images.shrink(small), load_digits().data)


def test_the_judge_reads_real_digits_that_it_has_not_seen(pictures):
    large, digits = pictures
    pixels = images.shrink(large)
    judge = judging.train_judge(pixels, digits.numpy())
    assert judge.held_out.sum() == 360
    right = judge.digits(pixels[judge.held_out]) == digits.numpy()[judge.held_out]
    assert right.mean() > 0.97


def test_counts_are_by_set_and_digit():
    reading = drawing.Reading(asked=np.arange(10).repeat(2), read=np.arange(20) // 2 % 9)
    lines = drawing.counts_csv({"drawn": reading}).splitlines()
    assert lines[0] == "pictures,digit,count,right,share"
    assert lines[1] == "drawn,0,2,2,1.0000"
    assert lines[10:] == ["drawn,9,2,0,0.0000", "drawn,*,20,18,0.9000"]


def test_the_sheet_frames_what_is_read_as_another_digit():
    captions = facts.digits()["captions"]
    asked = np.arange(10).repeat(len(captions["templates"]))
    read = asked.copy()
    read[[3, 79]] = [1, 2]
    readings = {
        "drawn": drawing.Reading(asked=asked, read=read),
        "real": drawing.Reading(asked=asked, read=asked),
    }
    pictures = np.zeros((len(asked), 8, 8), dtype=np.float32)
    figure = sheet.draw(drawing.Drawn(pictures=pictures, readings=readings), captions=captions)
    framed = [panel.spines["top"].get_visible() for panel in figure.axes]
    assert [place for place, is_framed in enumerate(framed) if is_framed] == [3, 79]
    assert figure.texts[0].get_text().startswith("78 of 80 drawn digits")
    assert [panel.get_ylabel() for panel in figure.axes[::8]][3] == "three"
