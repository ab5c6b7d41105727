"""What batches of jobs cost: seconds, bytes read and bytes written, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from atlas.basis.shipped import load
from atlas.distances import resources
from atlas.workload.batches import Batch
from atlas.workload.pairs import Pairs

FACTS = load("workload/costs")


@dataclass(frozen=True)
class Rates:
    """What a job reads and measures in a second; by default what limits are reckoned by."""

    read_mb: float = resources.READ_MB_PER_SECOND
    """MB (10^6 bytes), of one job."""
    pair_elements: float = resources.PAIR_ELEMENTS_PER_SECOND
    """Of one thread."""


@dataclass(frozen=True)
class Extent:
    """What is to be compared."""

    models: int
    size_mb: float
    """Of all checkpoints together."""
    tensors: int
    """Of all checkpoints together."""
    elements: int
    """Of all checkpoints together."""
    pairs: Pairs
    rates: Rates = Rates()
    earlier: Mapping[str, float] = field(default_factory=dict)
    """Rule to the median seconds of its jobs in earlier runs."""

    @property
    def distinct_mb(self) -> float:
        """MB of distinct contents: what the distances read."""
        share = min(1.0, self.pairs.distinct_elements / max(1, self.elements))
        return share * self.size_mb

    def contents_of(self, models: int) -> float:
        """Return the pairs of contents that so many of the models have on average."""
        return self.pairs.contents * _pairs_of(models) / max(1, self.pairs.models)


@dataclass(frozen=True)
class Cost:
    """What the jobs of a batch take together."""

    seconds: float
    """Of all jobs, one after the other."""
    read_mb: float = 0.0
    """MB of checkpoints that are read."""
    written_mb: float = 0.0
    how: str = "rates"
    """`rates`, `earlier` runs, `typical`, the declared `limit`, or `unknown`."""


def cost(batch: Batch, extent: Extent) -> Cost:
    """
    Return what a batch costs, its jobs' starts included.

    Rules without a formula take what their jobs took in earlier runs, else what is typical of them,
    else the limit after which they are ended.
    """
    if formula := FORMULAS.get(batch.rule):
        found = formula(batch, extent)
        started = found.seconds + batch.jobs * FACTS["start_seconds"]
        return Cost(started, found.read_mb, found.written_mb)
    if batch.mem_mb is None and batch.runtime is None and not batch.gpu:
        return Cost(0.0)  # a target, which gathers files
    if (seconds := extent.earlier.get(batch.rule)) is not None:
        return Cost(batch.jobs * (seconds + FACTS["start_seconds"]), how="earlier")
    if (seconds := FACTS["typical_seconds"].get(batch.rule)) is not None:
        return Cost(batch.jobs * (seconds + FACTS["start_seconds"]), how="typical")
    if batch.runtime is not None:
        return Cost(batch.jobs * batch.runtime * 60, how="limit")
    return Cost(batch.jobs * FACTS["start_seconds"], how="unknown")


def _fingerprint(batch: Batch, extent: Extent) -> Cost:
    seconds = resources.fingerprint_seconds(batch.read_mb, read_mb_per_second=extent.rates.read_mb)
    written = batch.jobs * extent.tensors / max(1, extent.models) * FACTS["fingerprint_row_bytes"]
    return Cost(seconds, batch.read_mb, written / 1e6)


def _read_fingerprints(batch: Batch, extent: Extent) -> Cost:
    models = batch.models or batch.jobs * extent.models
    return Cost(models * FACTS["fingerprint_read_seconds"])


def _collect_contents(batch: Batch, extent: Extent) -> Cost:
    written = extent.pairs.distinct * FACTS["fingerprint_row_bytes"] / 1e6
    return Cost(_read_fingerprints(batch, extent).seconds, written_mb=written)


def _choose_pairs(batch: Batch, extent: Extent) -> Cost:
    searching = _pairs_of(batch.models) * FACTS["sketch_pair_seconds"]
    return Cost(batch.jobs * (batch.models * FACTS["sketch_read_seconds"] + searching))


def _measure_distances(batch: Batch, extent: Extent) -> Cost:
    seconds = resources.distances_seconds(
        read_mb=extent.distinct_mb,
        pair_elements=extent.pairs.elements,
        threads=batch.threads,
        read_mb_per_second=extent.rates.read_mb,
        pair_elements_per_second=extent.rates.pair_elements,
    )
    written = resources.shard_mb(pair_contents=extent.pairs.contents)
    return Cost(seconds, extent.distinct_mb, written)


def _compare_group(batch: Batch, extent: Extent) -> Cost:
    rows = batch.jobs * extent.contents_of(batch.models)
    written = batch.jobs * _pairs_of(batch.models) * FACTS["group_pair_bytes"] / 1e6
    return Cost(rows / FACTS["join_rows_per_second"], written_mb=written)


def _rank_tensors(batch: Batch, extent: Extent) -> Cost:
    rows = batch.jobs * extent.contents_of(batch.models)
    return Cost(rows / FACTS["ranked_rows_per_second"])


def _compare_pair(batch: Batch, extent: Extent) -> Cost:
    # Every shard is searched for the names of the two.
    rows = batch.jobs * extent.pairs.contents / max(1, extent.pairs.models)
    written = batch.jobs * extent.tensors / max(1, extent.models) * FACTS["pair_row_bytes"] / 1e6
    seconds = rows / FACTS["join_rows_per_second"]
    return Cost(seconds + batch.jobs * FACTS["typical_seconds"]["compare_pair"], 0.0, written)


def _identify_components(batch: Batch, extent: Extent) -> Cost:
    read = batch.jobs * batch.models * FACTS["fingerprint_read_seconds"]
    telling = batch.jobs * _pairs_of(batch.models) * FACTS["identity_pair_seconds"]
    return Cost(read + telling)


def _describe_group(batch: Batch, extent: Extent) -> Cost:
    return Cost(batch.jobs * batch.models * FACTS["fingerprint_read_seconds"])


def _pairs_of(models: int) -> float:
    return models * (models - 1) / 2


FORMULAS: Mapping[str, Callable[[Batch, Extent], Cost]] = {
    "fingerprint": _fingerprint,
    "match_names": _read_fingerprints,
    "collect_contents": _collect_contents,
    "choose_pairs": _choose_pairs,
    "measure_distances": _measure_distances,
    "compare_group": _compare_group,
    "rank_tensors": _rank_tensors,
    "compare_pair": _compare_pair,
    "identify_components": _identify_components,
    "describe_models": _read_fingerprints,
    "describe_group": _describe_group,
}
"""Rules whose cost grows with the models."""
