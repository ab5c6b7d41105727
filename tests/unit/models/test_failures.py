"""What a run says of failed jobs: each log by name, the ends of a few, nothing without bounds."""

from pathlib import Path

import pytest

from atlas.models.failures import JOBS_SHOWN, LINES_SHOWN, WIDTH_SHOWN, Failure, told


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the place of a log."""
    return tmp_path / "all.log"


def test_nothing_is_said_where_nothing_failed() -> None:
    assert told([]) == ""


def test_a_job_is_named_with_its_log_and_how_it_ends(log: Path) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    first, job, *lines = told([Failure("plot_group (group=all)", log)]).splitlines()
    assert first == "1 job failed; the end of each log:"
    assert job == f"  plot_group (group=all): {log}"
    assert lines == [f"    line {number}" for number in range(5000 - LINES_SHOWN, 5000)]


def test_indents_of_a_traceback_stay_and_codes_of_terminals_go(log: Path) -> None:
    log.write_bytes(b'  File "a.py"\n\x1b[2Jgone\xff\n')
    assert told([Failure("a", log)]).splitlines()[2:] == ['      File "a.py"', "     [2Jgone\ufffd"]


def test_a_long_line_is_clipped(log: Path) -> None:
    log.write_text("x" * 10**6)
    *_, last = told([Failure("a", log)]).splitlines()
    assert len(last.strip()) == WIDTH_SHOWN
    assert last.endswith("…")


def test_of_many_jobs_the_rest_are_named_alone(log: Path) -> None:
    log.write_text("memory\n")
    failures = [Failure(f"fingerprint (model={number})", log) for number in range(JOBS_SHOWN + 2)]
    text = told(failures)
    assert text.startswith("7 jobs failed")
    assert text.count("memory") == JOBS_SHOWN
    assert text.splitlines()[-3:] == [
        "  and 2 more:",
        f"    fingerprint (model=5): {log}",
        f"    fingerprint (model=6): {log}",
    ]


def test_a_log_that_is_empty_or_not_there_is_told(log: Path) -> None:
    log.touch()
    text = told([Failure("a", log), Failure("b", log.with_name("absent")), Failure("c", None)])
    assert [line for line in text.splitlines() if line.startswith("    ")] == [
        "    (empty: the job ended without a word)",
        "    (no log: No such file or directory; the job ended before its script began)",
        "    (a job without a log)",
    ]
