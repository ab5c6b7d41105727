"""What is wrong with one checkpoint: its own problem, which stops no other's work."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atlas.basis.errors import AtlasError, lacks_room, printable


class UnclearPathError(AtlasError):
    """A path that doesn't say which files are meant: a fault of who wrote it, not of a file."""


@contextmanager
def own_problem(path: Path) -> Iterator[None]:
    """
    Turn whatever goes wrong with a checkpoint in the block into an AtlasError that names it.

    What no check foresaw is told as a fault of the atlas, and logged with its traceback. A lack of
    memory, of a library or of room on a disk is no fault of the checkpoint, and is passed on.

    Raises
    ------
    AtlasError
        In place of every other Exception.
    """
    try:
        yield
    except (AtlasError, MemoryError, ImportError):
        raise
    except OSError as error:
        if lacks_room(error):
            raise
        raise _unreadable(path, error) from error
    except Exception as error:
        logging.exception("%s: unexpected", path)
        told = printable(f"{type(error).__name__}: {error}")
        raise AtlasError(
            f"{path}: could not be read ({told}), which the atlas did not foresee: please report "
            "it with the job's log. Meanwhile save the weights again as safetensors"
        ) from error


def _unreadable(path: Path, error: OSError) -> AtlasError:
    place = error.filename if isinstance(error.filename, str) else str(path)
    is_no_path = error.errno == errno.ENAMETOOLONG and place == str(path)
    kind = UnclearPathError if is_no_path else AtlasError
    return kind(
        f"{place}: can't be read ({error.strerror or error}); check its name, its permissions and "
        "its disk"
    )


def is_absent_link(file: Path) -> bool:
    """Tell whether a file is a link to something that is not there."""
    return file.is_symlink() and not file.exists()
