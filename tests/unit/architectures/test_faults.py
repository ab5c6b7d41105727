"""Who failed and whose figures are doubtful, as summaries tell of them."""

from pathlib import Path

import pytest

from architectures import check_entries
from atlas.architectures.faults import Faults, doubt, failure, faults_in
from atlas.basis.errors import AtlasError

HEADER = "architecture,status,problem\n"
SIZES = HEADER + "sound,counted,\ntypo,counted,no key a\ntypo,counted,no key a; no key b\n"
COSTS = HEADER + "sound,not possible,too small\nbroken,failed,no class\ntypo,counted,no key a\n"


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    found = [tmp_path / name for name in ("sizes.csv", "costs.csv")]
    for table, text in zip(found, (SIZES, COSTS), strict=True):
        table.write_text(text)
    return found


def test_each_is_told_once_and_of_all_its_components(tables: list[Path]) -> None:
    assert faults_in(tables) == Faults({"broken": "no class"}, {"typo": "no key a; no key b"}, 3)


def test_one_that_failed_is_not_doubtful_as_well(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(HEADER + "a,counted,doubt\na,failed,gone\n")
    assert faults_in([table]) == Faults({"a": "gone"}, {}, 1)


def test_messages_name_all(tables: list[Path]) -> None:
    faults = faults_in(tables)
    assert failure(faults).splitlines()[1:] == ["  broken: no class"]
    assert doubt(faults).splitlines()[1:] == ["  typo: no key a; no key b"]
    assert (failure(Faults()), doubt(Faults())) == ("", "")


def test_a_size_that_cannot_be_made_is_no_fault(tables: list[Path]) -> None:
    assert "sound" not in failure(faults_in(tables)) + doubt(faults_in(tables))


def test_the_check_fails_for_failures_alone(
    tables: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    check_entries.main(table=tables[0])
    assert "typo: no key a; no key b" in caplog.text
    with pytest.raises(AtlasError, match="1 of 3 architectures failed"):
        check_entries.main(table=tables[1])
