"""Put a plan together: what there is to compare, and what its jobs cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from atlas.fingerprints.renamings import Renamings, read_renamings
from atlas.workload import checkpoints, summary
from atlas.workload.batches import Batch
from atlas.workload.checkpoints import Checkpoint
from atlas.workload.costs import Extent, Rates
from atlas.workload.pairs import Pairs, alike, chosen, pairs_of
from atlas.workload.report import Plan, counted, size


def planned(
    batches: Sequence[Batch],
    roster: Mapping[str, Any],
    *,
    results: Path,
    earlier: Mapping[str, float],
) -> Plan:
    """
    Return the plan of a run.

    Parameters
    ----------
    roster
        `present`: id to the paths of a model's files; `size_mb`: of each model where the roster is
        imagined, else null; `models`: how many there are; `measured`: pairs of models that are
        measured at most, or null for all; `rates`: the settings of the plan.
    results
        The folder that fingerprints are looked for in.
    earlier
        Rule to the median seconds of its earlier jobs.

    Raises
    ------
    DamagedFileError
        When a fingerprint is not as it was written.
    """
    title, extent = _present(roster, results) if roster["size_mb"] is None else _imagined(roster)
    extent = replace(extent, rates=_rates(roster["rates"]), earlier=earlier)
    return Plan(title, extent, summary.rows(batches, extent))


def _present(roster: Mapping[str, Any], results: Path) -> tuple[str, Extent]:
    """Return the extent of the roster's own models."""
    sizes = checkpoints.from_plain(roster["present"])
    prints = {model: results / "fingerprints" / f"{model}.parquet" for model in sizes}
    there = {model: path for model, path in prints.items() if path.is_file()}
    renamings = results / "renamings.json"
    known = read_renamings(renamings) if renamings.is_file() else Renamings()
    extent = _extent(list(sizes.values()), pairs_of(sizes, there, known), roster["measured"])
    if not sizes:
        return "The plan of a run without a roster", extent
    title = f"The plan of a run of {counted(len(sizes))} models, {size(extent.size_mb)} in all"
    return f"{title}; {counted(len(there))} have a fingerprint", extent


def _imagined(roster: Mapping[str, Any]) -> tuple[str, Extent]:
    """Return the extent of models that are all of one size."""
    models, size_mb = roster["models"], roster["size_mb"]
    one = _of_size(size_mb, list(checkpoints.from_plain(roster["present"]).values()))
    extent = _extent([one] * models, alike(models, one), roster["measured"])
    return f"The plan of a run of {counted(models)} imagined models of {size(size_mb)}", extent


def _of_size(size_mb: float, present: Sequence[Checkpoint]) -> Checkpoint:
    """Return what a model of this size holds: as the roster's of median size, where that is it."""
    sized = [each for each in present if each.size_mb]
    if sized and (middle := checkpoints.typical(sized)).size_mb == size_mb:
        return middle
    return checkpoints.assumed(size_mb)


def _extent(sizes: Sequence[Checkpoint], pairs: Pairs, measured: int | None) -> Extent:
    largest = Checkpoint(
        size_mb=max((each.size_mb for each in sizes), default=0.0),
        tensors=max((each.tensors for each in sizes), default=0),
        elements=max((each.elements for each in sizes), default=0),
    )
    return Extent(
        models=len(sizes),
        size_mb=sum(each.size_mb for each in sizes),
        tensors=sum(each.tensors for each in sizes),
        elements=sum(each.elements for each in sizes),
        pairs=chosen(pairs, measured, largest),
    )


def _rates(settings: Mapping[str, Any]) -> Rates:
    given = {
        "read_mb": settings["read_mb_per_second"],
        "pair_elements": settings["pair_elements_per_second"],
    }
    return Rates(**{name: value for name, value in given.items() if value is not None})
