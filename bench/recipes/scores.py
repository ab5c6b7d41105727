"""Hold recipes against the truth: parents, weights, and what was called recovered and is not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atlas.recipes.verdicts import Verdict
from bench.recipes.made_trees import Shares, Tree

HIDDEN = 1.1
"""Where known parents leave at most so many times what rounding does, a part is their sum."""


@dataclass
class Score:
    """Counts over parts of models, a part being a block of a target."""

    parts: int = 0
    sums: int = 0
    """Parts that are sums of candidates."""
    recovered: int = 0
    """Of these."""
    undetermined: int = 0
    hidden: int = 0
    """Sums that are `equal`: rounding hides a light fine-tune."""
    others: int = 0
    """Parts that are no sums of candidates."""
    false: int = 0
    """Of these `recovered`."""
    spread: int = 0
    """Of these, where nothing but a missing parent forbids it."""
    named: int = 0
    """Parents of parts that are `recovered`."""
    right: int = 0
    """Of these in the truth."""
    wanted: int = 0
    """Parents of parts that are sums."""
    found: int = 0
    """Of these named in parts that are `recovered`."""
    named_in_effect: int = 0
    """Of parts that are `recovered`, with merges among the parents taken for what they are of."""
    right_in_effect: int = 0
    wanted_in_effect: int = 0
    effective: int = 0
    """Parts that are sums and `recovered` with the true parents in effect, and no other."""
    errors: list[float] = field(default_factory=list)
    """The largest error of a weight of each part that is recovered."""
    surprises: list[float] = field(default_factory=list)
    """Errors by the standard errors that were told."""

    @property
    def precision(self) -> float:
        """Share of the named parents that are true."""
        return self.right / self.named if self.named else np.nan

    @property
    def recall(self) -> float:
        """Share of the true parents of sums that are named."""
        return self.found / self.wanted if self.wanted else np.nan

    @property
    def precision_in_effect(self) -> float:
        """The same of parts that are recovered, where merges stand for what they were made of."""
        return self.right_in_effect / self.named_in_effect if self.named_in_effect else np.nan

    @property
    def recall_in_effect(self) -> float:
        """Share of what recovered parts were made of in effect that is named in effect."""
        return self.right_in_effect / self.wanted_in_effect if self.wanted_in_effect else np.nan

    @property
    def surprise(self) -> float:
        """Root of the mean square of errors by the standard errors that were told."""
        return float(np.sqrt(np.mean(np.square(self.surprises)))) if self.surprises else np.nan

    @property
    def share_false(self) -> float:
        """Share of the parts that are no sums and yet `recovered`."""
        return self.false / self.others if self.others else np.nan

    def error(self, quantile: float) -> float:
        """Return a quantile of the errors of weights."""
        return float(np.quantile(self.errors, quantile)) if self.errors else np.nan


@dataclass(frozen=True)
class Found:
    """What was said of a part."""

    verdict: Verdict
    weights: Shares
    errors: Shares


def add(score: Score, tree: Tree, found: Mapping[str, Found], sums: Mapping[str, bool]) -> None:
    """Count what was found of a tree's blocks; `sums` tells which of them candidates explain."""
    for block, said in found.items():
        score.parts += 1
        truth = tree.truth[block]
        recovered = said.verdict is Verdict.RECOVERED
        if not sums[block]:
            score.others += 1
            score.false += recovered
            score.spread += recovered and not tree.tuned
            continue
        score.sums += 1
        score.undetermined += said.verdict is Verdict.UNDETERMINED
        score.hidden += said.verdict is Verdict.EQUAL
        score.wanted += len(truth)
        if not recovered:
            continue
        score.recovered += 1
        score.named += len(said.weights)
        score.right += len(said.weights.keys() & truth.keys())
        score.found += len(said.weights.keys() & truth.keys())
        told, true = expanded(said.weights, tree.merges), expanded(truth, tree.merges)
        score.errors.append(
            max(abs(told.get(each, 0) - true.get(each, 0)) for each in told.keys() | true.keys())
        )
        score.named_in_effect += len(told)
        score.right_in_effect += len(told.keys() & true.keys())
        score.wanted_in_effect += len(true)
        score.effective += told.keys() == true.keys()
        score.surprises += [
            abs(weight - truth[parent]) / said.errors[parent]
            for parent, weight in said.weights.items()
            if said.weights.keys() == truth.keys() and said.errors.get(parent)
        ]


def expanded(shares: Shares, merges: Mapping[str, Shares]) -> Shares:
    """Return shares of what is no merge of the candidates: the recipe in effect."""
    whole: Shares = {}
    for parent, share in shares.items():
        within = expanded(merges[parent], merges) if parent in merges else {parent: 1.0}
        for each, part in within.items():
            whole[each] = whole.get(each, 0.0) + share * part
    return {each: share for each, share in whole.items() if abs(share) > 1e-12}


def explained(tree: Tree, known: Sequence[str]) -> dict[str, bool]:
    """
    Tell of each block whether its known parents explain it, by the weights themselves.

    A missing parent with a small weight, whose change is small, may lie below what rounding leaves.
    """
    models = tree.models
    told = {}
    for block, truth in tree.truth.items():
        if tree.is_sum(block):
            told[block] = True
            continue
        rows = [at for at, each in enumerate(models.blocks) if each == block]
        places = [models.names.index(each) for each in known if each in truth or "base" in each]
        floor = np.square(models.roundings[rows]).sum()
        left = least(models.squares[rows].sum(axis=0), places)
        told[block] = bool(left <= HIDDEN**2 * floor)
    return told


def least(squares: NDArray[np.float64], places: Iterable[int]) -> float:
    """Return the least square that any sum of these models leaves of the first one."""
    at = list(places)
    if not at:
        return np.inf
    first, *others = at
    to, around = squares[0, at], squares[np.ix_(at, at)]
    target = (to[0] + squares[first, others] - to[1:]) / 2
    gram = (around[0, 1:, None] + around[0, 1:] - around[1:, 1:]) / 2
    if not others:
        return float(to[0])
    shares = np.linalg.lstsq(gram, target, rcond=None)[0]
    return float(to[0] - 2 * shares @ target + shares @ gram @ shares)
