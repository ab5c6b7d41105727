"""Several files are one model only where numbers, names and index say the same."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import narrow
from atlas.basis.errors import AtlasError
from atlas.checkpoint import files_of, open_checkpoint, remarks, watched_files

torch = pytest.importorskip("torch")

NAMED = {f"blocks.{number}.weight": np.full((2, 2), number, np.float32) for number in range(6)}
SECOND = "model-00002-of-00003.safetensors"
INDEX = "model.safetensors.index.json"
WAYS = {
    "index": lambda folder: folder / INDEX,
    "folder": lambda folder: folder,
    "glob": lambda folder: folder / "model-*.safetensors",
    "narrow glob": lambda folder: folder / "model-*-of-00003.safetensors",
    "glob of all": lambda folder: folder / "*",
    "component": lambda folder: folder.parent,
}
"""Ways to name a set that lies in a folder."""


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Return the folder of a set of three, each with two tensors."""
    return narrow.shards(tmp_path / "pipeline" / "unet", NAMED).parent


def rewrite(index: Path, change: Callable[[dict[str, str]], object]) -> None:
    """Change an index's table in place."""
    table = json.loads(index.read_text())
    change(table["weight_map"])
    index.write_text(json.dumps(table))


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_set_is_read_however_it_is_named(shards: Path, way: str) -> None:
    path = WAYS[way](shards)
    opened = open_checkpoint(path)
    assert sorted(tensor.key for tensor in opened.tensors) == sorted(NAMED)
    assert opened.findings == () or way == "component"
    assert watched_files(path) == sorted([*files_of(path), shards / INDEX])


@pytest.mark.parametrize("way", WAYS)
def test_a_missing_shard_is_named(shards: Path, way: str) -> None:
    (shards / SECOND).unlink()
    with pytest.raises(AtlasError, match=SECOND):
        open_checkpoint(WAYS[way](shards))
    assert watched_files(WAYS[way](shards)) == []
    assert SECOND in remarks(WAYS[way](shards))[0]


@pytest.mark.parametrize("way", ["folder", "glob", "component"])
def test_a_set_without_an_index_is_held_to_its_numbers(shards: Path, way: str) -> None:
    (shards / INDEX).unlink()
    assert len(open_checkpoint(WAYS[way](shards)).tensors) == 6
    for left in (2, 1):
        max(shards.glob("*.safetensors")).unlink()
        with pytest.raises(AtlasError, match=f"{left} of 3 shards .* fetch model-0000"):
            files_of(WAYS[way](shards))


def test_numbers_may_begin_at_0_and_have_any_length(tmp_path: Path) -> None:
    for number in range(2):
        narrow.save(
            tmp_path / f"model-{number}-of-2.safetensors",
            {f"{number}.weight": NAMED["blocks.0.weight"]},
        )
    assert len(open_checkpoint(tmp_path).tensors) == 2
    (tmp_path / "model-1-of-2.safetensors").rename(tmp_path / "model-00-of-2.safetensors")
    with pytest.raises(AtlasError, match=r"fetch model-1-of-2"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "glob of all"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.update(lost=SECOND), r"1 of its 7 tensors are in none .*\(lost"),
        (lambda table: table.pop("blocks.3.weight"), r"lacks 1 of the 6 .*\(blocks\.3\.weight in"),
        (
            lambda table: table.update({"blocks.0.weight": SECOND}),
            rf"places blocks\.0\.weight in {SECOND}, but it is in model-00001",
        ),
    ],
)
def test_an_index_that_its_files_contradict_is_refused(
    shards: Path, way: str, change: Callable[[dict[str, str]], object], words: str
) -> None:
    rewrite(shards / INDEX, change)
    with pytest.raises(AtlasError, match=words) as error:
        open_checkpoint(WAYS[way](shards))
    assert str(shards / INDEX) in str(error.value)


@pytest.mark.parametrize("way", WAYS)
def test_an_index_of_the_first_shard_alone_is_refused(shards: Path, way: str) -> None:
    def keep_first(table: dict[str, str]) -> None:
        for key in [key for key, file in table.items() if "00001-of" not in file]:
            del table[key]

    rewrite(shards / INDEX, keep_first)
    with pytest.raises(AtlasError, match=r"1 of 3 shards|does not name model-00002"):
        open_checkpoint(WAYS[way](shards))


def test_an_index_says_what_belongs_together_where_names_do_not(tmp_path: Path) -> None:
    table = {"a.weight": "first.safetensors", "b.weight": "second.safetensors"}
    for key, file in table.items():
        narrow.save(tmp_path / file, {key: NAMED["blocks.0.weight"]})
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": table}))
    for name in (INDEX, "*"):
        assert len(open_checkpoint(tmp_path / name).tensors) == 2
    rewrite(tmp_path / INDEX, lambda held: held.pop("b.weight"))
    with pytest.raises(
        AtlasError, match=r"matches .*second\.safetensors too, which model.* does not name; write"
    ):
        open_checkpoint(tmp_path / "*")


