"""
What jobs of groups need, from the number of models alone.

The constants come from the benchmark `thousand`, on two cores; a test holds the declared memory
against a measured one. Snakemake asks while it reads the workflow, so nothing heavy is imported
here.
"""

ROOM_MB = 500
"""For sums of a group's parts, whatever the number of pairs: what does not fit waits in a file."""

SUMS_BYTES = 152
"""Of one part and pair: 12 counts, 5 measures and 2 norms, 8 bytes each."""

PARTS = 400
"""Blocks with roles, and totals over them: Stable Diffusion XL has some 300."""

TENSORS = 3000
"""Of a model, at most: Stable Diffusion XL has 2,500."""

LIBRARIES_MB = 220
"""Interpreter and libraries: the same for groups of any size."""

CONTENT_BYTES = 700
"""Of what is known of one tensor of one model."""

DESCRIBED_BYTES = 120
"""Of what is kept of one tensor of one model, to find who holds the same: its digest as text."""

DUPLICATES_BYTES = 500
"""Per pair, of the rows of some four components as numbers."""

SUMMING_BYTES = 400
"""Per pair, while one tensor is added up or one part becomes a table."""

TABLE_BYTES = 80
"""Per pair and part in a table of distances: 9 measures that nothing compresses, and counts."""

IDENTITY_BYTES = 1200
"""Per pair, of the rows of some four components and of what a page is made from."""

MATRIX_BYTES = 1000
"""Per pair, of a component's rows and of its matrices."""

CODED_BYTES = 300
"""Of one tensor of one model, while contents are told apart; a group's sums take more than that."""

RANKED_BYTES = 100
"""Per pair and tensor that is told of it: what is held, and what a table is made from."""

SPREAD_BYTES = 1500
"""Per pair, of the numbers of tensors in bins, of some five components."""

RANKED_PER_SECOND = 1_000_000
"""Pairs of a tensor that one of two busy cores reads and ranks."""

SQUARE_BYTES = 1200
"""
Per cell of a group's squares, beside pictures of 6,000 pixels a side at most.

1.6 GB in all were measured of 1,000 models, 0.8 GB of 232, without an identity table of a GB.
"""

PAIRS_DRAWN_PER_SECOND = 500
"""Of all pictures of all components."""

PAIRS_PER_SECOND = 400_000
"""Pairs and parts summed, written and read again, by one of two busy cores."""

JUDGED_PER_SECOND = 5000
"""Pairs that are judged by one of two busy cores, with the time to write them."""


def _pairs(models: int) -> int:
    return models * (models - 1) // 2


def _contents_mb(models: int) -> float:
    return models * TENSORS * CONTENT_BYTES / 1e6


def distances_mb(models: int) -> int:
    """
    Return the memory in MB (10^6 bytes) of adding up a group's distances.

    That is the libraries, what is known of each content, the sums of parts (never above ROOM_MB),
    and a tensor's rows and squares.
    """
    pairs = _pairs(models)
    sums = min(ROOM_MB, pairs * PARTS * SUMS_BYTES / 1e6)
    return round(LIBRARIES_MB + _contents_mb(models) + sums + pairs * SUMMING_BYTES / 1e6)


def distances_disk_mb(models: int) -> int:
    """Return the disk in MB of that: the table, and the file in which sums wait."""
    return round(10 + _pairs(models) * PARTS * (SUMS_BYTES + TABLE_BYTES) / 1e6)


def distances_minutes(models: int) -> int:
    """Return the minutes of that, with room to spare."""
    return 10 + round(2 * _pairs(models) * PARTS / PAIRS_PER_SECOND / 60)


def identity_mb(models: int) -> int:
    """Return the memory in MB of telling which components are the same."""
    return round(LIBRARIES_MB + _contents_mb(models) + _pairs(models) * IDENTITY_BYTES / 1e6)


def identity_minutes(models: int) -> int:
    """Return the minutes of that, with room to spare."""
    return 10 + round(2 * _pairs(models) / JUDGED_PER_SECOND / 60)


def description_mb(models: int) -> int:
    """Return the memory in MB of telling what each model holds: one fingerprint at a time."""
    return round(LIBRARIES_MB + models * TENSORS * DESCRIBED_BYTES / 1e6)


def duplicates_mb(models: int) -> int:
    """Return the memory in MB of telling what is there twice."""
    return round(LIBRARIES_MB + _pairs(models) * DUPLICATES_BYTES / 1e6)


def matrices_mb(models: int) -> int:
    """Return the memory in MB of writing a group's matrices."""
    return round(LIBRARIES_MB + _pairs(models) * MATRIX_BYTES / 1e6)


def matrices_minutes(models: int) -> int:
    """Return the minutes of that, with room to spare."""
    return 10 + round(2 * _pairs(models) / JUDGED_PER_SECOND / 60)


def ranking_mb(models: int, *, pairs: int, tensors: int) -> int:
    """Return the memory in MB of ranking the tensors of so many pairs, so many of each."""
    told = min(pairs, _pairs(models)) * (tensors * RANKED_BYTES + SPREAD_BYTES)
    coded = models * TENSORS * CODED_BYTES + _pairs(models) * SUMMING_BYTES
    return round(LIBRARIES_MB + _contents_mb(models) + (coded + told) / 1e6)


def ranking_minutes(models: int) -> int:
    """Return the minutes of that, with room to spare."""
    return 10 + round(2 * _pairs(models) * TENSORS / RANKED_PER_SECOND / 60)


def sharing_mb(models: int) -> int:
    """Return the memory in MB of drawing who shares what: 0.93 GB were measured of 1,000."""
    return round(1000 + _pairs(models) * MATRIX_BYTES / 1e6)


def plots_mb(models: int) -> int:
    """Return the memory in MB of drawing a group's matrices."""
    return round(1800 + models**2 * SQUARE_BYTES / 1e6)


def plots_minutes(models: int) -> int:
    """Return the minutes of that, with room to spare."""
    return 20 + round(2 * _pairs(models) / PAIRS_DRAWN_PER_SECOND / 60)


def atlas_mb(models: int) -> int:
    """Return MB of memory to write the page of a group."""
    return 700 + models * models // 300


def atlas_minutes(models: int) -> int:
    """Return minutes to write the page of a group."""
    return 10 + models // 20
