"""What jobs were granted is kept beside their benchmarks, and no damage to it ends a run."""

from pathlib import Path

import pytest

from atlas.benchmarks.declared import Declared, keep, read

ONE = Declared("benchmarks/plot_group/all.tsv", 2000, 20, 1, 0)
TWO = Declared("benchmarks/measure_macs/all.tsv", 8000, None, 2, 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the place of a table in a folder that is not there."""
    return tmp_path / "benchmarks" / "declared.csv"


def test_what_is_kept_is_read(file: Path) -> None:
    keep([ONE, TWO], file)
    assert read(file) == [TWO, ONE], "in order of their paths"


def test_a_later_run_replaces_its_own_jobs_alone(file: Path) -> None:
    keep([ONE, TWO], file)
    again = Declared(ONE.benchmark, 4000, 40, 1, 0)
    keep([again], file)
    assert read(file) == [TWO, again]


def test_a_run_that_made_nothing_touches_nothing(file: Path) -> None:
    keep([], file)
    assert not file.exists()
    keep([ONE], file)
    before = file.stat().st_mtime_ns
    keep([], file)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "damaged", [b"", b"\xff\xfe\x00", b"benchmark,mem_mb\na,1\n", b"benchmark\n\n"]
)
def test_a_damaged_table_is_begun_anew(file: Path, damaged: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(damaged)
    assert read(file) == []
    keep([ONE], file)
    assert read(file) == [ONE]


def test_a_damaged_row_costs_that_row(file: Path) -> None:
    keep([ONE, TWO], file)
    file.write_text(file.read_text().replace(",2000,", ",much,"))
    assert read(file) == [TWO]
