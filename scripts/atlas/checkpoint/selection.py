"""Decide which of the files of a folder are the checkpoint: full precision before casts."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.checkpoint.problems import UnclearPathError, is_absent_link
from atlas.checkpoint.shards import (
    INDEX,
    check_numbers,
    index_beside,
    pattern_of,
    read_index,
    shards_of,
)

SUFFIXES = (".safetensors", ".sft", ".bin", ".pt", ".pth", ".ckpt")
"""Suffixes of weight files, in order of preference; upper and lower case make no difference."""

NO_WEIGHTS = re.compile(r"(optimizer|scheduler|training_args|openvino_.*|random_states.*|scaler)\.")
"""Files that trainers and exporters put beside the weights under the same suffixes."""

WEIGHT_FILE = re.compile(
    r"(?P<base>.+?)"
    r"(?:\.(?P<variant>fp32|fp16|bf16|fp8|non_ema|ema|[a-z]+\d+[a-z0-9]*))?"
    r"(?:-\d+-of-(?P<count>\d+))?"
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

    @property
    def index(self) -> Path | None:
        """The list of which shard holds which tensor, where there is one."""
        return index_beside(self.files[0])

    def preference(self, weights: str | None) -> tuple[bool, int, int, str, str]:
        """Return the sort key: the libraries' own names, full precision, safetensors first."""
        order = VARIANTS[weights]
        rank = order.index(self.variant) if self.variant in order else len(order)
        suffix = SUFFIXES.index(self.suffix.lower())
        return self.base not in OWN_NAMES, rank, suffix, self.base, self.variant

    def check_complete(self) -> None:
        """Raise AtlasError where shards are missing, or a link leads nowhere."""
        check_numbers(self.files[0].parent, self.files)
        for file in filter(is_absent_link, self.files):
            raise AtlasError(
                f"{file}: a link to {file.readlink()}, which is not there; fetch the file again"
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
    """
    Return the sets of weight files that lie directly in a folder, the preferred one first.

    Raises
    ------
    AtlasError
        Where there is an index of shards, and none of them.
    """
    shards: dict[tuple[str, str, str, int], list[Path]] = defaultdict(list)
    for file in sorted(folder.iterdir()):
        match = WEIGHT_FILE.fullmatch(file.name)
        is_there = file.is_file() or is_absent_link(file)
        if match and is_there and not NO_WEIGHTS.match(file.name):
            variant = match["variant"] or match["late_variant"] or ""
            count = int(match["count"] or 1)
            shards[match["base"], variant, match["suffix"], count].append(file)
    sets = [
        WeightSet(base, variant, suffix, tuple(files))
        for (base, variant, suffix, _), files in shards.items()
    ]
    if not sets:
        _check_no_index(folder)
    return sorted(sets, key=lambda each: each.preference(weights))


def _check_no_index(folder: Path) -> None:
    """Raise AtlasError where a folder without weights has an index of some."""
    for file in sorted(folder.iterdir()):
        if INDEX.fullmatch(file.name) and file.name.split(".index")[0].endswith(SUFFIXES):
            read_index(file)


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
        Where the folder holds only some shards.
    UnclearPathError
        Where it holds no weights, or several different models.
    """
    sets = weight_sets(folder, weights)
    if not sets:
        raise UnclearPathError(
            f"{folder}: no weight file ({', '.join(SUFFIXES)}) in it; name the file"
        )
    chosen, *others = sets
    if chosen.base not in OWN_NAMES and {each.base for each in others} - {chosen.base}:
        names = ", ".join(sorted({each.files[0].name for each in sets})[:6])
        raise UnclearPathError(
            f"{folder}: holds several checkpoints ({names}); name one of the files"
        )
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
    count = shards_of(file)
    told = f"{file.name} is one of {count} shards; name all of them: "
    return [told + pattern_of(file)] if count > 1 else []
