"""A plan's rows, one a rule, and their sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atlas.workload.batches import Batch
from atlas.workload.costs import Extent, cost

TOTAL = "total"


@dataclass(frozen=True)
class Row:
    """The jobs of one rule that a target needs and none before it, or all of a target's."""

    target: str
    rule: str
    jobs: int
    done: int
    threads: int
    """Of each; of a total the most."""
    gpu: int
    mem_mb: int | None
    """Of the largest job; None where earlier results decide it."""
    runtime: int | None
    """Minutes after which the longest is ended; None as above."""
    core_hours: float
    gpu_hours: float
    core_hours_left: float
    """Of the jobs that are not done."""
    read_mb: float
    """MB of checkpoints."""
    written_mb: float
    """MB of tables of the models and their pairs; pages and pictures are some MB more."""
    how: str
    """What the hours rest on; see `costs.Cost`."""


def rows(batches: Sequence[Batch], extent: Extent) -> list[Row]:
    """Return a row for each rule, below each target a row of its sums, and one of all."""
    found: list[Row] = []
    for target in dict.fromkeys(batch.target for batch in batches):
        own = [batch for batch in batches if batch.target == target]
        rules = dict.fromkeys(batch.rule for batch in own)
        of_target = [_row([batch for batch in own if batch.rule == rule], extent) for rule in rules]
        found += [*of_target, total(target, of_target)]
    return [*found, total("", [row for row in found if row.rule == TOTAL])]


def total(target: str, parts: Sequence[Row]) -> Row:
    """Return the sums of rows, and the most of what does not add up."""
    return Row(
        target=target,
        rule=TOTAL,
        jobs=sum(row.jobs for row in parts),
        done=sum(row.done for row in parts),
        threads=max((row.threads for row in parts), default=0),
        gpu=max((row.gpu for row in parts), default=0),
        mem_mb=_most(row.mem_mb for row in parts),
        runtime=_most(row.runtime for row in parts),
        core_hours=sum(row.core_hours for row in parts),
        gpu_hours=sum(row.gpu_hours for row in parts),
        core_hours_left=sum(row.core_hours_left for row in parts),
        read_mb=sum(row.read_mb for row in parts),
        written_mb=sum(row.written_mb for row in parts),
        how="",
    )


def largest(parts: Iterable[Row], what: str) -> Row | None:
    """Return the rule whose jobs ask for the most, `mem_mb` or `runtime`; None where none does."""
    known = [row for row in parts if row.rule != TOTAL and getattr(row, what) is not None]
    return max(known, key=lambda row: int(getattr(row, what)), default=None)


def _row(batches: Sequence[Batch], extent: Extent) -> Row:
    costs = [cost(batch, extent) for batch in batches]
    both = list(zip(batches, costs, strict=True))
    return Row(
        target=batches[0].target,
        rule=batches[0].rule,
        jobs=sum(batch.jobs for batch in batches),
        done=sum(batch.done for batch in batches),
        threads=max(batch.threads for batch in batches),
        gpu=max(batch.gpu for batch in batches),
        mem_mb=_most(batch.mem_mb for batch in batches),
        runtime=_most(batch.runtime for batch in batches),
        core_hours=sum(each.seconds * batch.threads for batch, each in both) / 3600,
        gpu_hours=sum(each.seconds * batch.gpu for batch, each in both) / 3600,
        core_hours_left=sum(
            each.seconds * batch.threads * batch.left / batch.jobs for batch, each in both
        )
        / 3600,
        read_mb=sum(each.read_mb for each in costs),
        written_mb=sum(each.written_mb for each in costs),
        how=costs[0].how,
    )


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
