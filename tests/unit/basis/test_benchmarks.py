"""The benchmarks are found by their names, and each names modules that are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
BENCH = REPOSITORY / "bench"
FILES = sorted(BENCH.rglob("*.py"))


def called(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, BENCH / "run.py", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_list_has_every_benchmark():
    """Each is imported, for its first line."""
    done = called("--list")
    assert done.returncode == 0, done.stderr
    measured = [file for file in FILES if re.search(r"^def measure\(", file.read_text(), re.M)]
    assert len(done.stdout.splitlines()) == len(measured) > 0


@pytest.mark.parametrize(
    ("name", "answer"), [("scalin", "did you mean scaling?"), ("qqq", "there are notebook, limits")]
)
def test_a_wrong_name_is_answered_with_right_ones(name, answer):
    done = called("--only", name)
    assert done.returncode == 2
    assert answer in done.stderr


def test_modules_that_run_on_their_own_are_there():
    text = "".join(file.read_text() for file in FILES)
    named = set(re.findall(r'"(bench\.\w+\.\w+)"', text))
    there = {".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in FILES}
    assert named
    assert named <= there


def test_the_smallest_benchmark_runs(tmp_path):
    """It calls a rule's script, as the others do."""
    program = (
        "import sys; from pathlib import Path; from bench.relations import joins;"
        " print(*joins.measure(Path(sys.argv[1]), quick=True), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env={"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'scripts'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []
