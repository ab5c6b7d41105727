"""A safetensors header is read alone, and a file that lies is refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint

ARRAYS = {
    "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.bias": np.arange(3, dtype=np.float16),
    "steps": np.array([7], dtype=np.int64),
    "empty": np.zeros((0, 4), dtype=np.float32),
}


def write_raw(file: Path, header: object, data: bytes) -> Path:
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return file


def row(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_tensors_are_places_in_the_file(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "m.safetensors")
    opened = open_checkpoint(tmp_path / "m.safetensors")
    raw = (tmp_path / "m.safetensors").read_bytes()
    assert [tensor.key for tensor in opened.tensors] == ["a.bias", "b.weight", "empty", "steps"]
    for tensor in opened.tensors:
        (part,) = tensor.parts
        data = raw[part.offset : part.offset + tensor.nbytes]
        assert data == ARRAYS[tensor.key].tobytes()
        assert tensor.shape == ARRAYS[tensor.key].shape


def test_integers_are_counters_not_weights(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "m.safetensors")
    opened = open_checkpoint(tmp_path / "m.safetensors")
    assert {tensor.component for tensor in opened.tensors} == {"network", "other"}
    assert opened.tensors[-1].name == "other/steps"


FAULTS = {
    "overlap": ({"a": row(0, 8, [2]), "b": row(4, 12, [2])}, 12, "overlaps"),
    "gap": ({"a": row(0, 8, [2]), "b": row(12, 20, [2])}, 20, "gap"),
    "cut off": ({"a": row(0, 8, [2])}, 4, "cut off"),
    "too long": ({"a": row(0, 8, [2])}, 9, "longer"),
    "wrong size": ({"a": row(0, 8, [3])}, 8, "needs 12 bytes"),
    "unknown dtype": ({"a": row(0, 8, [2], "F4")}, 8, "quantisation"),
    "negative": ({"a": row(0, -8, [-2])}, 8, "no counts"),
    "float shape": ({"a": row(0, 8, [2.0])}, 8, "no counts"),  # type: ignore[list-item]
    "no offsets": ({"a": {"dtype": "F32", "shape": [2]}}, 8, "no dtype, shape"),
    "list header": ([1, 2], 0, "no safetensors|no table"),
    "text shape": ({"a": {"dtype": "F32", "shape": "2", "data_offsets": [0, 8]}}, 8, "no counts"),
    "metadata": ({"__metadata__": [1], "a": row(0, 8, [2])}, 8, "__metadata__"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_files_are_refused_by_name(tmp_path: Path, fault: str) -> None:
    header, size, words = FAULTS[fault]
    file = write_raw(tmp_path / "broken.safetensors", header, bytes(size))
    with pytest.raises(AtlasError, match=words) as error:
        open_checkpoint(file)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("raw", [b"", b"\x01", bytes(8), (2**40).to_bytes(8, "little") + b"{}"])
def test_files_without_a_header_are_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "broken.safetensors"
    file.write_bytes(raw)
    with pytest.raises(AtlasError, match=r"broken\.safetensors"):
        open_checkpoint(file)


@pytest.mark.parametrize("text", [b"[" * 50_000, b'{"a":1', b'{"a":{},"a":{}}', b"\xff\xfe{}"])
def test_headers_that_are_no_json_are_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "broken.safetensors"
    file.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(AtlasError, match=r"broken\.safetensors"):
        open_checkpoint(file)


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": ARRAYS["b.weight"]}, tmp_path / "whole.safetensors")
    raw = (tmp_path / "whole.safetensors").read_bytes()
    for length in range(len(raw)):
        (tmp_path / "cut.safetensors").write_bytes(raw[:length])
        with pytest.raises(AtlasError):
            open_checkpoint(tmp_path / "cut.safetensors")
