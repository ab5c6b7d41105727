"""
Weak signs of which of two relatives came first, from what fingerprints tell of their tensors.

Training from a base adds a step that has little to do with the weights as they are. Initial weights
have a mean of zero, so that such a step leads away from the initialisation: the sum of squares of
the tuned model is larger, by about the square of the step. A merge lies inside, and weight decay
goes the other way: so the sign is weak, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atlas.claims.training import AVERAGED, LIGHTNING
from atlas.lineage.claimed import DATE
from atlas.lineage.evidence import Evidence, Strength
from atlas.lineage.holders import Holders

GROWTH = 1 / 3
"""Of the squared distance: by so much the sum of squares must differ, at least, to be a sign."""
SHARE = 2 / 3
"""Of the tensors of which the kurtosis differs must go one way, at least, to be a sign."""
FEW = 20
"""Tensors, below which the kurtosis is no sign."""
STATES = frozenset({LIGHTNING, AVERAGED})
"""Sources that tell of a training's state in the file."""
COLUMNS = ["name", "component", "norm", "kurtosis", "shape"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Of a model's component: its tensors in order of name."""

    names: tuple[str, ...]
    squares: npt.NDArray[np.float64]
    """Sum of squares of each."""
    kurtosis: npt.NDArray[np.float64]
    """Excess of each; NaN for those of fewer than two dimensions."""


def read(fingerprint: Path) -> dict[str, Moments]:
    """Return the moments of a model's components."""
    table = pq.read_table(fingerprint, columns=COLUMNS)
    found = {}
    for component in sorted(set(table["component"].to_pylist())):
        own = table.filter(pc.equal(table["component"], pa.scalar(component)))
        is_matrix = pc.greater_equal(pc.list_value_length(own["shape"]), 2)
        flags = is_matrix.to_numpy(zero_copy_only=False)
        kurtosis = own["kurtosis"].to_numpy().astype(np.float64)
        found[component] = Moments(
            tuple(own["name"].to_pylist()),
            own["norm"].to_numpy().astype(np.float64) ** 2,
            np.where(flags, kurtosis, np.nan),
        )
    return found


def read_keys(fingerprint: Path) -> list[str]:
    """Return the names that a model's tensors have in its file."""
    keys: list[str] = pq.read_table(fingerprint, columns=["key"])["key"].to_pylist()
    return keys


def of_statistics(
    parent: Moments, child: Moments, distance: float, *, names: tuple[str, str]
) -> list[Evidence]:
    """
    Return what moments tell of an edge.

    Parameters
    ----------
    distance
        L2 between the two.
    names
        What parent and child are called: an edge may be turned, and what is said must stay true.
    """
    if parent.names != child.names or not distance > 0:
        return []
    found = []
    growth = float(np.nansum(child.squares) - np.nansum(parent.squares)) / distance**2
    if abs(growth) >= GROWTH:
        word = "farther from" if growth > 0 else "nearer to"
        amount = f"{growth:+.2g}".replace("-", "−")
        words = (
            f"{names[1]} lies {word} the initialisation than {names[0]} (squared norm "
            f"{amount} of the squared distance)"
        )
        found.append(Evidence("norm", Strength.WEAK, words, growth > 0))
    differ = np.isfinite(parent.kurtosis) & (parent.kurtosis != child.kurtosis)
    count = int(differ.sum())
    if count >= FEW:
        rose = int((child.kurtosis > parent.kurtosis)[differ].sum())
        if max(rose, count - rose) >= SHARE * count:
            is_up = 2 * rose > count
            word, number = ("higher", rose) if is_up else ("lower", count - rose)
            words = (
                f"kurtosis of {names[1]} is {word} than that of {names[0]} in {number} of {count} "
                "tensors"
            )
            found.append(Evidence("kurtosis", Strength.HINT, words, is_up))
    return found


def of_places(
    holders: Holders, parent: int, child: int, *, names: tuple[str, str]
) -> list[Evidence]:
    """
    Return what the places of contents among all others tell of an edge.

    A base lies in the middle of what was made from it, and more models hold its contents.
    """
    found = []
    own, others = (len(holders.members[number]) for number in (child, parent))
    if own != others:
        words = f"models that hold the same: {others} of {names[0]}, {own} of {names[1]}"
        found.append(Evidence("shared by more", Strength.WEAK, words, others > own))
    squares = np.where(holders.fair, holders.distances, np.nan) ** 2
    near = np.isfinite(squares[parent]) & np.isfinite(squares[child])
    if near.sum() >= 2:
        is_middle = float(squares[parent, near].sum()) < float(squares[child, near].sum())
        middle, other = names if is_middle else names[::-1]
        words = f"{middle} lies nearer to {int(near.sum())} other relatives than {other}"
        found.append(Evidence("between", Strength.WEAK, words, is_middle))
    return found


def of_order(parent: str, child: str, orders: Mapping[str, Mapping[str, float]]) -> list[Evidence]:
    """
    Return what steps, dates and the state of a training tell.

    Steps are counted anew in every run, dates may be a parent's, and who merges or converts a model
    leaves its training's state behind, but not always: all of it is a hint.
    """
    first, second = orders.get(parent, {}), orders.get(child, {})
    found = []
    for source in sorted(first.keys() & second.keys()):
        before, after = first[source], second[source]
        if before == after:
            continue
        if source == DATE:
            words = f"{parent} is of {_day(before)}, {child} of {_day(after)}"
            found.append(Evidence("date", Strength.HINT, words, after > before))
        else:
            words = f"{parent} tells of {before:g} steps ({source}), {child} of {after:g}"
            found.append(Evidence("order", Strength.HINT, words, after > before))
    states = [bool(each.keys() & STATES) for each in (first, second)]
    if states[0] != states[1]:
        has, lacks = (parent, child) if states[0] else (child, parent)
        words = f"{has} holds the state of its training, {lacks} does not"
        found.append(Evidence("training state", Strength.HINT, words, states[0]))
    return found


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def total(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """
    Return weak signs with those that were outvoted by more of their class turned into hints.

    Several weak signs may disagree; the majority turns the edge, and none decides.
    """
    signs = list(found)
    weak = [sign for sign in signs if sign.strength is Strength.WEAK]
    forward = sum(sign.supports for sign in weak)
    if not weak or forward in (0, len(weak)) or 2 * forward == len(weak):
        return tuple(signs)
    majority = 2 * forward > len(weak)
    return tuple(
        Evidence(sign.kind, Strength.HINT, sign.words, sign.supports)
        if sign.strength is Strength.WEAK and sign.supports is not majority
        else sign
        for sign in signs
    )
