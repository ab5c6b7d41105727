"""Survey many architectures in a few processes that share what was imported."""

import multiprocessing
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from atlas.architectures import catalogue, published
from atlas.architectures.survey import Known, Survey, survey


def surveys(
    names: Sequence[str], *, sides: Sequence[int], threads: int = 1
) -> tuple[list[Survey], list[dict[str, Any]]]:
    """
    Return the surveys of architectures in their order, and the published table made again.

    Parameters
    ----------
    names
        Names, YAML files, diffusers folders or repositories, as `catalogue.load` takes them.
    sides
        Pixels of square images whose memory is wanted, beside the native one.
    threads
        Processes; one works here.
    """
    table = published.table()
    if threads == 1:
        return (
            [_survey((name, tuple(sides))) for name in names],
            [_reproduce((row, table["causes"])) for row in table["rows"]],
        )
    with _context().Pool(threads) as pool:
        found = pool.imap(_survey, [(name, tuple(sides)) for name in names])
        rows = pool.imap(_reproduce, [(row, table["causes"]) for row in table["rows"]])
        return list(found), list(rows)


def _context() -> Any:
    """Fork where it is safe: forked processes share the libraries' memory and import nothing."""
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@cache
def _known() -> Known:
    """Return what this process has found so far."""
    return Known()


def _survey(task: tuple[str, tuple[int, ...]]) -> Survey:
    name, sides = task
    return survey(catalogue.load(name), sides=sides, known=_known())


def _reproduce(task: tuple[dict[str, Any], dict[str, str]]) -> dict[str, Any]:
    return published.reproduce(*task)
