"""Show how far proving has come: a bar on a terminal, else a line now and then."""

import logging
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 30


class Progress:
    """Counts recipes, and the bytes that were read for them."""

    def __init__(self, recipes: int) -> None:
        self._recipes = recipes
        self._bytes = 0
        self._last_line = time.monotonic()
        self._bar = tqdm(total=recipes, unit="recipe", disable=not sys.stderr.isatty(), leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._bar.close()

    def read(self, count: int) -> None:
        """Note bytes that were read."""
        self._bytes += count
        if self._bar.disable and time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            logging.info(
                "%d of %d recipes proved or not; %.1f GB read",
                self._bar.n, self._recipes, self._bytes / 1e9,
            )  # fmt: skip

    def done(self) -> None:
        """Note that a recipe is through."""
        if self._bar.disable:
            self._bar.n += 1  # a disabled bar does not count by itself
        else:
            self._bar.update(1)
