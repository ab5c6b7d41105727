"""What files say of a model's making is kept: known keys alone, and in bounds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import factory
from atlas.checkpoint import open_checkpoint
from atlas.checkpoint.metadata import LARGEST_DOCUMENT, facts

WEIGHTS = {"a.weight": np.zeros((2, 3), dtype=np.float32)}
NAMED = factory.weights(seed=1)


def said(path: Path) -> dict[str, dict[str, str]]:
    return {each.name: dict(each.texts) for each in open_checkpoint(path).metadata}


def saved(path: Path, **texts: str) -> Path:
    save_file(WEIGHTS, path, metadata=texts)
    return path


def test_known_keys_alone_are_kept(tmp_path: Path) -> None:
    texts = {"mecha_recipe": "x", "ss_tag_frequency": "{}", "modelspec.title": "t", "other": "o"}
    file = saved(tmp_path / "m.safetensors", **texts)
    assert said(file) == {"m.safetensors": {"mecha_recipe": "x", "modelspec.title": "t"}}


def test_a_file_that_says_nothing_is_not_listed(tmp_path: Path) -> None:
    assert said(saved(tmp_path / "m.safetensors", other="o")) == {}


def test_the_editors_graph_is_kept_without_the_other_alone(tmp_path: Path) -> None:
    both = said(saved(tmp_path / "a.safetensors", prompt="{}", workflow="{}"))
    assert both == {"a.safetensors": {"prompt": "{}"}}
    alone = said(saved(tmp_path / "b.safetensors", workflow="{}"))
    assert alone == {"b.safetensors": {"workflow": "{}"}}


def test_pictures_are_not_kept(tmp_path: Path) -> None:
    assert said(saved(tmp_path / "m.safetensors", **{"modelspec.thumbnail": "data:"})) == {}


def test_long_texts_are_cut_and_it_is_told(tmp_path: Path) -> None:
    long = "x" * (facts().longest + 5)
    keys = ("mecha_recipe", "prompt", "sd_merge_models", "sd_merge_recipe", "sshs_a")
    file = saved(tmp_path / "m.safetensors", **dict.fromkeys(keys, long))
    (told,) = open_checkpoint(file).metadata
    assert sum(map(len, told.texts.values())) == facts().most
    assert len(told.texts["mecha_recipe"]) == facts().longest
    assert told.texts["sshs_a"] == ""
    assert told.cut == dict.fromkeys(keys, len(long))


def test_keys_are_bounded(tmp_path: Path) -> None:
    keys = {f"modelspec.{number}": "x" for number in range(1000)}
    (told,) = open_checkpoint(saved(tmp_path / "m.safetensors", **keys)).metadata
    assert len(told.texts) == facts().most_keys
    assert said(saved(tmp_path / "n.safetensors", **{f"sshs_{'x' * 300}": "x"})) == {}


def test_halves_of_characters_are_written_out(tmp_path: Path) -> None:
    header = {
        "__metadata__": {"mecha_recipe": "\ud800", "sshs_\ud800": "x", "prompt": 3},
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    text = json.dumps(header).encode()
    file = tmp_path / "m.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    assert said(file) == {"m.safetensors": {"mecha_recipe": "\\ud800"}}


def test_lightning_keeps_its_progress_beside_the_weights(tmp_path: Path) -> None:
    state = {"state_dict": {"a": torch.zeros(2)}, "global_step": 470000, "epoch": 6}
    torch.save(state | {"pytorch-lightning_version": "1.4.2"}, tmp_path / "m.ckpt")
    assert said(tmp_path / "m.ckpt") == {
        "m.ckpt": {"epoch": "6", "global_step": "470000", "pytorch-lightning_version": "1.4.2"}
    }
    odd = {"state_dict": {"a": torch.zeros(2)}, "global_step": 10**5000, "epoch": [1]}
    torch.save(odd, tmp_path / "n.ckpt")
    assert said(tmp_path / "n.ckpt") == {}


def test_documents_beside_a_folders_weights(tmp_path: Path) -> None:
    folder = factory.diffusers_folder(tmp_path / "model", NAMED)
    (folder / "unet" / "config.json").write_text(
        json.dumps({"_name_or_path": "owner/a", "sample_size": 64, "architectures": ["X", "Y"]})
    )
    (folder / "README.md").write_text("---\nbase_model: owner/b\n---\n# A model\n---\n")
    (folder / "mergekit_config.yml").write_text("merge_method: linear")
    told = said(folder)
    assert told["unet/config.json"] == {"_name_or_path": "owner/a", "architectures": "X, Y"}
    assert told["README.md"] == {"front_matter": "base_model: owner/b"}
    assert told["mergekit_config.yml"] == {"mergekit_config.yml": "merge_method: linear"}
    components = {each.name: each.component for each in open_checkpoint(folder).metadata}
    assert components["unet/config.json"] == "unet"
    assert components["README.md"] == ""


def test_documents_beside_a_single_file_are_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nbase_model: owner/b\n---\n")
    assert said(saved(tmp_path / "m.safetensors")) == {}


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", "\x80", '{"_name_or_path": 3}'])
def test_a_broken_document_stops_nothing(tmp_path: Path, text: str) -> None:
    folder = factory.diffusers_folder(tmp_path / "model", NAMED)
    (folder / "unet" / "config.json").write_text(text, encoding="latin-1")
    opened = open_checkpoint(folder)
    assert opened.tensors
    assert not any(each.name == "unet/config.json" for each in opened.metadata)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    folder = factory.diffusers_folder(tmp_path / "model", NAMED)
    os.mkfifo(folder / "README.md")
    assert "README.md" not in said(folder)


def test_a_card_is_read_to_its_bound(tmp_path: Path) -> None:
    folder = factory.diffusers_folder(tmp_path / "model", NAMED)
    (folder / "README.md").write_text("---\na: b\n---\n" + "x" * LARGEST_DOCUMENT)
    assert said(folder)["README.md"] == {"front_matter": "a: b"}
    (folder / "README.md").write_text("---\na: b\n" + "x" * LARGEST_DOCUMENT + "\n---\n")
    assert "README.md" not in said(folder)
