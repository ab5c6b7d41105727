"""The list of mutants fits the code, and a mutant is judged by the tests that it names."""

from pathlib import Path

import pytest

import mutants
from mutants import Mutant

ALL = mutants.read()


def test_every_old_text_is_found_once_and_every_test_is_there() -> None:
    assert {each.what: each.problem() for each in ALL if each.problem()} == {}


def test_every_mutant_changes_something_and_names_a_test() -> None:
    assert [each.what for each in ALL if each.new == each.old or not each.tests] == []


def test_no_two_mutants_are_one() -> None:
    assert len({(each.file, each.old, each.new) for each in ALL}) == len(ALL)
    assert len({each.what for each in ALL}) == len(ALL)


CODE = "def total(a, b):\n    return a + b\n"
TESTS = """
from code_under_test import total
def test_some(): assert total(2, 2) == 4
def test_none(): assert total(0, 0) == 0
"""


@pytest.mark.parametrize(
    ("old", "new", "tests", "verdict"),
    [
        ("a + b", "a - b", "test_it.py", "killed"),
        ("a + b", "a - b", "test_it.py::test_none", "SURVIVED"),
        ("a + b", "a - b", "test_it.py::test_some[1]", "NOT TESTED"),
        ("a - b", "a + b", "test_it.py", "NOT MADE: code_under_test.py has the old text 0 times"),
        ("a", "c", "test_it.py", "NOT MADE: code_under_test.py has the old text 3 times"),
        ("a + b", "a - b", "test_other.py", "NOT MADE: test_other.py is not there"),
        ("a + b", "a - b", "test_it.py::test_so", "NOT MADE: test_it.py::test_so is not there"),
    ],
)
def test_a_mutant_is_killed_where_a_test_fails(tmp_path: Path, old, new, tests, verdict) -> None:
    (tmp_path / "code_under_test.py").write_text(CODE)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    mutant = Mutant("adds wrongly", "code_under_test.py", old, new, (tests,))
    assert mutants.verdict(mutant, tmp_path).startswith(verdict)
    assert (tmp_path / "code_under_test.py").read_text() == CODE
