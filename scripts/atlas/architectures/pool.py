"""Survey many architectures in a few processes that share what was imported."""

import gc
import logging
import multiprocessing
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from atlas.architectures import build, catalogue, published
from atlas.architectures.survey import Failure, Known, Survey, survey
from atlas.basis.errors import AtlasError

logger = logging.getLogger(__name__)


class Task(NamedTuple):
    """One architecture to survey."""

    name: str
    source: str
    """What `catalogue.load` reads it from."""
    stated: str | None
    """What the roster says that a checkpoint's architecture is."""
    sides: tuple[int, ...]


def surveys(
    sources: Mapping[str, str],
    *,
    sides: Sequence[int],
    stated: Mapping[str, str] | None = None,
    threads: int = 1,
) -> tuple[list[Survey | Failure], list[dict[str, Any]]]:
    """
    Return the surveys of architectures in their order, and the published table made again.

    Parameters
    ----------
    sources
        What each is read from, by name.
    sides
        Pixels of square images whose memory is wanted, beside the native one.
    stated
        Architectures of checkpoints, by name, where they are said and not to be recognised.
    threads
        Processes; one works here.

    Raises
    ------
    AtlasError
        if none of them can be surveyed; one that can't is a Failure among the others.
    """
    tasks = [
        Task(name, source, (stated or {}).get(name), tuple(sides))
        for name, source in sources.items()
    ]
    table = published.table()
    reproductions = [(row, table["causes"]) for row in table["rows"]]
    if threads == 1:
        found = [_survey(task) for task in tasks]
        rows = [_reproduce(each) for each in reproductions]
    else:
        _share(sources.values())
        found = [_survey(tasks[0])]
        with _context().Pool(threads) as pool:
            surveyed = pool.imap(_survey, tasks[1:])
            reproduced = pool.imap(_reproduce, reproductions)
            found += surveyed
            rows = list(reproduced)
    problems = [each.problem for each in found if isinstance(each, Failure)]
    if len(problems) == len(found):
        raise AtlasError("\n".join(problems))
    return found, rows


def _share(sources: Iterable[str]) -> None:
    """Import what all processes need before they are forked: it is most of their memory."""
    known = set(catalogue.names())
    build.import_classes(catalogue.load(source) for source in sources if source in known)
    # What the collector does not look at is not copied either.
    gc.freeze()


def _context() -> Any:
    """Fork where it is safe: forked processes share the libraries' memory and import nothing."""
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@cache
def _known() -> Known:
    """Return what this process has found so far."""
    return Known()


def _survey(task: Task) -> Survey | Failure:
    try:
        entry = catalogue.load(task.source, name=task.name, stated=task.stated)
        return survey(entry, sides=task.sides, known=_known())
    except AtlasError as error:
        problem = str(error)
    # Models' code raises whatever it likes; the tables tell it, and the rest is made.
    except Exception as error:
        logger.debug("%s", task.name, exc_info=True)
        # torchinfo wraps what a forward raised.
        reason = error.__cause__ or error
        problem = f"{task.source}: {type(reason).__name__}: {reason}"
    logger.error("%s could not be surveyed: %s", task.name, problem)
    return Failure(task.name, problem)


def _reproduce(task: tuple[dict[str, Any], dict[str, str]]) -> dict[str, Any]:
    return published.reproduce(*task)
