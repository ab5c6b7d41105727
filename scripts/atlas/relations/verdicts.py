"""The verdict on one component of two models, and in words what it rests on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.names import components
from atlas.relations.contents import COMPARED, Status

CHANGED = (Status.DIFFERENT, Status.NONFINITE, Status.SHAPE)

VERDICTS = (
    "identical",
    "cast",
    "two roundings",
    "partly changed",
    "changed",
    "only in a",
    "only in b",
    "not comparable",
    "refused",
)

ROLE_WORDS = {
    "self_attention": "self-attention",
    "cross_attention": "cross-attention",
    "feed_forward": "feed forward",
    "norm": "norms",
    "projection": "projections",
    "embedding": "embeddings",
    "convolution": "convolutions",
    "other": "other tensors",
}
NAMED_PARTS = 4
"""More parts than this are counted, not named."""
FEW = 0.05
"""Where less than this share of the tensors and no whole part is the same, a component has changed:
a few norms and biases are equal by chance."""


WIDTHS = {
    "f8_e5m2": "float8 (e5m2)",
    "f8_e4m3fn": "float8 (e4m3fn)",
    "bf16": "bfloat16",
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
}
"""Dtypes that a rounded copy has, from coarse to fine."""


@dataclass(frozen=True, eq=False)
class Division:
    """One way to divide a component's tensors into parts."""

    labels: list[str]
    codes: npt.NDArray[np.int64]
    """Per tensor, its part's place among the labels."""

    def of(self, tensors: npt.NDArray[np.bool_]) -> Division:
        """Return the same of some of the tensors."""
        return Division(self.labels, self.codes[tensors])


def divisions_of(component: str, tensors: pd.DataFrame) -> list[Division]:
    """Return how a component's tensors (name, block, role) are divided: into what words name."""
    module = tensors["name"].str.split("/", n=1).str[1].str.split(".").str[0]
    if component == "vae":
        halves = module.replace({"quant_conv": "encoder", "post_quant_conv": "decoder"})
        schemes = [halves, module]
    else:
        schemes = [tensors["role"].map(ROLE_WORDS), tensors["block"]]
    found = []
    for parts in schemes:
        codes, labels = pd.factorize(parts)
        found.append(Division(list(labels), codes.astype(np.int64)))
    return found


@dataclass(frozen=True, eq=False)
class Comparison:
    """One component of two models: what became of each tensor that either has."""

    names: tuple[str, str]
    """What the two are called, the lexically first before the other."""
    component: str
    divisions: Sequence[Division]
    """Ways to divide the tensors into parts, see `divisions_of`."""
    status: npt.NDArray[np.int8]
    renamed: npt.NDArray[np.bool_]
    """Of the same weights as a tensor that the other side has under another name."""
    adopted: bool = False
    """One side goes by names that another model has for the same weights."""
    source: str | None = None
    """A model of which both sides are roundings, as digests prove."""
    dtypes: tuple[str, str] = ("", "")
    """The commonest dtype of each side, the first by name of several; "" of one without it."""
    unread: tuple[str, str] = ("", "")
    """Why the component was not read, of each side; "" where it was."""

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Number of tensors by status."""
        return np.bincount(self.status, minlength=len(Status))

    @cached_property
    def _counts(self) -> list[int]:
        return [int(count) for count in self.counts]

    @cached_property
    def same(self) -> npt.NDArray[np.bool_]:
        """Which tensors are identical or rounded."""
        return self.has(Status.IDENTICAL, Status.CAST)

    @cached_property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Which tensors are changed."""
        return self.has(*CHANGED)

    def count(self, *statuses: Status) -> int:
        """Return how many tensors have one of the statuses."""
        return sum(map(self._counts.__getitem__, statuses))

    def has(self, *statuses: Status) -> npt.NDArray[np.bool_]:
        """Return which tensors have one of the statuses."""
        wanted = np.zeros(len(Status), dtype=bool)
        wanted[list(statuses)] = True
        return wanted[self.status]


