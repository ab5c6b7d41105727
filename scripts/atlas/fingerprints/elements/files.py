"""Read byte ranges of many files into given buffers, and notice files that change meanwhile."""

import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atlas.basis.errors import AtlasError


class OpenFiles:
    """
    A few open files, shared by threads: each is opened once and read by range.

    The one opened first is given up when there are too many, so that a roster of a thousand
    models stays below the limit of open files.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit or _affordable_descriptors()
        self._opened: dict[Path, _Opened] = {}

    def read(self, file: Path, offset: int, buffer: memoryview) -> None:
        """
        Fill the buffer with the file's bytes from the offset on.

        Raises
        ------
        AtlasError
            When the file is absent, unreadable, or ends too early.
        """
        opened = self._opened.get(file) or self._open(file)
        done = 0
        while done < len(buffer):
            try:
                got = os.preadv(opened.descriptor, [buffer[done:]], offset + done)
            except OSError as error:
                raise _unreadable(file, offset + done, error) from error
            if got == 0:
                raise AtlasError(
                    f"{file}: ends at byte {offset + done}, but its header promises bytes up to"
                    f" {offset + len(buffer)}; it was cut short or replaced: fetch it again"
                )
            done += got

    def _open(self, file: Path) -> "_Opened":
        """Open a file; two threads that do so at once get one each, and one of them is kept."""
        opened = _Opened(file)
        for oldest in list(self._opened)[: len(self._opened) + 1 - self._limit]:
            self._opened.pop(oldest, None)
        self._opened[file] = opened
        return opened


class _Opened:
    """An open file, closed when the last thread that reads it lets go."""

    def __init__(self, file: Path) -> None:
        try:
            self.descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self.descriptor = -1
            raise _unreadable(file, 0, error) from error

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


@contextmanager
def unchanged(files: Iterable[Path]) -> Iterator[None]:
    """
    Refuse the block's result when one of the files was replaced or written to meanwhile.

    Raises
    ------
    AtlasError
        After the block, naming the file.
    """
    before = {file: _identity(file) for file in files}
    yield
    for file, identity in before.items():
        if _identity(file) != identity:
            raise AtlasError(
                f"{file}: changed while it was being read, so nothing of it was stored;"
                " run again when it is written completely"
            )


def _identity(file: Path) -> tuple[int, int, int, int]:
    try:
        found = file.stat()
    except OSError as error:
        raise _unreadable(file, 0, error) from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _unreadable(file: Path, offset: int, error: OSError) -> AtlasError:
    return AtlasError(
        f"{file}: can't be read at byte {offset} ({error.strerror});"
        " check that it is still there, readable, and its disk sound"
    )


def _affordable_descriptors() -> int:
    """Leave 64 descriptors to everything else in the process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, min(soft, 4096) - 64)
