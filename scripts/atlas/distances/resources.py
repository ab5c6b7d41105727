"""
What jobs need, from the number of models and the bytes of their files.

The constants come from the benchmarks, on two cores; a test holds the declared memory against a
measured one. Snakemake asks while it reads the workflow, so nothing heavy is imported here.
"""

TENSORS = 3000
"""Of a model, at most: Stable Diffusion XL has 2,500."""

READ_MB_PER_SECOND = 100
"""From a shared disk of a cluster; from a local one it is ten times as much."""

PAIR_ELEMENTS_PER_SECOND = 2e9
"""Of one thread, measured as 4e9 to 8e9."""

ROW_BYTES = 50
"""Of a shard's file, per pair of contents."""

FINGERPRINT_MB = 320
"""Interpreter, libraries, compiled code and buffers: the same for checkpoints of any size."""

CONTENTS_MB = 2000
"""Of contents that are collected at a time; beyond it fingerprints are read once more."""

CONTENT_BYTES = 700
"""Of a content while tables are collected: 660 bytes measured, of 587,000 with one part each."""

LIBRARIES_MB = 320
"""The same of a shard's job."""

SMALL_MB = 1000
"""Of a checkpoint that is read in the time that a cluster takes to start a job."""


def is_small(size_mb: float) -> bool:
    """Tell whether many checkpoints of this size are worth one job of a cluster."""
    return size_mb <= SMALL_MB


def fingerprint_minutes(size_mb: float) -> int:
    """Return the minutes to fingerprint a checkpoint, with room to spare."""
    least = 2 if is_small(size_mb) else 10
    return least + round(2 * fingerprint_seconds(size_mb) / 60)


def pairs_of(models: int) -> int:
    """Return how many pairs there are of so many models."""
    return models * (models - 1) // 2


def distances_minutes(
    *, models: int, size_mb: float, shards: int, threads: int, pairs: int | None = None
) -> int:
    """
    Return the minutes to measure a shard from nothing, with room to spare.

    Parameters
    ----------
    pairs
        Pairs of models that are measured; all of them where it is None.
    """
    share = size_mb / shards
    pairs = pairs_of(models) if pairs is None else pairs
    pair_elements = share * 1e6 / 2 * pairs / max(models, 1)  # float16: two bytes per element
    seconds = distances_seconds(read_mb=share, pair_elements=pair_elements, threads=threads)
    return 10 + round(2 * seconds / 60)


def distances_seconds(
    *,
    read_mb: float,
    pair_elements: float,
    threads: int,
    read_mb_per_second: float = READ_MB_PER_SECOND,
    pair_elements_per_second: float = PAIR_ELEMENTS_PER_SECOND,
) -> float:
    """Return the seconds to read contents once and to measure pairs of their elements."""
    return read_mb / read_mb_per_second + pair_elements / (pair_elements_per_second * threads)


def fingerprint_seconds(size_mb: float, *, read_mb_per_second: float = READ_MB_PER_SECOND) -> float:
    """Return the seconds to read a checkpoint once: limits are set by the default rate."""
    return size_mb / read_mb_per_second


def shard_mb(*, pair_contents: float) -> float:
    """Return the MB of a shard's file of so many pairs of contents."""
    return pair_contents * ROW_BYTES / 1e6


def distances_mb(
    *, models: int, shards: int, threads: int, memory_mb: int, pairs: int | None = None
) -> int:
    """
    Return the memory in MB (10^6 bytes) of a shard's job.

    That is the libraries, the engine's buffers (never above `memory_mb`), the rows of one name in
    three forms, which pairs of its contents are wanted and known, and what is known of each
    content, 0.7 kB. `pairs` as above.
    """
    pairs = pairs_of(models) if pairs is None else pairs
    buffers = threads * (10 + 0.08 * models) + (2 * threads + 2) * pairs * 40e-6
    contents = models * TENSORS / shards * 0.7e-3
    rows = pairs * 288e-6 + models**2 * 6e-6
    return round(LIBRARIES_MB + min(memory_mb, buffers) + rows + contents)


def distances_disk_mb(*, models: int, shards: int, pairs: int | None = None) -> int:
    """Return the disk in MB of a shard: its file, the one that replaces it, and a backup."""
    pairs = pairs_of(models) if pairs is None else pairs
    return 10 + round(3 * shard_mb(pair_contents=pairs * TENSORS / shards))


def matching_mb(*, models: int) -> int:
    """Return the memory in MB of matching names: the names of each layout once."""
    return round(LIBRARIES_MB + 200 + 0.1 * models)


def reading_minutes(*, models: int) -> int:
    """Return the minutes to read the names of all fingerprints, with room to spare."""
    return 10 + round(2 * models * 0.02 / 60)


def contents_mb(*, models: int) -> int:
    """Return the memory in MB of collecting tables of contents: up to 0.8 kB per tensor."""
    return round(LIBRARIES_MB + min(2 * CONTENTS_MB, models * TENSORS * 0.8e-3))


def contents_minutes(*, models: int) -> int:
    """Return the minutes of collecting them: 20 ms a model and reading, with room to spare."""
    passes = 1 + models * TENSORS * CONTENT_BYTES / 1e6 // CONTENTS_MB
    return 10 + round(2 * passes * models * 0.02 / 60)


def choosing_minutes(*, models: int) -> int:
    """Return the minutes to choose pairs by sketch, with room to spare."""
    return 10 + round(models / 500 + (models / 2000) ** 2)


def choosing_mb(*, models: int) -> int:
    """Return the memory in MB of choosing pairs by sketch: sketches twice, two tiles, the pairs."""
    return round(LIBRARIES_MB + 200 + 0.25 * models)
