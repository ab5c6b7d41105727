"""What is said of the jobs of a run that failed: which, where their logs are, and how these end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atlas.basis.page import CONTROL

JOBS_SHOWN = 5
"""Of more failed jobs, the logs are named alone: mostly they failed for one reason."""
LINES_SHOWN = 10
WIDTH_SHOWN = 300
"""Characters of a line: the end of a log is read in a terminal."""


@dataclass(frozen=True)
class Failure:
    """A job that failed."""

    job: str
    """Its rule, with its wildcards where it has some."""
    log: Path | None


def told(failures: Sequence[Failure]) -> str:
    """
    Return the paragraph that names failed jobs and their logs, and the ends of the first logs.

    Parameters
    ----------
    failures
        The failed jobs; where there are none, the text is empty.
    """
    if not failures:
        return ""
    count = "1 job" if len(failures) == 1 else f"{len(failures)} jobs"
    lines = [f"{count} failed; the end of each log:"]
    for failure in failures[:JOBS_SHOWN]:
        lines.append(f"  {_named(failure)}")
        lines += [f"    {line}" for line in _end(failure.log)]
    if rest := failures[JOBS_SHOWN:]:
        lines.append(f"  and {len(rest)} more:")
        lines += [f"    {_named(failure)}" for failure in rest]
    return "\n".join(lines)


def _named(failure: Failure) -> str:
    return f"{failure.job}: {failure.log}" if failure.log else failure.job


def _end(log: Path | None) -> list[str]:
    """Return the last lines of a log, or what there is instead."""
    if log is None:
        return ["(a job without a log)"]
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            lines = deque((line.rstrip() for line in file), maxlen=LINES_SHOWN)
    except OSError as error:
        return [f"(no log: {error.strerror}; the job ended before its script began)"]
    return [_clipped(line) for line in lines] or ["(empty: the job ended without a word)"]


def _clipped(line: str) -> str:
    line = CONTROL.sub(" ", line)
    return line if len(line) <= WIDTH_SHOWN else f"{line[: WIDTH_SHOWN - 1]}…"
