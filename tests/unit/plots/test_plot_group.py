"""What a group's pictures are drawn of: components that several models have."""

import importlib
from unittest import mock

import numpy as np
import pandas as pd

from atlas.relations import matrices
from synthetic_families import family, matrix_of

plot_group = importlib.import_module("relations.plot_group")


def drawn(tmp_path, components, **options):
    """Return the matrices that are drawn, and what is told of the others."""
    folder, plots = tmp_path / "matrices", tmp_path / "plots"
    folder.mkdir()
    for matrix in components:
        matrices.write(matrix, folder / f"{matrix.component}.l2.csv")
    facts = {"measure": "l2", "group": "g", "base": None, "reference": None}
    facts |= {"ordered": False, "imported": False, "described": None, "distances": None}
    facts |= {"tags": {}, "identity": None, "pair": None, "labels": {"m-2": "Third"}}
    with mock.patch.object(plot_group, "draw_all") as draw_all:
        plot_group.main(matrix_folder=folder, folder=plots, **facts | options)
    told = plots / "not_drawn.txt"
    found = {call.args[1].component: call.args[1] for call in draw_all.call_args_list}
    return found, told.read_text() if told.exists() else ""


def test_a_component_that_one_model_has_is_told_and_not_drawn(tmp_path):
    alone = np.full((4, 4), np.nan)
    alone[2, 2] = 0.0
    lonely = matrix_of(alone, identical=alone == 0, component="text_encoder_2")
    found, told = drawn(tmp_path, [family(4), lonely])
    assert list(found) == ["unet"]
    assert told == "text_encoder_2: Third alone has it, so there is nothing to compare.\n"


def test_components_that_several_have_are_drawn_and_nothing_is_told(tmp_path):
    found, told = drawn(tmp_path, [family(4), family(4, component="vae")])
    assert (set(found), told) == ({"unet", "vae"}, "")


def test_models_are_sorted_by_tags_and_shared_components(tmp_path):
    ids = family(12).ids
    pairs = [(a, b) for place, a in enumerate(ids) for b in ids[place + 1 :]]
    counts = {"identical_tensors": 0, "cast_tensors": 0, "tensors": 9}
    same = {*ids[:5]}
    rows = [
        {
            "a": a,
            "b": b,
            "component": "vae",
            "verdict": "identical" if {a, b} <= same else "changed",
        }
        | counts
        for a, b in pairs
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "identity.csv", index=False)
    tags = {model: ["sd1", "anime"][: 1 + (model in ids[:3])] for model in ids}
    options = {"tags": tags, "identity": tmp_path / "identity.csv"}
    found, _ = drawn(tmp_path, [family(12)], **options)
    assert [(each.kind, dict(each.of)) for each in found["unet"].classes] == [
        ("tag", dict.fromkeys(ids[:3], "anime")),
        ("vae", dict.fromkeys(ids[:5], "A")),
        ("dtype", {}),
    ]


def test_models_are_sorted_by_the_dtype_of_the_drawn_component(tmp_path):
    rows = ["m-0,unet,f16", "m-0,vae,f32", 'm-1,unet,"bf16, f32"', "m-2,network,f16"]
    (tmp_path / "models.csv").write_text("\n".join(["model,component,dtype", *rows]) + "\n")
    components = [family(3), family(3, component="vae"), family(3, component="all")]
    found, _ = drawn(tmp_path, components, described=tmp_path / "models.csv")
    told = {name: dict(matrix.classes[-1].of) for name, matrix in found.items()}
    assert told == {
        "unet": {"m-0": "f16", "m-1": "bf16", "m-2": "f16"},
        "vae": {"m-0": "f32", "m-2": "f16"},
        "all": {"m-2": "f16"},
    }
