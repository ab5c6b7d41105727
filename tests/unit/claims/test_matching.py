"""Parents are found by hash, id, label, file name and old hash, and never by a doubtful name."""

from __future__ import annotations

import pytest

from atlas.claims.claim import Parent
from atlas.claims.matching import Directory, Known
from atlas.fingerprints.provenance import FileMark
from said_in_files import A, B

CACHED = "cache/models--owner--Pretty/snapshots/0a1b/pretty.safetensors"
DIRECTORY = Directory(
    [
        Known("a", "Model A", "models/anime_v1.safetensors", (FileMark("x", 1, "43ce4604"),)),
        Known("b", "b", "models/B Final.ckpt", (FileMark("x", 1, "", B),)),
        Known("pretty", "pretty", CACHED, (FileMark("pretty.safetensors", 1, ""),)),
        Known("folder", "folder", "models/tuned/"),
        Known("step", "step", "run/step-100/model.safetensors"),
        Known("twin-1", "twin-1", "one/twin.safetensors"),
        Known("twin-2", "twin-2", "two/twin.safetensors"),
    ]
)


@pytest.mark.parametrize(
    ("name", "model", "how"),
    [
        ("a", "a", "id"),
        ("model a", "a", "label"),
        ("anime_v1.safetensors", "a", "name"),
        ("anime_v1", "a", "name"),
        ("sub\\Anime_V1.safetensors [0011223344]", "a", "name"),
        ("/some/where/anime_v1.ckpt", "a", "name"),
        ("B Final", "b", "name"),
        ("B final.ckpt [bbbbbbbbbb]", "b", "hash"),
        ("owner/Pretty", "pretty", "id"),
        ("/home/me/tuned", "folder", "name"),
        ("other/step-100/model.safetensors", "step", "name"),
        ("gone [43ce4604]", "a", "legacy hash"),
        ("model.safetensors", "", ""),
        ("twin", "", ""),
        ("nothing", "", ""),
        ("", "", ""),
    ],
)
def test_by_what_a_parent_is_found(name: str, model: str, how: str) -> None:
    found = DIRECTORY.found(Parent(name), own="m")
    assert (found.model, found.how) == (model, how)


def test_a_whole_hash_goes_before_a_name() -> None:
    found = DIRECTORY.found(Parent("a", sha256=B), own="m")
    assert (found.model, found.how) == ("b", "hash")


def test_an_old_hash_comes_last() -> None:
    told = Parent("folder", sha256=A, legacy_hash="43ce4604")
    assert DIRECTORY.found(told, own="m").model == "folder"
    assert DIRECTORY.found(Parent("x", legacy_hash="43ce4604"), own="m").how == "legacy hash"


def test_a_model_is_not_its_own_parent() -> None:
    assert DIRECTORY.found(Parent("a"), own="a").model == ""
    # of two models of one name the other is meant
    assert DIRECTORY.found(Parent("twin"), own="twin-1").model == "twin-2"


def test_files_without_hashes_are_not_alike() -> None:
    assert DIRECTORY.found(Parent("x", sha256="", legacy_hash=""), own="m").model == ""


def test_the_nearest_id_is_suggested() -> None:
    assert DIRECTORY.suggestion("prety") == "; did you mean pretty?"
