"""Jobs as the workflow declares them, and batches of jobs of one rule that are declared alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Batch:
    """Jobs of one rule that ask for the same, at their first attempt."""

    rule: str
    target: str
    """The first target, in the order of the plan, that needs them."""
    threads: int
    gpu: int
    mem_mb: int | None
    """MB (10^6 bytes) of each; None where an earlier job's results decide it."""
    disk_mb: int | None
    """MB of each, temporary files included; None where it is not declared or not known yet."""
    runtime: int | None
    """Minutes after which each is ended; None as above."""
    models: int
    """Fingerprints that each takes."""
    jobs: int = 1
    done: int = 0
    """Those whose files are all there; whether they are up to date is Snakemake's to say."""
    read_mb: float = 0.0
    """MB of checkpoints that are inputs, of all jobs together."""
    read_mb_left: float = 0.0
    """The same of those that are not done."""

    @property
    def left(self) -> int:
        """Jobs whose files are not all there."""
        return self.jobs - self.done

    def plain(self) -> dict[str, Any]:
        """Return the values as JSON takes them."""
        return asdict(self)


OF_ALL = frozenset({"jobs", "done", "read_mb", "read_mb_left"})
"""Fields that add up; jobs that agree in all others are one batch."""
SHARED = tuple(field.name for field in fields(Batch) if field.name not in OF_ALL)


def gathered(jobs: Iterable[Batch]) -> list[Batch]:
    """
    Put jobs that are declared alike together, in the order in which the first of each comes.

    >>> one = Batch("fingerprint", "all", 1, 0, 320, None, 10, 0, read_mb=2.0, read_mb_left=2.0)
    >>> [(batch.jobs, batch.left, batch.read_mb) for batch in gathered([one, replace(one, done=1)])]
    [(2, 1, 4.0)]
    """
    batches: dict[tuple[object, ...], Batch] = {}
    for job in jobs:
        key = tuple(getattr(job, name) for name in SHARED)
        if held := batches.get(key):
            sums = {name: getattr(held, name) + getattr(job, name) for name in OF_ALL}
            batches[key] = replace(held, **sums)
        else:
            batches[key] = job
    return list(batches.values())


def from_plain(values: Iterable[Mapping[str, Any]]) -> list[Batch]:
    """Return batches from what `plain` made of them."""
    return [Batch(**value) for value in values]
