"""Files that are written whole: others may read them as they may read any new file."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from atlas.basis import tables


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