def test_shards_of_pickles_are_held_to_their_index_too(tmp_path: Path) -> None:
    halves = [
        {"a": torch.ones(2), "freqs": torch.ones(2, dtype=torch.complex64)},
        {"b": torch.ones(2)},
    ]
    table = {}
    for number, half in enumerate(halves, start=1):
        file = f"pytorch_model-{number:05d}-of-00002.bin"
        torch.save(half, tmp_path / file)
        table |= dict.fromkeys(half, file)
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": table}))
    assert len(open_checkpoint(tmp_path).tensors) == 2, "what is left out is there all the same"
    rewrite(index, lambda held: held.update(lost="pytorch_model-00001-of-00002.bin"))
    with pytest.raises(AtlasError, match="lost"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "index", ["model.safetensors.index.fp16.json", "model.fp16.safetensors.index.json"]
)
def test_the_index_of_a_variant_is_found(tmp_path: Path, index: str) -> None:
    narrow.shards(tmp_path, NAMED).rename(tmp_path / index)
    for file in tmp_path.glob("*.safetensors"):
        file.rename(file.with_name(file.name.replace("model-", "model.fp16-")))
    rewrite(
        tmp_path / index,
        lambda table: table.update(
            {key: file.replace("model-", "model.fp16-") for key, file in table.items()}
        ),
    )
    assert len(open_checkpoint(tmp_path).tensors) == 6
    rewrite(
        tmp_path / index, lambda table: table.update(lost="model.fp16-00001-of-00003.safetensors")
    )
    with pytest.raises(AtlasError, match="lost"):
        open_checkpoint(tmp_path)


def test_an_index_without_any_shard_is_no_component_to_pass_over(shards: Path) -> None:
    narrow.save(shards.parent / "vae" / "model.safetensors", NAMED)
    for file in shards.glob("*.safetensors"):
        file.unlink()
    for path in (shards, shards / INDEX):
        with pytest.raises(AtlasError, match=r"the shard model-00001.* is missing"):
            open_checkpoint(path)
    told = open_checkpoint(shards.parent).unread[shards.name]
    assert told.is_broken
    assert "the shard model-00001-of-00003.safetensors is missing" in told.reason


def test_a_component_whose_shards_are_not_all_there_stops_no_other(shards: Path) -> None:
    narrow.save(shards.parent / "vae" / "model.safetensors", NAMED)
    (shards / "model-00002-of-00003.safetensors").unlink()
    opened = open_checkpoint(shards.parent)
    assert {tensor.component for tensor in opened.tensors} == {"vae"}
    assert "model-00002-of-00003.safetensors" in opened.unread[shards.name].reason
    assert opened.unread[shards.name].numel > 1
    assert [file.parent.name for file in watched_files(shards.parent)] == ["vae"]
    assert any("model-00002-of-00003" in told for told in remarks(shards.parent))
    with pytest.raises(AtlasError, match="model-00002-of-00003"):
        files_of(shards.parent)


STRANGERS = {
    "a LoRA": "model-lightning-lora.safetensors",
    "another set": "model-00001-of-00002.safetensors",
    "another stem": "model-b-00001-of-00003.safetensors",
    "a text": "model-card.md",
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_that_a_glob_catches_is_named(shards: Path, stranger: str) -> None:
    narrow.save(shards / stranger, {"other.weight": NAMED["blocks.0.weight"]})
    with pytest.raises(AtlasError, match="1 of its 4 files") as error:
        open_checkpoint(shards / "model-*[sd0-9]")
    assert stranger in str(error.value)
    narrowed = str(error.value).split("write ")[1].split(" to read")[0]
    assert len(open_checkpoint(Path(narrowed)).tensors) == 6, "the remedy works"


def test_files_without_numbers_are_no_set_by_a_common_start(tmp_path: Path) -> None:
    narrow.save(tmp_path / "wan.safetensors", {"a.weight": NAMED["blocks.0.weight"]})
    narrow.save(tmp_path / "wan-lora.safetensors", {"b.weight": NAMED["blocks.0.weight"]})
    with pytest.raises(AtlasError, match="no shards of one model by their names"):
        open_checkpoint(tmp_path / "wan*")
    for number in (1, 2):
        narrow.save(tmp_path / f"part_{number}.sft", {f"{number}.weight": NAMED["blocks.0.weight"]})
    assert len(open_checkpoint(tmp_path / "part_*").tensors) == 2


def test_files_of_several_folders_are_no_set(tmp_path: Path) -> None:
    for component in ("unet", "vae"):
        narrow.save(
            tmp_path / component / "model.safetensors", {component: NAMED["blocks.0.weight"]}
        )
    with pytest.raises(AtlasError, match="no shards of one model"):
        open_checkpoint(tmp_path / "*" / "*.safetensors")


def test_a_folder_that_a_glob_catches_is_named(shards: Path) -> None:
    (shards / "model-notes").mkdir()
    with pytest.raises(AtlasError, match=r"matches .*model-notes too, which is a folder"):
        open_checkpoint(shards / "model-*")
