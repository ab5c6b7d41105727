"""What the settings ask of text encoders: names resolved, all faults at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas.basis.shipped import load
from atlas.embeddings import needs, settings


@dataclass(frozen=True)
class Listed:
    """A model of the roster."""

    path: Path


MODELS = {"sd": Listed(Path("models/sd")), "tuned": Listed(Path("models/tuned.safetensors"))}


def declared(**given):
    return settings.declared(
        load("config")["embeddings"] | given, groups=["photo", "anime"], models=MODELS
    )


def test_all_groups_and_the_shipped_lists_are_taken_by_default():
    found = declared()
    assert found.groups == ("photo", "anime")
    assert list(found.lists) == ["everyday", "pictures"]
    assert all(path.is_file() for path in found.lists.values())


def test_ids_stand_for_folders(tmp_path):
    (tmp_path / "tokens").mkdir()
    found = declared(configurations=["sd"], tokenizers={"t5": str(tmp_path / "tokens")})
    assert found.configurations == (Path("models/sd"),)
    assert found.tokenizers == {"t5": tmp_path / "tokens"}


def test_all_that_is_not_there_is_told_at_once(tmp_path):
    (tmp_path / "everyday.yaml").write_text("words: [a]")
    (tmp_path / "my list.txt").write_text("a")
    with pytest.raises(AtlasError) as told:
        declared(
            groups=["anim"],
            lists=[
                "everyday",
                "pictured",
                str(tmp_path / "everyday.yaml"),
                str(tmp_path / "my list.txt"),
            ],
            configurations=["sdd"],
            tokenizers={"clip": "nowhere"},
        )
    text = str(told.value)
    assert "6 problems" in text
    assert "no such group; did you mean anime?" in text
    assert "did you mean pictures?" in text
    assert "results would be those of" in text
    assert "rename the file" in text
    assert "neither an id of the roster nor a folder; did you mean sd?" in text
    assert "no such folder" in text


@pytest.mark.parametrize(("dtype", "least"), [("f32", 8000), ("bf16", 6000)])
def test_memory_is_that_of_the_largest_encoder(tmp_path, dtype, least):
    place = tmp_path / "encoders.json"
    place.write_text('{"encoders": [{"parameters": 5}, {"parameters": 1000000000}]}')
    assert least <= needs.encoding_mb(place, dtype=dtype) <= least + 2000
    place.write_text('{"encoders": []}')
    assert needs.encoding_mb(place, dtype=dtype) == needs.FIXED_MB
