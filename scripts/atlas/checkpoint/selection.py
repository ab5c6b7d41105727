"""Decide which of the files of a folder are the checkpoint: full precision before casts."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from atlas.basis.errors import AtlasError

SUFFIXES = (".safetensors", ".sft", ".bin", ".pt", ".pth", ".ckpt")
"""Suffixes of weight files, in order of preference; upper and lower case make no difference."""

NO_WEIGHTS = re.compile(r"(optimizer|scheduler|training_args|openvino_.*|random_states.*|scaler)\.")
"""Files that trainers and exporters put beside the weights under the same suffixes."""

WEIGHT_FILE = re.compile(
    r"(?P<base>.+?)"
    r"(?:\.(?P<variant>fp32|fp16|bf16|fp8|non_ema|ema|[a-z]+\d+[a-z0-9]*))?"
    r"(?:-(?P<shard>\d{5})-of-(?P<count>\d{5}))?"
    r"(?:\.(?P<late_variant>fp32|fp16|bf16|fp8|non_ema|ema))?"
    rf"(?P<suffix>(?i:{'|'.join(map(re.escape, SUFFIXES))}))"
)
OWN_NAMES = ("diffusion_pytorch_model", "model", "pytorch_model")
"""Base names under which libraries save a folder's own model."""

VARIANTS = {
    None: ("", "fp32", "non_ema", "bf16", "fp16"),
    "raw": ("non_ema", "", "fp32", "bf16", "fp16"),
    "ema": ("ema", "", "fp32", "bf16", "fp16"),
}
"""Variants in order of preference, by what the roster asks for; "" is the file without a mark."""


@dataclass(frozen=True)
class WeightSet:
    """One file, or the shards of one set, that hold a component or a whole model."""

    base: str
    variant: str
    suffix: str
    files: tuple[Path, ...]
    count: int
    """Number of files that the set must have."""

    def preference(self, weights: str | None) -> tuple[bool, int, int, str, str]:
        """Return the sort key: the libraries' own names, full precision, safetensors first."""
        order = VARIANTS[weights]
        rank = order.index(self.variant) if self.variant in order else len(order)
        suffix = SUFFIXES.index(self.suffix.lower())
        return self.base not in OWN_NAMES, rank, suffix, self.base, self.variant

    def check_complete(self) -> None:
        """Raise AtlasError where shards are missing."""
        if len(self.files) != self.count:
            raise AtlasError(
                f"{self.files[0].parent}: {len(self.files)} of {self.count} shards of "
                f"{self.base}{self.suffix} are there; fetch the others"
            )


@dataclass(frozen=True)
class Choice:
    """The set of files that is a folder's checkpoint."""

    weights: WeightSet
    findings: tuple[str, ...]
    """What was passed over, in words."""
    is_average: bool
    """Whether the files' marks say that they are the training copy (EMA)."""


def weight_sets(folder: Path, weights: str | None = None) -> list[WeightSet]:
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
    return sorted(sets, key=lambda each: each.preference(weights))


def choose(folder: Path, weights: str | None = None) -> Choice:
    """
    Return the set of files that is the folder's checkpoint.

    Parameters
    ----------
    folder
        A component's folder, or one with a model of its own.
    weights
        `raw` or `ema` where the roster asks for one of the two.

    Raises
    ------
    AtlasError
        Where the folder holds no weights, several different models, or only some shards.
    """
    sets = weight_sets(folder, weights)
    if not sets:
        raise AtlasError(f"{folder}: no weight file ({', '.join(SUFFIXES)}) in it; name the file")
    chosen, *others = sets
    if chosen.base not in OWN_NAMES and {each.base for each in others} - {chosen.base}:
        names = ", ".join(sorted({each.files[0].name for each in sets})[:6])
        raise AtlasError(f"{folder}: holds several checkpoints ({names}); name one of the files")
    chosen.check_complete()
    findings = tuple(
        f"{folder.name}: read {chosen.files[0].name}, passed over {each.files[0].name}"
        for each in others
    )
    # where the raw weights are marked, what has no mark is the average
    has_marked_raw = any(each.variant == "non_ema" for each in others)
    return Choice(chosen, findings, is_average=chosen.variant == "ema" or has_marked_raw)


def lone_shard(file: Path) -> list[str]:
    """Return a finding where a file that was named alone is one of a set of shards."""
    match = WEIGHT_FILE.fullmatch(file.name)
    if not match or int(match["count"] or 1) < 2:
        return []
    every = file.name.replace(f"-{match['shard']}-of-", "-*-of-")
    return [f"{file.name} is one of {int(match['count'])} shards; name all of them: {every}"]


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
