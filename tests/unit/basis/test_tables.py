"""Files that are written whole: others may read them as they may read any new file."""

import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest

from atlas.basis import tables
from atlas.basis.errors import AtlasError


@pytest.fixture(params=[0o022, 0o027, 0o002], ids=oct)
def umask(request):
    """Set what new files are denied, for one test."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_written_file_has_the_mode_of_any_new_one(tmp_path: Path, umask: int) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    tables.write_text("text", tmp_path / "text.md")
    tables.write(pa.table({"a": [1]}), tmp_path / "table.parquet")
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {0o666 & ~umask}
    assert os.umask(umask) == umask, "the process's own mask is as it was"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_file_and_the_remedy(tmp_path: Path, number: int) -> None:
    file = tmp_path / "text.md"
    file.write_text("as it was")
    with (
        pytest.raises(AtlasError, match=r"text\.md: can't be written \(.*free some room"),
        tables.replacing(file),
    ):
        raise OSError(number, "full")
    assert [(path, path.read_text()) for path in tmp_path.iterdir()] == [(file, "as it was")]


def test_a_fault_of_reading_is_none_of_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), tables.replacing(tmp_path / "text.md"):
        (tmp_path / "absent").read_text()


def test_a_folder_that_takes_no_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tables.tempfile, "mkstemp", refuse)
    with pytest.raises(AtlasError, match=r"text\.md: can't be written \(Permission denied\)"):
        tables.write_text("text", tmp_path / "text.md")
