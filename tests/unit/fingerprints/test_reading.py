"""Elements come out in C order, wherever and however a tensor's parts lie in their files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.basis.errors import AtlasError
from atlas.checkpoint import Part
from atlas.fingerprints.elements import reading
from atlas.fingerprints.elements.files import OpenFiles, unchanged
from atlas.fingerprints.elements.reading import read_range
from stored import checkpoint, tensor

FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@st.composite
def views(draw):
    """Draw a view of an array: axes permuted, sliced, and perhaps cut in two parts."""
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    base = np.arange(math.prod(shape), dtype=np.uint8 if draw(st.booleans()) else np.float32)
    view = base.reshape(shape).transpose(draw(st.permutations(range(len(shape)))))
    cuts = [
        slice(draw(st.integers(0, extent - 1)), extent, draw(st.integers(1, 3)))
        for extent in view.shape
    ]
    return base, view[tuple(cuts)]


def part_of(path, base, view) -> Part:
    """Describe a view of an array that was written to a file after 5 foreign bytes."""
    address = view.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return Part(
        file=path,
        offset=5 + address,
        shape=view.shape,
        strides=tuple(stride // base.itemsize for stride in view.strides),
    )


@FOLDER
@given(drawn=views(), data=st.data(), span=st.sampled_from([8, 40, 1 << 20]))
def test_any_range_of_any_view_is_read(tmp_path, drawn, data, span):
    base, view = drawn
    path = tmp_path / "weights"
    path.write_bytes(b"12345" + base.tobytes())
    half = len(view) // 2
    parts = (part_of(path, base, view[:half]), part_of(path, base, view[half:]))
    stored = tensor("unet/view", view, *(parts if half else parts[1:]))
    start = data.draw(st.integers(0, view.size - 1))
    stop = data.draw(st.integers(start + 1, view.size))
    buffer = np.empty((stop - start) * base.itemsize, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "SPAN_BYTES", span)
        patch.setattr(reading, "SPARSE_BYTES", min(span, 16))
        read_range(OpenFiles(), stored, start, buffer)
    np.testing.assert_array_equal(buffer.view(base.dtype), view.ravel()[start:stop])


def test_a_transposed_matrix_is_read_run_by_run(tmp_path, monkeypatch):
    base = np.arange(300 * 200, dtype=np.float32).reshape(300, 200)
    path = tmp_path / "weights"
    path.write_bytes(b"12345" + base.tobytes())
    monkeypatch.setattr(reading, "SPAN_BYTES", 1 << 12)
    read = []
    plain = OpenFiles.read
    monkeypatch.setattr(
        OpenFiles, "read", lambda *given: read.append(len(given[3])) or plain(*given)
    )
    buffer = np.empty(base.nbytes, np.uint8)
    stored = tensor("unet/t", base.T, part_of(path, base, base.T))
    read_range(OpenFiles(), stored, 0, buffer)
    np.testing.assert_array_equal(buffer.view(np.float32), base.T.ravel())
    assert max(read) <= reading.SPARSE_BYTES
    assert sum(read) < 100 * base.nbytes


def open_descriptors() -> int:
    """Return how many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_more_files_than_may_be_open_are_read(tmp_path):
    files = OpenFiles(limit=2)
    held = [
        checkpoint(tmp_path / str(number), {"unet/a": np.full(4, number, np.float32)})
        for number in range(5)
    ]
    before = open_descriptors()
    for number in [0, 1, 2, 3, 4, 0, 4, 2]:
        buffer = np.empty(16, np.uint8)
        read_range(files, held[number].tensors[0], 0, buffer)
        assert (buffer.view(np.float32) == number).all()
        assert open_descriptors() <= before + 2


def test_a_file_that_ends_early_is_named(tmp_path):
    held = checkpoint(tmp_path / "short", {"unet/a": np.ones(100, np.float32)})
    os.truncate(tmp_path / "short", 200)
    with pytest.raises(AtlasError, match=r"short: ends at byte 200, .* cut short or replaced"):
        read_range(OpenFiles(), held.tensors[0], 0, np.empty(400, np.uint8))


def test_a_file_that_is_gone_is_named(tmp_path):
    held = checkpoint(tmp_path / "gone", {"unet/a": np.ones(100, np.float32)})
    (tmp_path / "gone").unlink()
    with pytest.raises(AtlasError, match=r"gone: can't be read .*No such file"):
        read_range(OpenFiles(), held.tensors[0], 0, np.empty(400, np.uint8))


def write_into(path: Path) -> None:
    """Change a byte in place; the size stays."""
    path.write_bytes(b"behind")
    os.utime(path, ns=(0, 1))


def replace(path: Path) -> None:
    """Put an equal file in its place."""
    path.with_name("new").write_bytes(path.read_bytes())
    path.with_name("new").replace(path)


@pytest.mark.parametrize("change", [write_into, replace, Path.unlink])
def test_a_file_that_changes_meanwhile_is_refused(tmp_path, change):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(AtlasError, match="file: "), unchanged([path]):
        change(path)


def test_an_unchanged_file_passes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"same")
    with unchanged([path]):
        path.read_bytes()
