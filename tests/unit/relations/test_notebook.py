"""The notebook's files are read in full, checked in full, and written as they were."""

import json
from pathlib import Path

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.relations import matrices, notebook
from synthetic_families import matrix_of

PUBLISHED = sorted((Path(__file__).parents[3].parent / "shared" / "data").glob("notebook_*.json"))
published = pytest.mark.parametrize(
    "path",
    PUBLISHED or [pytest.param(None, marks=pytest.mark.skip("no published results"))],
    ids=lambda path: path.stem if path else "none",
)


def content():
    """Return a small file's content: three models, the pair of the last two not compared."""
    return {
        "ml": ["a.ckpt", "b.safetensors", "c.safetensors"],
        "cm": [
            [
                "x",
                [
                    [["m0", "d/a.ckpt"], ["m1", "d/b.safetensors"]],
                    [["m0", "d/a.ckpt"], ["m2", "d\\c.safetensors"]],
                ],
            ]
        ],
        "dm": {"unet": [[0.0, 1.5, 0.0], [1.5, 0.0, 0.0], [0.0, 0.0, 0.0]]},
    }


def written(tmp_path, data):
    path = tmp_path / "notebook.json"
    path.write_text(json.dumps(data))
    return path


@published
def test_a_published_file_is_written_byte_for_byte_as_it_was_read(path, tmp_path):
    notebook.write(notebook.read(path), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@published
def test_published_numbers_come_out_of_the_matrices_as_they_went_in(path, tmp_path):
    source = json.loads(path.read_text())["dm"]
    for name, matrix in zip(
        source, notebook.matrices(notebook.read(path), group="x").values(), strict=True
    ):
        assert matrix.values.tolist() == source[name]
        matrices.write(matrix, tmp_path / "matrix.csv")
        back = matrices.read(tmp_path / "matrix.csv", component=name, measure="l2")
        assert back.values.tolist() == source[name]


def test_a_pair_that_cm_does_not_list_was_not_compared(tmp_path):
    read = notebook.read(written(tmp_path, content()))
    matrix = notebook.matrices(read, group="x")["unet"]
    assert np.isnan(matrix.values[1, 2])
    assert matrix.values[0, 1] == 1.5


def test_a_listed_zero_stays_ambiguous(tmp_path):
    matrix = notebook.matrices(notebook.read(written(tmp_path, content())), group="x")["unet"]
    assert matrix.values[0, 2] == 0
    assert not matrix.identical[0, 2]
    assert matrix.ambiguous_zeros


def test_models_of_one_file_name_get_their_own_ids(tmp_path):
    data = content() | {"cm": []}
    data["ml"] = ["a.ckpt", "a.ckpt", "b.ckpt"]
    matrix = notebook.matrices(notebook.read(written(tmp_path, data)), group="x")["unet"]
    assert matrix.ids == ("a.ckpt", "a.ckpt#2", "b.ckpt")


def test_sdxl_text_encoders_keep_apart_from_the_empty_one_of_sd1(tmp_path):
    data = content()
    data["dm"] = dict.fromkeys(("te", "te0", "te1", "vae"), data["dm"]["unet"])
    found = notebook.matrices(notebook.read(written(tmp_path, data)), group="x")
    assert list(found) == ["te", "text_encoder", "text_encoder_2", "vae"]


def test_our_matrices_come_back_from_the_notebooks_form(tmp_path):
    values = np.array([[0.0, 1.25, np.nan], [1.25, 0.0, 1e-9], [np.nan, 1e-9, 0.0]])
    unet, text = matrix_of(values), matrix_of(values * 2, component="text_encoder")
    files = {model: f"folder/{model}.safetensors" for model in unet.ids}
    notebook.write(notebook.from_matrices([unet, text], files, "g"), tmp_path / "out.json")
    back = notebook.read(tmp_path / "out.json")
    assert list(back.distances) == ["te", "unet"]
    assert back.compared == {(0, 1), (1, 2)}
    found = notebook.matrices(back, group="g")
    assert np.array_equal(found["unet"].values, values, equal_nan=True)
    assert np.array_equal(found["text_encoder"].values, values * 2, equal_nan=True)


def test_a_pair_is_listed_where_any_component_was_compared():
    apart, known = (np.array([[0.0, value], [value, 0.0]]) for value in (np.nan, 1.5))
    both = [matrix_of(apart), matrix_of(known, component="vae")]
    files = {model: f"{model}.safetensors" for model in both[0].ids}
    assert notebook.from_matrices(both, files, "g").compared == {(0, 1)}
    assert notebook.from_matrices(both[:1], files, "g").compared == frozenset()


def test_other_measures_do_not_pass_for_l2():
    cosine = matrix_of(np.eye(2), measure="cosine")
    with pytest.raises(ValueError, match="L2"):
        notebook.from_matrices([cosine], {"m-0": "a", "m-1": "b"}, "g")


def changed(**parts):
    return content() | parts


UNET = content()["dm"]["unet"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "object with ml, cm and dm"),
        ({"ml": ["a"], "cm": [], "d": {}}, "key dm is missing"),
        (changed(ml=[]), "list of file names"),
        (changed(ml=[1, 2, 3]), "list of file names"),
        (changed(cm={}), "cm must be a list"),
        (changed(cm=[["x"]]), "cm must be a list"),
        (changed(cm=[["x", [[["m0", "a.ckpt"]]]]]), "a pair in cm"),
        (changed(cm=[["x", [[["0", "a.ckpt"], ["m1", "b.safetensors"]]]]]), "a model in cm"),
        (changed(cm=[["x", [[["m0", "a.ckpt"], ["m9", "z"]]]]]), "row m9, but ml has 3"),
        (changed(cm=[["x", [[["m0", "a.ckpt"], ["m1", "z"]]]]]), "calls m1 z, but ml has b"),
        (changed(dm={}), "dm must map"),
        (changed(dm={"unet": UNET[:2]}), "3 rows of 3 numbers"),
        (changed(dm={"unet": [row[:2] for row in UNET]}), "3 rows of 3 numbers"),
        (changed(dm={"unet": [["0", 1.5, 0], *UNET[1:]]}), "no number"),
        (changed(dm={"unet": [[True, 1.5, 0], *UNET[1:]]}), "no number"),
        (
            changed(dm={"unet": [[0, -1, 0], [-1, 0, 0], [0, 0, 0]]}),
            "a.ckpt to b.safetensors is -1",
        ),
        (changed(dm={"unet": [[0, 2, 0], [1, 0, 0], [0, 0, 0]]}), "2.0 one way and 1.0 the other"),
        (changed(dm={"unet": [[1, 2, 0], [2, 0, 0], [0, 0, 0]]}), "distance to itself is not 0"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path, data, says):
    path = written(tmp_path, data)
    with pytest.raises(AtlasError, match=says) as error:
        notebook.read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1,"])
def test_a_file_that_is_no_json_is_named(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(AtlasError, match=r"broken\.json"):
        notebook.read(path)


@pytest.mark.parametrize("name", ["../unet", "a/b", "<!--<script>", "a\nb", "", ".hidden"])
def test_a_component_that_can_name_no_file_is_refused(tmp_path, name):
    data = content()
    data["dm"] = {name: data["dm"]["unet"]}
    with pytest.raises(AtlasError, match="names files: letters, digits"):
        notebook.read(written(tmp_path, data))
