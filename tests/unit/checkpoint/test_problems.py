"""Whatever goes wrong with one checkpoint is one message that names it, and no other's problem."""

import errno
import json
import os
import runpy
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import narrow
from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.checkpoint import (
    UnclearPathError,
    files,
    files_of,
    open_checkpoint,
    opening,
    remarks,
    watched_files,
)

SCRIPTS = Path(files.__file__).parents[2]
ONE = {"a.weight": np.ones((2, 2), np.float32)}


def fingerprint(checkpoint: Path, table: Path) -> dict[str, object]:
    """Run the rule's script on a checkpoint and return the notes of what it wrote."""
    main = runpy.run_path(str(SCRIPTS / "fingerprints" / "fingerprint.py"), run_name="rule")["main"]
    main(
        checkpoint=checkpoint,
        architecture=None,
        weights=None,
        table=table,
        threads=1,
    )
    return sealed.read(table, [])[1]


def header(file: Path, rows: object, data: int = 16) -> Path:
    text = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))
    return file


def row(dtype: object = "F32", shape: object = (4,), offsets: object = (0, 16)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


CRAFTED = {
    "dtype in a list": ({"a": row(["F32"])}, "the dtype of 'a' is no text"),
    "dtype in a table": ({"a": row({})}, "the dtype of 'a' is no text"),
    "dtype of 10,000 letters": ({"a": row("F" * 10_000)}, "quantisation"),
    "empty and huge": ({"a": row("F32", [0, 2**63], [0, 0])}, "no counts"),
    "3,000 digits": ({"a": row("F32", [10**2999, 10**2999])}, "no counts"),
    "5,000 digits": (b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b"]}}", "no JSON"),
    "offsets of 3,000 digits": ({"a": row(offsets=[0, 10**2999])}, "no counts"),
    "64 dimensions": ({"a": row("F32", [1] * 63 + [4])}, "dimensions"),
    "offsets in a table": ({"a": row(offsets={"a": 1, "b": 2})}, "no counts"),
    "lone surrogate": ({"\ud800": row()}, "characters that are no text"),
    "a name of a megabyte": ({"a" * 10**6: row()}, "a name of 1000000 characters"),
    "a row of text": ({"a": "F32"}, "no dtype"),
    "metadata nested": (
        b'{"__metadata__":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}",
        "no JSON|holds no tensors|gap|longer",
    ),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_header_is_its_own_files_problem(tmp_path: Path, name: str) -> None:
    rows, words = CRAFTED[name]
    file = header(tmp_path / "crafted.safetensors", rows)
    with pytest.raises(AtlasError, match=words) as error:
        open_checkpoint(file)
    assert str(error.value).startswith(f"{file}: ")
    assert len(str(error.value)) < 1000
    assert "report it" not in str(error.value), "foreseen"


@pytest.mark.parametrize("dimensions", [33, 64])
def test_strides_of_many_dimensions_are_refused(tmp_path: Path, dimensions: int) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(2).view([1] * (dimensions - 1) + [2])}, tmp_path / "a.pt")
    with pytest.raises(AtlasError, match="shape or strides"):
        open_checkpoint(tmp_path / "a.pt")


def test_strides_of_many_dimensions_are_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    values = torch.arange(2.0**13).view([2] * 13).permute(list(range(13))[::-1])
    torch.save({"a": values[(None,) * 19]}, tmp_path / "a.pt")
    notes = fingerprint(tmp_path / "a.pt", tmp_path / "a.parquet")
    assert "problem" not in notes


def test_what_was_not_foreseen_is_told_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("of the\n\udcffplanner")

    monkeypatch.setattr(opening, "name_tensors", fail)
    file = narrow.save(tmp_path / "a.safetensors", ONE)
    notes = fingerprint(file, tmp_path / "a.parquet")
    assert str(notes["problem"]).startswith(f"{file}: could not be read (KeyError: ")
    assert "please report it with the job's log" in str(notes["problem"])
    assert "Traceback" in caplog.text
    assert "in fail" in caplog.text
    str(notes["problem"]).encode()
    assert len(pq.read_table(tmp_path / "a.parquet")) == 0


