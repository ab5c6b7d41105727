"""The roster that is written for a folder, and what is appended to one that is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import yaml

import factory
from atlas.basis.errors import AtlasError
from atlas.basis.validation import read_yaml
from atlas.roster import reading, writing

LORA = {
    f"lora_unet_down_blocks_0_to_k.{end}": np.ones((2, 2), np.float32)
    for end in ("lora_down.weight", "lora_up.weight", "alpha")
}


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    return tmp_path / "roster.yaml"


def make(roster: Path) -> reading.Roster:
    """Write the roster of the folder that it lies in, or append to it, and read it."""
    do = writing.appended if roster.exists() else writing.new
    roster.write_text(do(roster.parent, roster=roster).text)
    assert read_yaml(roster)[1] == []
    return reading.load(roster)


def members(found: reading.Roster) -> dict[str, tuple[str, ...]]:
    return {name: group.models for name, group in found.groups.items()}


def test_models_loras_and_embeddings_are_in_groups_of_their_own(tmp_path, save, roster):
    for name in ("a.safetensors", "b.safetensors"):
        save(name, len(name))
        factory.single_file(tmp_path / "loras" / name, LORA)
        save(f"embeddings/{name}", 1, "emb_params")
    assert members(make(roster)) == {
        "all": (f"{tmp_path.name}-a".lower(), f"{tmp_path.name}-b".lower()),
        "loras": ("loras-a", "loras-b"),
        "embeddings": ("embeddings-a", "embeddings-b"),
    }


def test_one_of_a_kind_is_in_no_group(tmp_path, save, roster):
    save("one.safetensors")
    factory.single_file(tmp_path / "style.safetensors", LORA)
    found = make(roster)
    assert list(found.models) == ["one", "style"]
    assert found.groups == {}


def test_a_broken_entry_is_a_comment_and_when_mended_a_model(tmp_path, save, roster):
    whole = save("a/model.safetensors").read_bytes()
    (tmp_path / "b [x]").mkdir()
    (tmp_path / "b [x]" / "half.safetensors").write_bytes(whole[:-3])
    assert list(make(roster).models) == ["a"]
    *_, title, line = roster.read_text().splitlines()
    assert title == writing.LEFT_OUT
    assert line.startswith("#   - b [x]/half.safetensors: cut off")
    text = roster.read_text()
    make(roster)
    assert roster.read_text() == text, "it is told once"
    (tmp_path / "c.safetensors").write_bytes(b"")
    (tmp_path / "b [x]" / "half.safetensors").write_bytes(whole)
    assert list(make(roster).models) == ["a", "half"]
    told = roster.read_text().split(writing.LEFT_OUT)
    assert [line for line in told[1].splitlines() if line.startswith("#")] == [
        "#   - c.safetensors: the file is empty; download or save it again"
    ]


def test_only_what_is_new_is_appended_and_the_users_text_stays(tmp_path, save, roster):
    for name in ("a", "b", "out"):
        save(f"{name}.safetensors")
    own = (
        "# my roster\nmodels:\n  mine: {path: a.safetensors, label: Mine}  # the first\n"
        "  b:\n    path: ./b.safetensors\n#  out: {path: out.safetensors}\n\n"
        "groups:\n  all:\n    models: [mine, b]  # both\n  pair:\n    models: [b, mine]\n"
    )
    roster.write_text(own)
    save("new.safetensors")
    save("sub/B.safetensors")
    found = make(roster)
    assert list(found.models) == ["mine", "b", "new", "sub-b"]
    assert members(found) == {"all": ("mine", "b", "new", "sub-b"), "pair": ("b", "mine")}
    added = ["  new:", "    path: new.safetensors", "  sub-b:", "    path: sub/B.safetensors"]
    lines = roster.read_text().splitlines()
    assert [line for line in lines if line not in added] == own.replace(
        "[mine, b]  #", "[mine, b, new, sub-b]  #"
    ).splitlines()
    text = roster.read_text()
    assert writing.appended(tmp_path, roster=roster).added == ()
    make(roster)
    assert roster.read_text() == text


def test_groups_come_with_the_second_model(save, roster):
    save("a.safetensors")
    assert make(roster).groups == {}
    save("b.safetensors")
    assert members(make(roster)) == {"all": ("a", "b")}


def test_own_groups_are_not_joined_by_another(tmp_path, save, roster):
    for name in "abc":
        save(f"{name}.safetensors")
    roster.write_text(
        "models: {a: {path: a.safetensors}, b: {path: b.safetensors}}\n"
        "groups: {pair: {models: [a, b]}}\n"
    )
    assert members(make(roster)) == {"pair": ("a", "b")}
    for name in "de":
        factory.single_file(tmp_path / f"{name}.safetensors", LORA)
    assert members(make(roster)) == {"pair": ("a", "b"), "loras": ("d", "e")}


def test_a_model_whose_file_is_gone_keeps_its_id(tmp_path, save, roster):
    save("a.safetensors")
    roster.write_text("models:\n  a: {path: gone.safetensors}\n")
    text = writing.appended(tmp_path, roster=roster).text
    assert next(iter(yaml.safe_load(text)["models"])) == "a"
    assert len(yaml.safe_load(text)["models"]) == 2


def test_shards_in_a_folder_with_brackets_are_read_wherever_the_roster_lies(tmp_path, save):
    for number in (1, 2):
        save(f"[sfw] wan/wan-0000{number}-of-00002.safetensors", number, str(number))
    for place in (tmp_path / "[sfw] wan" / "r.yaml", tmp_path / "other" / "r.yaml"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(writing.new(tmp_path, roster=place).text)
        assert list(reading.load(place).models) == ["wan"]


def test_names_of_any_letters_are_written_so_that_they_are_read(save, roster):
    names = ["a: b #c", "国风", "{", "1e5", "null", "break\x85it", "tab\tit", "*"]
    for number, name in enumerate(names):
        save(f"{name}.safetensors", number)
    assert {model.path.stem for model in make(roster).models.values()} == set(names)


def test_a_name_that_no_text_can_hold_is_left_out(tmp_path, save, roster):
    whole = save("a.safetensors")
    os.link(whole, os.fsencode(tmp_path) + b"/\xff.safetensors")
    whole.rename(tmp_path / "line\nit.safetensors")
    save("b.safetensors")
    assert list(make(roster).models) == ["b"]
    assert roster.read_text().endswith(
        "#   - ?.safetensors: a name that is no UTF-8; rename the file\n"
        "#   - line it.safetensors: its name holds a line break; rename it\n"
    )


def test_where_nothing_can_be_read_each_reason_is_told(tmp_path, roster):
    (tmp_path / "zero.ckpt").write_bytes(b"")
    with pytest.raises(AtlasError, match=r"no checkpoint that can be read .*\n.*zero\.ckpt: the"):
        writing.new(tmp_path, roster=roster)
