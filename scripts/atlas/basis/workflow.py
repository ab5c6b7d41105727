"""What every rule's script does first: send its log to the rule's log file and to stderr."""

import logging
import sys
from types import TracebackType
from typing import Any

from atlas.basis.errors import AtlasError


def configure_logging(snakemake: Any) -> None:
    """Log to the rule's log file and to stderr; faults of the input without a traceback."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        handlers=[logging.FileHandler(snakemake.log[0], mode="w"), logging.StreamHandler()],
        force=True,
    )
    sys.excepthook = _log_uncaught


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, AtlasError):
        logging.error("%s", error)
    else:
        logging.critical("unexpected", exc_info=(kind, error, trace))
