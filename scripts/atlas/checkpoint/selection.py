"""Decide which of the files of a folder are the checkpoint: full precision before casts."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from atlas.errors import AtlasError

SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""Suffixes of weight files, in order of preference."""

NO_WEIGHTS = re.compile(r"(optimizer|scheduler|training_args|openvino_.*|random_states.*|scaler)\.")
"""Files that trainers and exporters put beside the weights under the same suffixes."""

WEIGHT_FILE = re.compile(
    r"(?P<base>.+?)"
    r"(?:\.(?P<variant>fp32|fp16|bf16|fp8|non_ema|ema|[a-z]+\d+[a-z0-9]*))?"
    r"(?:-(?P<shard>\d{5})-of-(?P<count>\d{5}))?"
    r"(?:\.(?P<late_variant>fp32|fp16|bf16|fp8|non_ema|ema))?"
    r"(?P<suffix>\.(?:safetensors|bin|pt|pth|ckpt))"
)
OWN_NAMES = ("diffusion_pytorch_model", "model", "pytorch_model")
"""Base names under which libraries save a folder's own model."""

VARIANTS = ("", "fp32", "non_ema", "bf16", "fp16")
"""Variants in order of preference; "" is the file without a mark."""


@dataclass(frozen=True)
class WeightSet:
    """One file, or the shards of one set, that hold a component or a whole model."""

    base: str
    variant: str
    suffix: str
    files: tuple[Path, ...]
    count: int
    """Number of files that the set must have."""

    @property
    def preference(self) -> tuple[bool, int, int, str, str]:
        """Sort key: the libraries' own names, full precision, safetensors come first."""
        rank = VARIANTS.index(self.variant) if self.variant in VARIANTS else len(VARIANTS)
        suffix = SUFFIXES.index(self.suffix)
        return self.base not in OWN_NAMES, rank, suffix, self.base, self.variant

    def check_complete(self) -> None:
        """Raise AtlasError where shards are missing."""
        if len(self.files) != self.count:
            raise AtlasError(
                f"{self.files[0].parent}: {len(self.files)} of {self.count} shards of "
                f"{self.base}{self.suffix} are there; fetch the others"
            )


def weight_sets(folder: Path) -> list[WeightSet]:
    """Return the sets of weight files that lie directly in a folder, the preferred one first."""
    shards: dict[tuple[str, str, str, int], list[Path]] = defaultdict(list)
    for file in sorted(folder.iterdir()):
        match = WEIGHT_FILE.fullmatch(file.name)
        if match and not NO_WEIGHTS.match(file.name) and file.is_file():
            variant = match["variant"] or match["late_variant"] or ""
            count = int(match["count"] or 1)
            shards[match["base"], variant, match["suffix"], count].append(file)
    sets = [
        WeightSet(base, variant, suffix, tuple(files), count)
        for (base, variant, suffix, count), files in shards.items()
    ]
    return sorted(sets, key=lambda weights: weights.preference)


def choose(folder: Path) -> tuple[WeightSet, list[str]]:
    """
    Return the set of files that is the folder's checkpoint, and what was passed over in words.

    Raises
    ------
    AtlasError
        Where the folder holds no weights, several different models, or only some shards.
    """
    sets = weight_sets(folder)
    if not sets:
        raise AtlasError(f"{folder}: no weight file ({', '.join(SUFFIXES)}) in it; name the file")
    chosen, *others = sets
    if chosen.base not in OWN_NAMES and {weights.base for weights in others} - {chosen.base}:
        names = ", ".join(sorted({weights.files[0].name for weights in sets})[:6])
        raise AtlasError(f"{folder}: holds several checkpoints ({names}); name one of the files")
    chosen.check_complete()
    findings = [
        f"{folder.name}: read {chosen.files[0].name}, passed over {weights.files[0].name}"
        for weights in others
    ]
    return chosen, findings


def indexed_files(index: Path) -> dict[str, Path]:
    """
    Return key to shard as an index.json has them.

    Raises
    ------
    AtlasError
        Where the index is not readable, or names a file that is not beside it.
    """
    try:
        table = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        pairs = {str(key): str(name) for key, name in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AtlasError(f"{index}: no index of shards ({error!r}); fetch it again") from None
    for name in sorted(set(pairs.values())):
        if Path(name).name != name:
            raise AtlasError(f"{index}: names a shard outside its folder: {name!r}")
        if not (index.parent / name).is_file():
            raise AtlasError(f"{index}: the shard {name} is missing; fetch it into {index.parent}")
    return {key: index.parent / name for key, name in pairs.items()}
