"""Make up fingerprints and shards of many models: relatives that share parts, and no weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.distances.plan import shard_of
from atlas.distances.shards import NameRows, writer
from atlas.fingerprints import fingerprint
from atlas.measures import MEASURED
from atlas.tensors.tensors import ROUNDED

SHARDS = 4
METHOD = 1
NUMEL = 4096
FAMILIES = {"vae": 12, "text_encoder": 40}
"""How many contents these components have; every denoiser is another, but for copies."""
COPIES = 0.1
"""Share of the models whose denoiser is that of an earlier one."""
FROZEN = 0.2
"""Share of the models that have some roles of the base's denoiser."""
BLOCKS = [f"{part}{number:02d}" for part in ("IN", "OUT") for number in range(12)] + ["MID"]
ROLES = ["self_attention", "cross_attention", "feed_forward", "norm", "projection"]


@dataclass(frozen=True)
class Group:
    """Names of tensors, and which content each model has of each: int32 (names, models)."""

    names: list[str]
    held: NDArray[np.int32]

    @property
    def models(self) -> list[str]:
        """Ids, in order."""
        return [f"m{number:05d}" for number in range(self.held.shape[1])]

    def digest(self, row: int, kind: str = "") -> NDArray[np.str_]:
        """Return the digests of a name's contents, by model."""
        return np.array([f"{row:08x}{kind or '0':0>8}{content:016x}" for content in self.held[row]])


def group(models: int, tensors: Mapping[str, int], *, seed: int = 0) -> Group:
    """
    Return a group of relatives.

    Parameters
    ----------
    tensors
        Component to the number of its tensors.
    """
    random = np.random.default_rng(seed)
    own = np.arange(models)
    for copy in np.flatnonzero(random.random(models) < COPIES)[1:]:
        own[copy] = own[random.integers(copy)]
    frozen = np.flatnonzero(random.random(models) < FROZEN)
    names, held = [], []
    for component, count in tensors.items():
        shared = random.integers(FAMILIES.get(component, models), size=models)
        for number in range(count):
            names.append(f"{component}/{number:05d}.weight")
            content = (shared if component in FAMILIES else own).copy()
            if component not in FAMILIES and role_of(number) in ("norm", "cross_attention"):
                content[frozen] = 0
            held.append(content)
    return Group(names, np.array(held, dtype=np.int32))


def role_of(number: int) -> str:
    """Return the role of a component's tensor of this number."""
    return ROLES[number % len(ROLES)]


def block_number(number: int) -> int:
    """Return the place in BLOCKS of a component's tensor of this number."""
    return number // len(ROLES) % len(BLOCKS)


def write_fingerprints(made: Group, folder: Path, *, rounding: float = 0.0) -> list[Path]:
    """
    Write a fingerprint of each model, and return them in order of id.

    Parameters
    ----------
    rounding
        L2 that rounding leaves of each tensor.
    """
    names = made.names
    number = [int(name[-12:-7]) for name in names]
    same = {
        "key": names,
        "name": names,
        "component": [name.partition("/")[0] for name in names],
        "block": [BLOCKS[block_number(each)] for each in number],
        "role": [role_of(each) for each in number],
        "dtype": ["f16"] * len(names),
        "shape": [[64, 64]] * len(names),
        "numel": [NUMEL] * len(names),
        "norm": [3.0] * len(names),
        "rounding": [rounding] * len(names),
        "nonfinite": [0] * len(names),
        "parts": [[]] * len(names),
    }
    digests = {
        "digest": np.stack([made.digest(row) for row in range(len(names))]),
        **{
            f"digest_{dtype}": np.stack([made.digest(row, dtype) for row in range(len(names))])
            for dtype in ROUNDED
        },
    }
    digests["digest_f16"] = digests["digest"]
    missing = [None] * len(names)
    files = []
    for column, model in enumerate(made.models):
        columns = same | {key: each[:, column].tolist() for key, each in digests.items()}
        whole = {field.name: columns.get(field.name, missing) for field in fingerprint.SCHEMA}
        files.append(folder / f"{model}.parquet")
        sealed.write(pa.table(whole, schema=fingerprint.SCHEMA), files[-1])
    return files


def write_shards(made: Group, folder: Path, *, shards: int = SHARDS) -> int:
    """Write shards of all pairs of contents of every name; return their rows."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    order = sorted(range(len(made.names)), key=made.names.__getitem__)
    total = 0
    for shard in range(shards):
        with writer(folder / f"{shard}.parquet") as file:
            for row in order:
                if shard_of(made.names[row], shards) == shard:
                    digests = sorted(set(made.digest(row).tolist()))
                    first, second = np.triu_indices(len(digests), k=1)
                    total += first.size
                    measures = random.random((len(MEASURED), first.size))
                    measures[0] = np.floor(NUMEL * measures[0])
                    file.add(
                        NameRows(
                            made.names[row],
                            digests,
                            first.astype(np.int32),
                            second.astype(np.int32),
                            np.full(first.size, NUMEL, np.int64),
                            measures,
                            METHOD,
                        )
                    )
    return total
