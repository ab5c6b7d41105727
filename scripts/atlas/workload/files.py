"""How large files are that are not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low

from atlas.basis.errors import AtlasError
from atlas.basis.shipped import load
from atlas.distances import resources

FACTS = "workload/costs"


def expected_mb(path: Path, *, models: int, pairs: int, shards: int) -> float:
    """
    Return the MB of one of the workflow's files, at most: fingerprints and shards alone are large.

    Parameters
    ----------
    pairs
        Pairs of models that are measured.

    >>> expected_mb(Path("results/groups/all/identity.csv"), models=9, pairs=36, shards=2)
    0.0
    """
    row_bytes: float = load(FACTS)["fingerprint_row_bytes"]
    match path.parts:
        case ("results", "fingerprints", _):
            return resources.TENSORS * row_bytes / 1e6
        case ("results", "contents", _):
            return models * resources.TENSORS / shards * row_bytes / 1e6
        case ("results", "distances", _):
            return resources.shard_mb(pair_contents=pairs * resources.TENSORS / shards)
    return 0.0


def imagined_mb(size_gb: float | None, present: Mapping[str, Sequence[str]]) -> float:
    """
    Return the MB of each of an imagined roster's models.

    Parameters
    ----------
    size_gb
        What the settings say, or None.
    present
        Files of the roster's own models, by id, whose median is taken then.

    Raises
    ------
    AtlasError
        Where neither tells.
    """
    if size_gb is not None:
        return size_gb * 1e3
    sizes = [size for files in present.values() if (size := _size(files))]
    if not sizes:
        raise AtlasError(
            "plan › models: there is no roster whose models tell a size; give one in GB, as in "
            '--config \'plan={"models": 1000, "size_gb": 6.9}\''
        )
    return median_low(sizes) / 1e6


def _size(files: Sequence[str]) -> int:
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file())
