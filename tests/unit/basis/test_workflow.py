"""A script's main, run from a command line: how it ends, and what it says."""

import errno
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from atlas.basis.errors import AtlasError
from atlas.basis.workflow import QUIET, command_line, configure_logging

Run = Callable[..., tuple[object, str, str]]
"""Words to the exit status, and what was written to stdout and stderr."""


def main(*, fault: str | None, times: int = 1) -> None:
    """Fail as told, or do nothing."""
    logging.info("begun %d times", times)
    match fault:
        case "input":
            raise AtlasError("base.ckpt: truncated")
        case "file":
            Path("absent/table.csv").write_text("")
        case "ours":
            raise ZeroDivisionError


@pytest.fixture
def loggers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the loggers and the hook for uncaught exceptions as they were."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    yield
    root.level, root.handlers[:] = before


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Return a function that runs `main` by a command line, and leave the loggers as they were."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]

    def called(*words: str, **options: bool) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["script.py", *words])
        with pytest.raises(SystemExit) as end:
            command_line(main, **options)
        return end.value.code, *capsys.readouterr()

    yield called
    root.level, root.handlers[:] = before


def test_a_run_ends_with_status_0_and_logs_to_stderr(run: Run) -> None:
    status, out, log = run("--times", "3")
    assert (status, out) == (0, "")
    assert log.endswith(" INFO begun 3 times\n")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("input", "error: base.ckpt: truncated"),
        (
            "file",
            "error: FileNotFoundError: [Errno 2] No such file or directory: 'absent/table.csv'",
        ),
    ],
)
def test_a_fault_of_the_input_is_one_line(run: Run, fault: str, said: str) -> None:
    status, out, _ = run("--fault", fault)
    assert (status, out) == (said, "")  # which Python prints to stderr, and ends with status 1


def test_a_fault_of_ours_keeps_its_traceback(run: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        run("--fault", "ours")


def test_a_bad_argument_is_told_with_the_usage(run: Run) -> None:
    status, _, said = run("--times", "x")
    assert status == 2
    assert said.startswith("usage: script.py [-h] ")
    assert "argument --times: invalid int value: 'x'" in said


def test_the_help_names_the_rule(run: Run) -> None:
    status, told, _ = run("--help")
    assert status == 0
    assert "In the workflow, the rule test_workflow hands these values over." in told
    assert "Fail as told, or do nothing." in told
    assert "rule" not in run("--help", has_rule=False)[1]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "free some room on its disk and run"),
        (OSError(errno.EROFS, "Read-only file system"), "takes no writes"),
    ],
)
def test_a_full_disk_is_one_line_in_a_job(
    loggers: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], error: OSError, said: str
) -> None:
    log = tmp_path / "job.log"
    configure_logging(SimpleNamespace(log=[str(log)]))
    sys.excepthook(type(error), error, None)
    for told in (log.read_text(), capsys.readouterr().err):
        assert said in told
        assert len(told.splitlines()) == 1


def test_a_log_that_is_full_hides_nothing(
    loggers: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(SimpleNamespace(log=["/dev/full"]))
    sys.excepthook(AtlasError, AtlasError("base.ckpt: truncated"), None)
    told = capsys.readouterr().err
    assert "base.ckpt: truncated" in told
    assert "Traceback" not in told


def test_a_job_beside_bars_writes_to_its_log_alone(
    loggers: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(QUIET, "1")
    log = tmp_path / "job.log"
    configure_logging(SimpleNamespace(log=[str(log)]))
    sys.excepthook(AtlasError, AtlasError("base.ckpt: truncated"), None)
    assert "base.ckpt: truncated" in log.read_text()
    assert capsys.readouterr().err == ""
