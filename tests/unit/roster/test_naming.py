"""Ids: safe, unique, and telling which model it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.roster.naming import LONGEST, names_for

TOP = Path("/models")


def ids(*names: str, taken: tuple[str, ...] = ()) -> list[str]:
    """Return the ids of paths below a folder."""
    return [
        each.id for each in names_for((TOP / n for n in names), below=TOP, taken=taken).values()
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("My Model v1.5.ckpt", "my-model-v1.5"),
        ("anime [4a5b6c7d].safetensors", "anime-4a5b6c7d"),
        ("国风3.safetensors", "guofeng3"),
        ("Модель.safetensors", "model"),
        ("日本語モデル.safetensors", "ribenyumoderu"),
        ("!!!.safetensors", "model"),
        ("wan/wan-?????-of-00002.safetensors", "wan"),
        ("step-100/model.safetensors", "step-100"),
        ("tuned/diffusion_pytorch_model-?????-of-00003.safetensors", "tuned"),
        ("clone/unet/diffusion_pytorch_model.fp16.safetensors", "clone-unet-fp16"),
        ("clone/vae/model-?????-of-00002.fp16.safetensors", "clone-vae-fp16"),
        ("model.safetensors", "models"),
    ],
)
def test_a_name_tells_which_model_it_is(name, told):
    assert ids(name) == [told]


def test_a_thousand_files_of_one_name_are_named_by_their_folders():
    steps = [f"run/step-{number}/model.safetensors" for number in range(1000)]
    assert ids(*steps) == [f"step-{number}" for number in range(1000)]


def test_names_that_repeat_take_as_many_folders_as_it_needs():
    names = ("a/x/1/m1.pt", "b/x/1/m1.pt", "m2.pt", "sub/m2.pt", "m3.pt")
    assert ids(*names) == ["a-x-1-m1", "b-x-1-m1", "models-m2", "sub-m2", "m3"]
    assert ids("a b.pt", "a-b.pt") == ["models-a-b", "models-a-b-2"]


def test_ids_in_use_are_not_given_again_in_another_case_either():
    assert ids("m.pt", "n.pt", taken=("M",)) == ["models-m", "n"]


def test_the_hubs_cache_is_named_by_its_repositories():
    cache = "hub/models--{}/snapshots/4f1c"
    named = names_for(
        [
            TOP / cache.format("owner--sdxl"),
            TOP / cache.format("owner--flux") / "flux1.safetensors",
            TOP / cache.format("owner--many") / "one.safetensors",
            TOP / cache.format("owner--many") / "vae" / "model.fp16.safetensors",
        ],
        below=TOP,
    )
    assert [(each.id, each.label) for each in named.values()] == [
        ("owner-sdxl", "owner/sdxl"),
        ("owner-flux", "owner/flux"),
        ("owner-many-one", "owner/many one"),
        ("owner-many-vae-fp16", "owner/many vae fp16"),
    ]


@pytest.mark.parametrize("below", ["snapshots/4f1c", ""])
def test_a_repository_is_known_from_inside_it(below):
    snapshot = TOP / "models--owner--sdxl" / "snapshots" / "4f1c"
    top = TOP / "models--owner--sdxl" / below
    (named,) = names_for([snapshot / "sdxl.safetensors"], below=top).values()
    assert (named.id, named.label) == ("owner-sdxl", "owner/sdxl")


paths = st.lists(
    st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), min_size=1, max_size=3),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50)
@given(paths)
def test_ids_of_any_names_are_safe_and_unique(names):
    found = ids(*("/".join([*folders, "x.pt"]) for folders in names))
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name)
        assert len(name) < LONGEST + 5
