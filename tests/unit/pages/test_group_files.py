"""The files of a group as its page takes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from atlas.basis.errors import AtlasError
from atlas.pages import group_files

MODELS = ("a", "b", "c")
SQUARE = "model,a,b,c\na,0,{0},\nb,{0},0,2.0\nc,,2.0,0\n"
FACTS = {
    "group": "g",
    "models": MODELS,
    "labels": {"a": "The first", "b": "b", "c": "c"},
    "base": "a",
    "ordered": False,
    "imported": False,
}


def written(folder, names, value=1.5):
    """Write the same matrix under some names."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.csv").write_text(SQUARE.format(value))
    return folder


def read(folder, measures=("l2", "relative_l2"), **facts):
    return group_files.matrices(folder, list(measures), **(FACTS | facts))


@pytest.mark.parametrize(
    ("components", "wanted"),
    [
        (("all", "text_encoder", "vae", "unet"), ("unet", "vae", "text_encoder", "all")),
        (("zebra", "all", "vae", "network"), ("network", "vae", "zebra", "all")),
        (("all", "controlnet", "vae", "transformer"), ("transformer", "vae", "controlnet", "all")),
    ],
)
def test_the_denoiser_comes_first_and_all_together_last(tmp_path, components, wanted):
    folder = written(tmp_path / "m", [f"{component}.l2" for component in components])
    assert tuple(read(folder)) == wanted


def test_a_matrix_has_its_numbers_names_and_what_they_rest_on(tmp_path):
    folder = written(tmp_path / "m", ["unet.l2", "unet.relative_l2"])
    text = "model,a,b,c\na,1.0,0.5,\nb,0.5,1.0,1.0\nc,,1.0,1.0\n"
    (folder / "unet.coverage.csv").write_text(text)
    one, other = read(folder)["unet"]
    assert (one.measure, other.measure) == ("l2", "relative_l2")
    assert one.labels == ("The first", "b", "c")
    assert one.base == "a"
    np.testing.assert_array_equal(one.values, [[0, 1.5, np.nan], [1.5, 0, 2], [np.nan, 2, 0]])
    for matrix in (one, other):
        assert matrix.coverage[0, 1] == 0.5


def test_published_matrices_may_lack_measures_and_what_they_rest_on(tmp_path):
    folder = written(tmp_path / "m", ["unet.l2", "vae.l2"])
    found = read(folder, models=(), imported=True)
    assert {name: [matrix.measure for matrix in own] for name, own in found.items()} == {
        "unet": ["l2"],
        "vae": ["l2"],
    }
    assert found["unet"][0].coverage is None


@pytest.mark.parametrize("imported", [True, False])
def test_only_of_published_matrices_a_zero_may_mean_anything(tmp_path, imported):
    folder = written(tmp_path / "m", ["unet.l2"], value="0.0")
    (matrix,) = read(folder, imported=imported)["unet"]
    assert matrix.ambiguous_zeros == imported
    assert matrix.values[0, 1] == 0
    assert not matrix.identical[0, 1]


def test_where_nothing_can_be_compared_all_models_are_there_without_numbers(tmp_path):
    (tmp_path / "m").mkdir()
    found = read(tmp_path / "m")
    assert list(found) == ["all"]
    assert [matrix.measure for matrix in found["all"]] == ["l2", "relative_l2"]
    for matrix in found["all"]:
        assert matrix.ids == MODELS
        assert matrix.labels[0] == "The first"
        assert np.isnan(matrix.values).all()
        assert not matrix.identical.any()


def test_a_file_that_is_no_matrix_is_named(tmp_path):
    folder = written(tmp_path / "m", ["unet.l2"])
    (folder / "unet.l2.csv").write_text("model,a,b\na,0\n")
    with pytest.raises(AtlasError, match=r"unet\.l2\.csv"):
        read(folder)


def test_a_model_called_null_keeps_its_name_and_its_row(tmp_path):
    file = tmp_path / "models.csv"
    file.write_text("model,component,tensors,problem\nnull,unet,3,\nNA,nan,4,\nx,,,cut off\n")
    frame = group_files.models(file)
    assert frame["model"].tolist() == ["null", "NA", "x"]
    assert frame["component"].tolist()[:2] == ["unet", "nan"]
    assert pd.isna(frame["component"][2])
    assert frame["tensors"][0] == 3
    assert pd.isna(frame["problem"][0])


def test_steps_of_a_path_are_those_of_its_table(tmp_path):
    file = tmp_path / "path.csv"
    file.write_text(
        "component,from,to,l2,angle,from_first,path,root_sum_of_squares,straightness\n"
        "unet,c,a,1.5,,1.5,1.5,1.5,1.0\nvae,c,a,,,,,,\nunet,a,b,2.5,30.25,3.0,4.0,2.875,0.75\n"
    )
    found = group_files.paths(file, MODELS)
    assert list(found) == ["unet", "vae"]
    first, second = found["unet"]
    assert (first.before, first.after, first.angle) == (2, 0, None)
    assert (second.before, second.after, second.l2) == (0, 1, 2.5)
    assert (second.angle, second.from_first, second.straightness) == (30.25, 3.0, 0.75)
    assert (second.path, second.root_sum_of_squares) == (4.0, 2.875)
    assert found["vae"][0].l2 is None


def test_the_line_below_the_title_names_parts_base_and_order():
    found = {"unet": [], "vae": [], "all": []}
    assert group_files.subtitle(found, base=None, ordered=False) == "UNet, VAE"
    told = group_files.subtitle(found, base="The first", ordered=True)
    assert told == "UNet, VAE · base: The first · in the order of making"
    assert group_files.subtitle({"all": []}, base=None, ordered=False) == ""
