"""Weights as plain numbers, and sums of models as one would write them by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from atlas.basis.page import called

DECIMALS = 4
"""A weight is never told to more."""
TOLD = 0.002
"""A standard error from which on it is told beside the weight."""
SURE = 2.0
"""A weight is any number within so many standard errors."""
SIGNS = re.compile(r"[+×−=()\[\]:;,“”\"|]|\s-|^\W|^\d")
"""What a name in a sum is set in quotation marks for."""
MINUS = "−"
LONGEST = 48
"""Letters of a label in a sum; the rest of a longer one is cut."""

Name = Callable[[str], str]
"""Of a model's id to what it is called."""


def plain(weight: float, error: float | None = None) -> str:
    """
    Return a weight with as few decimals as its error allows, a sign that is a minus, and no zeros.

    >>> plain(0.699998, 1e-5), plain(-0.8, 1e-9), plain(0.33333333, 0.0), plain(0.9999999)
    ('0.7', '−0.8', '0.3333', '1')
    >>> plain(0.4821, 0.031), plain(0.2, 0.004)
    ('0.48', '0.2')
    """
    if error is not None and error > TOLD:
        return _without_zeros(f"{weight:.2f}")
    room = max(SURE * (error or 0.0), 0.5 * 10.0**-DECIMALS)
    for digits in range(DECIMALS):
        if abs(round(weight, digits) - weight) <= room:
            return _without_zeros(f"{weight:.{digits}f}")
    return _without_zeros(f"{weight:.{DECIMALS}f}")


def with_error(weight: float, error: float | None) -> str:
    """
    Return a weight with its standard error, where that is large enough to matter.

    >>> with_error(0.4821, 0.031), with_error(0.7000001, 1e-6), with_error(0.5, None)
    ('0.48 ± 0.03', '0.7', '0.5')
    """
    told = plain(weight, error)
    if error is None or error <= TOLD:
        return told
    return f"{told} ± {error:.3f}" if error < 0.01 else f"{told} ± {error:.2f}"


def _without_zeros(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0") else text.replace("-", MINUS)


def quoted(name: str) -> str:
    """
    Return a name as it stands in a sum: in quotation marks where it could be read as part of it.

    >>> quoted("terrain 0.4.1"), quoted("0.4.2 + tuning"), quoted("日本")
    ('terrain 0.4.1', '“0.4.2 + tuning”', '日本')
    """
    return f"“{name}”" if SIGNS.search(name) or not name else name


def namer(labels: dict[str, str]) -> Name:
    """
    Return what models are called in sums: by label, and with the id where two have one label.

    >>> name = namer({"a": "A", "b": "Same", "c": "Same"})
    >>> name("a"), name("b"), name("unknown")
    ('A', 'Same [b]', 'unknown')
    """
    counts: dict[str, int] = {}
    for label in labels.values():
        counts[label] = counts.get(label, 0) + 1
    others = set(labels)

    def name(model: str) -> str:
        label = labels.get(model, model)
        if len(label) > LONGEST:
            return f"“{label[: LONGEST - 1]}…” [{model}]"
        if label != model and (counts.get(label, 0) > 1 or label in others):
            return f"{quoted(label)} [{model}]"
        return quoted(label)

    return name


def page_namer(labels: dict[str, str]) -> Name:
    """Return what models are called in tables: by label and id."""
    return lambda model: called(model, labels)


def weighted_sum(parents: Sequence[str], weights: Sequence[str], name: Name) -> str:
    """
    Return a sum as one would write it; an add-difference with its two parents in brackets.

    Parameters
    ----------
    parents, weights
        The weights as `plain` or `with_error` returned them.

    >>> weighted_sum(["a", "b"], ["0.7", "0.3"], str)
    '0.7 × a + 0.3 × b'
    >>> weighted_sum(["a", "b", "c"], ["1", "0.8", "−0.8"], str)
    'a + 0.8 × (b − c)'
    >>> weighted_sum(["a", "b"], ["1.2", "−0.2"], str)
    '1.2 × a − 0.2 × b'
    """
    if told := _add_difference(list(zip(parents, weights, strict=True)), name):
        return told
    text = ""
    for parent, weight in zip(parents, weights, strict=True):
        is_minus = weight.startswith(MINUS)
        sign = f" {MINUS if is_minus else '+'} " if text else MINUS if is_minus else ""
        text += f"{sign}{_times(weight.removeprefix(MINUS))}{name(parent)}"
    return text


def _add_difference(terms: list[tuple[str, str]], name: Name) -> str:
    """Return A + w × (B − C); "" where the terms are not so."""
    if len(terms) != 3:
        return ""
    for base, weight in terms:
        plus, minus = (term for term in terms if term[0] != base)
        if plus[1].startswith(MINUS):
            plus, minus = minus, plus
        if weight == "1" and minus[1] == f"{MINUS}{plus[1]}":
            return f"{name(base)} + {_times(plus[1])}({name(plus[0])} {MINUS} {name(minus[0])})"
    return ""


def _times(weight: str) -> str:
    return "" if weight == "1" else f"{weight} × "
