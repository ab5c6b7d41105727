"""
The measures of a difference: the one place where each is defined.

The kernels' rows, the schemas of shards and tables, the settings' legal values and the plots'
words follow from these definitions, in this order. To add a measure, add it here: what follows from
others is `Derived`, what needs the weights themselves is `Measured`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is said of a measure, and how a picture may use it."""

    name: str
    """In files and settings: the column of tables."""
    title: str
    """In pictures."""
    unit: str
    """What a number is, in words."""
    is_similarity: bool = False
    """Equal models have 1, and 1 − it serves as a distance; else equal ones have 0."""
    is_shown: bool = True
    """Whether it tells a reader anything by itself."""
    adds_up: int = 2
    """The power of the distance that adds along a path of independent steps."""


@dataclass(frozen=True, kw_only=True)
class Measured(Measure):
    """A measure taken from the weights: per pair of elements, combined over a tensor's elements."""

    term: Callable[[Any, Any, Any], Any]
    """
    Of two elements and their difference: x, y, x − y.

    Written in operators that the compiled kernel's vectors, numbers, and arrays of numpy and torch
    have: + − * abs() != < > & |.
    """
    combine: Literal["sum", "maximum"] = "sum"
    """Over elements and over tensors."""
    is_root: bool = False
    """What adds up is its square."""
    is_count: bool = False
    """The term is true or false; a whole number in shards."""
    least: str | None = None
    """A measure that it can't be below, where squares are too small for a float64."""
    of_equal: Callable[[Any], Any] = lambda norm: 0.0 * norm
    """What tensors of these norms (float64) have with themselves."""


@dataclass(frozen=True, kw_only=True)
class Derived(Measure):
    """A measure that follows from the measured ones, for tensors as for whole models."""

    formula: Callable[[Any], Any]
    """
    Of a namespace of arrays of one shape: the measured ones by name, and of what was compared
    norm_a, norm_b and parameters.
    """


MEASURED = (
    Measured(
        name="l0",
        title="L0 distance",
        unit="elements that differ",
        adds_up=1,
        term=lambda x, y, _: x != y,
        is_count=True,
    ),
    Measured(
        name="l1",
        title="L1 distance",
        unit="sum of absolute weight differences",
        term=lambda x, y, difference: abs(difference),
    ),
    Measured(
        name="l2",
        title="L2 distance",
        unit="norm of the weight difference",
        term=lambda x, y, difference: difference * difference,
        is_root=True,
        least="linf",
    ),
    Measured(
        name="linf",
        title="L∞ distance",
        unit="largest weight difference",
        term=lambda x, y, difference: abs(difference),
        combine="maximum",
    ),
    Measured(
        name="dot",
        title="dot product",
        unit="sum of products of weights",
        is_shown=False,
        term=lambda x, y, _: x * y,
        of_equal=lambda norm: norm**2,
    ),
)
"""In the order of the kernels' rows and of the shards' columns."""

DERIVED = (
    Derived(
        name="cosine",
        title="1 − cosine",
        unit="of the angle between the weights",
        is_similarity=True,
        # 1 - cosine is half the squared chord between the directions, so it is squared already.
        adds_up=1,
        # The law of cosines: of close models, of which the products' sum would keep no digit of
        # what sets them apart, l2 and the norms keep all of theirs.
        formula=lambda of: np.clip(
            1 - (of.l2**2 - (of.norm_a - of.norm_b) ** 2) / (2 * of.norm_a * of.norm_b), -1.0, 1.0
        ),
    ),
    Derived(
        name="relative_l2",
        title="relative L2 distance",
        unit="share of the weights' norm",
        # of both models alike: a matrix is symmetric, and no id's place in the alphabet counts
        formula=lambda of: of.l2 / (np.sqrt(of.norm_a) * np.sqrt(of.norm_b)),
    ),
    Derived(
        name="rms",
        title="RMS distance",
        unit="root mean square of the weight difference",
        formula=lambda of: of.l2 / np.sqrt(of.parameters),
    ),
    Derived(
        name="relative_rms",
        title="relative RMS distance",
        unit="share of both models' root mean square",
        formula=lambda of: of.l2 / np.sqrt((of.norm_a**2 + of.norm_b**2) / 2),
    ),
    Derived(
        name="changed_fraction",
        title="changed fraction",
        unit="share of the elements",
        adds_up=1,
        formula=lambda of: of.l0 / of.parameters,
    ),
)

SHOWN: dict[str, Measure] = {each.name: each for each in (*MEASURED, *DERIVED) if each.is_shown}
"""By name, all that tables of models and pairs have and matrices may show."""

DRAWABLE = [name for name, each in SHOWN.items() if not each.is_similarity]
"""What plots can show: trees and maps need distances."""

PLACE = {each.name: place for place, each in enumerate(MEASURED)}
"""The row of a measured one in the kernels' sums."""

MAXIMA = [PLACE[each.name] for each in MEASURED if each.combine == "maximum"]
"""Rows of which the largest is taken; all others add."""


def squared(measures: FloatArray) -> FloatArray:
    """Return measured measures (rows in their order) as what adds up: squares of the roots."""
    sums = measures.copy()
    for place, each in enumerate(MEASURED):
        if each.is_root:
            sums[place] **= 2
    return sums


def rooted(sums: FloatArray) -> FloatArray:
    """Return what sums (rows in the order of the measured ones) amount to: roots of squares."""
    measures = sums.copy()
    for place, each in enumerate(MEASURED):
        if each.is_root:
            measures[place] = np.sqrt(sums[place])
    return measures


def with_least(measures: FloatArray) -> FloatArray:
    """Return measured measures raised to what they can't be below; for sums of true elements."""
    raised = measures.copy()
    for place, each in enumerate(MEASURED):
        if each.least is not None:
            raised[place] = np.maximum(raised[place], measures[PLACE[each.least]])
    return raised


def of_equal(norm: FloatArray) -> FloatArray:
    """Return the measured measures of tensors of these norms with themselves: a row each."""
    return np.stack([np.broadcast_to(each.of_equal(norm), np.shape(norm)) for each in MEASURED])


def derive(
    measured: Mapping[str, FloatArray],
    *,
    norm_a: FloatArray,
    norm_b: FloatArray,
    parameters: npt.NDArray[np.int64],
    only: Container[str] | None = None,
) -> dict[str, FloatArray]:
    """
    Return the derived measures of pairs of tensors or of whole parts, by name, elementwise.

    If `only` some of them are wanted, the measured ones that they follow from are enough.

    All inputs are float64 arrays of one shape, but for the parameters compared (int64): the
    measured measures by name, and the norms of both sides over what was compared. Where nothing
    was compared, or a norm is 0, the measure is not defined and comes out as NaN.
    """
    of = SimpleNamespace(**measured, norm_a=norm_a, norm_b=norm_b, parameters=parameters)
    with np.errstate(divide="ignore", invalid="ignore"):
        derived = {
            each.name: each.formula(of) for each in DERIVED if only is None or each.name in only
        }
    return {
        name: np.where(np.isfinite(values) & (parameters > 0), values, np.nan)
        for name, values in derived.items()
    }