@pytest.mark.parametrize("error", [MemoryError(), ImportError("numba"), OSError(errno.ENOSPC, "")])
def test_what_the_machine_lacks_is_no_checkpoints_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(opening, "name_tensors", fail)
    file = narrow.save(tmp_path / "a.safetensors", ONE)
    with pytest.raises(type(error)):
        fingerprint(file, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


def test_a_file_that_can_not_be_read_to_its_end_is_its_own_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    file = narrow.save(tmp_path / "a.safetensors", ONE)
    monkeypatch.setattr(os, "preadv", fail)
    notes = fingerprint(file, tmp_path / "a.parquet")
    assert f"{file}: can't be read at byte" in str(notes["problem"])


def test_a_file_that_may_not_be_read_is_told_before_and_in_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = narrow.save(tmp_path / "a.safetensors", ONE)
    assert (watched_files(file), remarks(file)) == ([file], ())
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert watched_files(file) == []
    assert "chmod u+r" in remarks(file)[0], "which reruns the fingerprint once it is mended"
    assert fingerprint(file, tmp_path / "a.parquet")["problem"] == remarks(file)[0]


def test_a_folder_that_may_not_be_read_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(AtlasError, match=f"{tmp_path}: can't be read .Permission denied"):
        files_of(tmp_path)
    assert watched_files(tmp_path) == []


def pipe(place: Path) -> None:
    os.mkfifo(place)


def dangling(place: Path) -> None:
    place.symlink_to("absent")


def circle(place: Path) -> None:
    place.symlink_to(place.name)


@pytest.mark.parametrize(
    ("make", "words"),
    [(pipe, "but a named pipe"), (dangling, "a link to absent"), (circle, "a link to")],
)
def test_what_is_no_file_is_told(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    place = tmp_path / "model.safetensors"
    make(place)
    narrow.save(tmp_path / "model-b.safetensors", ONE)
    with pytest.raises(UnclearPathError, match=words) as error:
        files_of(place)
    assert "did you mean" not in str(error.value)
    with pytest.raises(AtlasError, match=r"matches .*model\.safetensors too, which is no file"):
        files_of(tmp_path / "model*")
    if make is not pipe:
        (tmp_path / "model-b.safetensors").unlink()
        with pytest.raises(AtlasError, match=r"model\.safetensors: a link to"):
            files_of(tmp_path)


def test_a_name_is_never_its_own_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnclearPathError) as error:
        files_of(tmp_path / ("a" * 300))
    assert "longer than file systems allow" in str(error.value)
    (tmp_path / "modle").touch()
    with pytest.raises(UnclearPathError, match=r"did you mean .*modle"):
        files_of(tmp_path / "model")


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = narrow.save(tmp_path / "a.safetensors", ONE)
    try:
        file.rename(tmp_path / "mod\udce8le.safetensors")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(AtlasError, match=r"mod\\udce8le.* no UTF-8; rename"):
        files_of(tmp_path)
    assert watched_files(tmp_path / "*") == []


def test_a_download_that_goes_on_is_told(tmp_path: Path) -> None:
    file = narrow.save(tmp_path / "a.safetensors", ONE)
    (tmp_path / "a.safetensors.aria2").touch()
    with pytest.raises(AtlasError, match="its download has not ended"):
        open_checkpoint(file)
    assert "not ended" in remarks(file)[0]


def test_a_full_disk_is_one_message(tmp_path: Path) -> None:
    """As a limit of a file's size, which the kernel tells in the same way."""
    file = narrow.save(tmp_path / "a.safetensors", ONE)
    program = (
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    script = str(SCRIPTS / "fingerprints" / "fingerprint.py")
    table = tmp_path / "made" / "a.parquet"
    arguments = [
        "--checkpoint",
        str(file),
        "--table",
        str(table),
        "--threads",
        "1",
    ]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = {[script, *arguments]!r}\n{program}"],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"error: {table}: can't be written (File too large); raise the limit" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(table.parent.iterdir()) == [], "nothing is left behind"


def test_a_pickle_of_surrogates_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"a_b": torch.ones(2)}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    raw = (tmp_path / "a.pt").read_bytes()
    assert raw.count(b"a_b") == 1
    (tmp_path / "a.pt").write_bytes(raw.replace(b"a_b", "\ud800".encode("utf-8", "surrogatepass")))
    with pytest.raises(AtlasError, match="characters that are no text"):
        open_checkpoint(tmp_path / "a.pt")
