"""Colours and strips: by tag, else by the components that models share."""

import numpy as np
import pytest

from atlas.plots import heatmap, style
from atlas.plots.strips import NOTHING, strips_of
from atlas.relations.classes import Classes, by_dtype
from drawn_texts import overlapping, text_boxes, texts
from synthetic_families import family

IDS = tuple(f"m-{number}" for number in range(12))
TAGS = Classes("tag", dict.fromkeys(IDS[:6], "anime") | dict.fromkeys(IDS[6:10], "photo"))
VAES = Classes("vae", dict.fromkeys(IDS[:7], "A") | dict.fromkeys(IDS[7:11], "C"))
PAIRS = Classes("text_encoder", {model: "ABCDEF"[at // 2] for at, model in enumerate(IDS[:4])})


def colours(*classes, size=12, **options):
    return style.colours_of(family(size, classes=classes, **options))


def test_tags_colour_more_than_nine_models():
    found = colours(VAES, TAGS)
    anime, photo, none = style.QUALITATIVE[0], style.QUALITATIVE[1], style.WITHOUT_FAMILY
    assert found.models == (anime,) * 6 + (photo,) * 4 + (none,) * 2
    assert found.legend == (("anime", anime), ("photo", photo), ("no tag", none))


def test_without_tags_the_component_that_tells_most_colours():
    found = colours(PAIRS, VAES)
    assert found.models[0] == style.QUALITATIVE[0]
    assert found.models[7] == style.QUALITATIVE[2], "the colour of C, as in the identity picture"
    assert [meaning for meaning, _ in found.legend] == ["VAE A", "VAE C", "VAE of its own, or none"]


def test_more_than_nine_tags_leave_the_rarest_grey():
    many = Classes("tag", {model: f"t{max(at - 1, 0):02d}" for at, model in enumerate(IDS)})
    found = colours(many)
    assert found.models[0] == style.QUALITATIVE[0]
    assert found.models[-2:] == (style.WITHOUT_FAMILY,) * 2
    assert found.legend[-1] == ("other tags, or none", style.WITHOUT_FAMILY)


@pytest.mark.parametrize("options", [{"size": 9}, {"ordered": True}])
def test_up_to_nine_models_and_ordered_ones_keep_their_own_colours(options):
    assert len(set(colours(TAGS, **options).models)) == options.get("size", 12)


def test_a_strip_per_way_to_sort_stands_beside_the_heatmap():
    matrix = family(12, classes=(TAGS, PAIRS, VAES))
    figure = heatmap.draw(matrix)
    boxes = text_boxes(figure)
    assert overlapping(boxes) == []
    assert {"Tag", "VAE", "Text encoder", "anime", "photo", "A", "B", "C"} <= set(texts(figure))
    assert min(box.y0 for _, box in boxes) > 0


def test_numbers_of_narrow_columns_leave_the_strips_titles_alone():
    ids = tuple(f"m-{number}" for number in range(400))
    tags = Classes("tag", {model: "ab"[at % 2] for at, model in enumerate(ids)})
    matrix = family(400, classes=(tags,), order=ids[::-1])
    assert overlapping(text_boxes(heatmap.draw(matrix))) == []


def test_a_strips_colours_follow_the_rows():
    matrix = family(12, classes=(TAGS,), order=IDS[::-1])
    strips = [
        axes.images[0].get_array()
        for axes in heatmap.draw(matrix).axes
        if axes.images and axes.images[0].get_array().shape == (12, 1, 3)
    ]
    shown = [style.to_hex(colour) for colour in np.asarray(strips[0])[:, 0]]
    anime, photo = style.QUALITATIVE[:2]
    assert shown == [NOTHING] * 2 + [photo] * 4 + [anime] * 6


def kinds(size=12, classes=(TAGS, VAES), **options):
    return [strip.kind for strip in strips_of(family(size, classes=classes, **options))]


def test_the_drawn_component_and_what_all_models_share_have_no_strip():
    assert kinds() == ["tag", "vae"]
    assert kinds(component="vae") == ["tag"]
    assert kinds(size=6) == [], "all are anime, and share one VAE"
    assert kinds(size=8) == ["tag", "vae"]


@pytest.mark.parametrize("options", [{"size": 8}, {"ordered": True}])
def test_tags_that_do_not_colour_the_models_are_told_beside_the_strip(options):
    size = options.pop("size", 12)
    found = texts(heatmap.draw(family(size, classes=(TAGS,), **options)))
    assert {"Tag", "tag anime", "tag photo"} <= set(found)
    assert "tag anime" not in texts(heatmap.draw(family(12, classes=(TAGS,))))


def test_dtypes_have_a_strip_and_never_colour_the_models():
    dtypes = by_dtype({model: "f16, f32" if at % 2 else "f32" for at, model in enumerate(IDS)})
    assert len(set(colours(dtypes).models)) == 1
    found = texts(heatmap.draw(family(12, classes=(dtypes,))))
    assert {"Dtype", "f16", "f32"} <= set(found)
    assert kinds(classes=(by_dtype(dict.fromkeys(IDS, "f16")),)) == []


def test_browns_of_dtypes_are_no_colours_of_classes():
    assert not set(style.DTYPE_COLOURS.values()) & {*style.QUALITATIVE, style.WITHOUT_FAMILY}
