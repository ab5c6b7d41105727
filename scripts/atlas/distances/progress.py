"""Show how far a shard's measuring has come: a bar on a terminal, else a line now and then."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self

from tqdm import tqdm

from atlas.distances.plan import Content, Job
from atlas.tensors.tensors import ITEM_BYTES

SECONDS_BETWEEN_LINES = 30


class Progress:
    """Counts the bytes of contents up to the job in hand; names that lack nothing count too."""

    def __init__(self, contents: Mapping[str, Mapping[str, Content]]) -> None:
        self._upto: dict[str, int] = {}
        total = 0
        for name in sorted(contents):
            self._upto[name] = total
            total += sum(
                content.numel * ITEM_BYTES[content.dtype] for content in contents[name].values()
            )
        self._total = total
        self._pairs = 0
        self._last_line = time.monotonic()
        self._bar = tqdm(
            total=total, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), leave=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._bar.close()

    def watch(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Pass the jobs on and note them."""
        for job in jobs:
            self._pairs += job.first.size
            self._bar.update(self._upto[job.name] - self._bar.n)
            if self._bar.disable and time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
                self._last_line = time.monotonic()
                share = self._upto[job.name] / max(self._total, 1)
                logging.info("%.0f %% done; %d pairs of contents begun", 100 * share, self._pairs)
            yield job
