"""What every script does first: take a rule's values and log, or those of a command line."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from atlas.basis import options
from atlas.basis.errors import AtlasError, lacks_room

QUIET = "ATLAS_QUIET"
"""The environment variable by which a rule's script writes to its log file alone."""


def configure_logging(snakemake: Any) -> None:
    """
    Log to the rule's log file and to stderr; faults of the input without a traceback.

    Where something else draws on the terminal, the environment has QUIET, and stderr gets nothing.
    """
    # a log that a full disk does not take must not hide what is said on stderr
    logging.raiseExceptions = False
    shown = [] if QUIET in os.environ else [logging.StreamHandler()]
    _log_to(logging.FileHandler(snakemake.log[0], mode="w"), *shown)
    sys.excepthook = _log_uncaught


def command_line(main: Callable[..., None], *, has_rule: bool = True) -> NoReturn:
    """
    Run a script's main with the arguments of the command line, and end the process.

    The exit status is 0; 1 after a line on stderr that tells which input or file is at fault; 2
    after argparse's own message where an argument is. See `options.parser`.

    Parameters
    ----------
    has_rule
        Whether a rule of the script's name hands the same values over.
    """
    rule = Path(main.__globals__["__file__"]).stem
    told = f"In the workflow, the rule {rule} hands these values over." if has_rule else ""
    arguments = options.parse(main, sys.argv[1:], told)
    _log_to(logging.StreamHandler())
    try:
        main(**arguments)
    except AtlasError as error:
        sys.exit(f"error: {error}")
    except OSError as error:  # whose text may be a mere path
        sys.exit(f"error: {type(error).__name__}: {error}")
    sys.exit(0)


def _log_to(*handlers: logging.Handler) -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        handlers=handlers,
        force=True,
    )


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, AtlasError):
        logging.error("%s", error)
    elif isinstance(error, OSError) and (remedy := lacks_room(error)):
        logging.error("%s; %s and run again", error, remedy)
    else:
        logging.critical("unexpected", exc_info=(kind, error, trace))