def judge(found: Comparison) -> tuple[str, str]:
    """Return the verdict on one component of a pair, and in words what it rests on."""
    total = len(found.status)
    name_a, name_b = found.names
    word = components.WORDS.get(found.component, found.component)
    identical, cast = found.count(Status.IDENTICAL), found.count(Status.CAST)
    if found.count(Status.REFUSED):
        return "refused", _refusals(found)
    if found.renamed.any() and (found.renamed | (found.status == Status.IDENTICAL)).all():
        return "identical", _all_renamed(found)
    if found.count(Status.ONLY_A) == total:
        return "only in a", f"no {word} in {name_b}{_some_renamed(found)}"
    if found.count(Status.ONLY_B) == total:
        return "only in b", f"no {word} in {name_a}{_some_renamed(found)}"
    if identical == total:
        return "identical", "identical"
    if identical + cast == total:
        return "cast", _rounded(found)
    if found.source:
        return "two roundings", f"two roundings of one model: {found.source}"
    if found.count(*COMPARED) == 0:
        return "not comparable", _obstacles(found, name_a, name_b) or "no tensors in common"
    where = _where(found)
    partly = where or identical + cast >= FEW * total
    return "partly changed" if partly else "changed", _what_changed(found, where, name_a, name_b)


def _refusals(found: Comparison) -> str:
    """Tell of which sides the component was not read, and why; a reason of both stands once."""
    sides: dict[str, list[str]] = {}
    for why, name in zip(found.unread, found.names, strict=True):
        if why:
            sides.setdefault(why, []).append(name)
    return "; ".join(f"not read in {_and(models)}: {why}" for why, models in sides.items())


def _all_renamed(found: Comparison) -> str:
    count, total = int(found.renamed.sum()), len(found.status)
    share = "" if count == total else f" ({count} of {total} tensors)"
    return f"identical under other names{share}"


def _some_renamed(found: Comparison) -> str:
    count, total = int(found.renamed.sum()), len(found.status)
    return f", but {count} of its {total} tensors under other names" if count else ""


def _rounded(found: Comparison) -> str:
    coarse = min(found.dtypes, key=lambda dtype: list(WIDTHS).index(dtype))
    cast, total = found.count(Status.CAST), len(found.status)
    share = "" if cast == total else f" ({total - cast} of {total} tensors identical)"
    return f"same weights rounded to {WIDTHS[coarse]}{share}"


def _what_changed(found: Comparison, where: str, name_a: str, name_b: str) -> str:
    """Name the parts that hold all changes, or those that have none, whichever are fewer."""
    changed = found.count(*CHANGED)
    total = len(found.status)
    if changed == total:
        text = f"all {total} tensors changed" if total > 1 else "its one tensor changed"
    elif changed:
        text = where or f"{changed} of {total} tensors changed"
    else:
        text = _kept(found.count(Status.IDENTICAL), found.count(Status.CAST), total)
    notes = _obstacles(found, name_a, name_b)
    return f"{text}; {notes}" if notes else text


def _kept(identical: int, cast: int, tensors: int) -> str:
    """
    Return how many of some tensors are the same; a rounded one is not told as an identical one.

    >>> _kept(5, 0, 5), _kept(0, 5, 5), _kept(3, 2, 5)
    ('5 of 5 tensors identical', '5 of 5 tensors rounded', '3 of 5 tensors identical, 2 rounded')
    """
    if not cast:
        return f"{identical} of {tensors} tensors identical"
    if not identical:
        return f"{cast} of {tensors} tensors rounded"
    return f"{identical} of {tensors} tensors identical, {cast} rounded"


def _where(found: Comparison) -> str:
    """Return "only the decoder differs (...)" in modules, roles or blocks, or ""."""
    if not found.count(Status.IDENTICAL, Status.CAST) or not found.count(*CHANGED):
        return ""
    splits = [_Split.of(found, division) for division in found.divisions]
    # What differs tells more than what does not, and the most where it leaves the most untouched.
    splits.sort(key=lambda split: -split.kept_tensors)
    told = [split.only_changes() for split in splits] + [split.only_rest() for split in splits]
    return next(filter(None, told), "")


@dataclass(frozen=True, eq=False)
class _Split:
    """A component cut into parts, of which some changed and the others are wholly the same."""

    is_vae: bool
    moved: list[str]
    whole: list[str]
    changed_tensors: int
    kept_tensors: int
    """In the parts that are wholly the same."""
    kept_rounded: int
    """Those of them that are rounded."""
    tensors: int
    is_clean: bool
    """Every part belongs to one of the two sorts, and both sorts have parts."""

    @classmethod
    def of(cls, found: Comparison, division: Division) -> _Split:
        size = len(division.labels)
        of_part, same, changed = division.codes, found.same, found.changed
        is_cast = found.has(Status.CAST)
        tensors, sames, changes, casts = (
            np.bincount(each, minlength=size)
            for each in (of_part, of_part[same], of_part[changed], of_part[is_cast])
        )
        is_moved, is_whole = changes > 0, (sames == tensors) & (tensors > 0)
        return cls(
            is_vae=found.component == "vae",
            moved=[division.labels[part] for part in np.flatnonzero(is_moved)],
            whole=[division.labels[part] for part in np.flatnonzero(is_whole)],
            changed_tensors=int(changes.sum()),
            kept_tensors=int(sames[is_whole].sum()),
            kept_rounded=int(casts[is_whole].sum()),
            tensors=len(same),
            is_clean=bool(
                is_moved.any() and is_whole.any() and (is_moved | is_whole)[tensors > 0].all()
            ),
        )

    def only_changes(self) -> str:
        """Name what differs, where that is short; an autoencoder's halves are always named."""
        if not self.is_clean:
            return ""
        changes, rest = _ranges(self.moved), _ranges(self.whole)
        longest = NAMED_PARTS if self.is_vae else min(NAMED_PARTS, len(rest))
        if len(changes) > longest:
            return ""
        verb = "differ" if len(self.moved) > 1 or self.moved[0].endswith("s") else "differs"
        still = self.whole[0] if len(self.whole) == 1 else "the rest"
        kept, rounded = self.kept_tensors, self.kept_rounded
        same = _kept(kept - rounded, rounded, kept)
        return f"only {self._article}{_and(changes)} {verb} ({still}: {same})"

    def only_rest(self) -> str:
        """Name what does not differ, where that is short."""
        rest = _ranges(self.whole) if self.is_clean else []
        if not rest or len(rest) > NAMED_PARTS:
            return ""
        counts = f"{self.changed_tensors} of {self.tensors} tensors changed"
        return f"{counts}, none of them in {self._article}{_and(rest)}"

    @property
    def _article(self) -> str:
        return "the " if self.is_vae else ""


def _ranges(parts: list[str]) -> list[str]:
    """
    Return parts with runs of numbered ones joined.

    >>> _ranges(["IN00", "IN01", "IN02", "MID"])
    ['IN00–IN02', 'MID']
    """
    runs: list[list[str]] = []
    for part in sorted(parts):
        if runs and _follows(runs[-1][-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    return [run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]


def _follows(part: str, after: str) -> bool:
    one, two = _numbered(part), _numbered(after)
    return bool(one and two and one[1] == two[1] and int(one[2]) + 1 == int(two[2]))


@cache
def _numbered(part: str) -> re.Match[str] | None:
    """Return a part's name and number, if it has one."""
    return re.fullmatch(r"(.*?)(\d+)", part)


def _obstacles(found: Comparison, name_a: str, name_b: str) -> str:
    """Tell what kept tensors from being compared."""
    total = len(found.status)
    notes = []
    if shape := found.count(Status.SHAPE):
        notes.append(f"shapes differ in {shape} of {total} tensors")
    if nonfinite := found.count(Status.NONFINITE):
        notes.append(f"{nonfinite} of {total} tensors hold NaN or infinity")
    for status, name in ((Status.ONLY_A, name_a), (Status.ONLY_B, name_b)):
        if only := found.count(status):
            notes.append(f"{only} of {total} tensors only in {name}")
    only = found.count(Status.ONLY_A, Status.ONLY_B)
    if only and found.renamed.any():
        notes.append(f"{found.renamed.sum()} of them hold weights of the other under another name")
    elif found.adopted:
        notes.append("names matched by contents")
    return "; ".join(notes)


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
