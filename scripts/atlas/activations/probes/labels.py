"""Labels that a network is told: classes, blends of them, or a number, by the sample's number."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import torch

from atlas.activations.samples import uniform
from atlas.basis.errors import AtlasError, nearest

RANDOM = "random"
NO_LABEL = "none"
PURPOSE = "label"
"""Word of what is random about a sample's label."""

Blend = Mapping[int, float]
"""Class to its share; empty for no label."""


class Labels(ABC):
    """What the samples of a dataset are told, as options say."""

    @abstractmethod
    def columns(self, seed: int, indices: Sequence[int]) -> dict[str, list[Any]]:
        """Return the samples' labels as columns of the table of samples, by name."""

    @abstractmethod
    def vectors(self, seed: int, indices: Sequence[int]) -> torch.Tensor:
        """Return what the label's embedding takes, float32 (samples, width)."""


@dataclass(frozen=True)
class NoLabels(Labels):
    """Of a network that takes none."""

    def columns(self, seed: int, indices: Sequence[int]) -> dict[str, list[Any]]:
        """Return no column."""
        return {}

    def vectors(self, seed: int, indices: Sequence[int]) -> torch.Tensor:
        """Return (samples, 0)."""
        return torch.zeros(len(indices), 0)


@dataclass(frozen=True)
class ClassLabels(Labels):
    """One class after the other, by chance, or a list that is gone through again and again."""

    count: int
    """Classes of the network."""
    blends: tuple[Blend, ...] = ()
    """The list; empty for all classes in turn."""
    is_random: bool = False

    def columns(self, seed: int, indices: Sequence[int]) -> dict[str, list[Any]]:
        """Return `label`: numbers, or texts where the list has a blend or no label in it."""
        blends = [self._blend(seed, index) for index in indices]
        if all(_class_of(blend) is not None for blend in self.blends):
            return {"label": [_class_of(blend) for blend in blends]}
        return {"label": [told(blend) for blend in blends]}

    def vectors(self, seed: int, indices: Sequence[int]) -> torch.Tensor:
        """Return each class's share, float32 (samples, classes); zeros for no label."""
        shares = torch.zeros(len(indices), self.count)
        for row, index in enumerate(indices):
            for label, share in self._blend(seed, index).items():
                shares[row, label] = share
        return shares

    def _blend(self, seed: int, index: int) -> Blend:
        if self.is_random:
            return {math.floor(uniform(seed, index, PURPOSE) * self.count): 1.0}
        return self.blends[index % len(self.blends)] if self.blends else {index % self.count: 1.0}


@dataclass(frozen=True)
class NumericLabel(Labels):
    """A number of a range, told to the network as its place in it, 0 to 1."""

    name: str = "label"
    lowest: float = 0.0
    highest: float = 1.0
    values: tuple[float, ...] = field(default=())
    """A list that is gone through again and again; empty for numbers by chance."""

    def columns(self, seed: int, indices: Sequence[int]) -> dict[str, list[Any]]:
        """Return the numbers, by the label's own name."""
        return {self.name: [self._value(seed, index) for index in indices]}

    def vectors(self, seed: int, indices: Sequence[int]) -> torch.Tensor:
        """Return the numbers' places in the range, float32 (samples, 1)."""
        values = torch.tensor([self._value(seed, index) for index in indices])
        return ((values - self.lowest) / (self.highest - self.lowest))[:, None]

    def _value(self, seed: int, index: int) -> float:
        if self.values:
            return self.values[index % len(self.values)]
        return self.lowest + (self.highest - self.lowest) * uniform(seed, index, PURPOSE)


def told(blend: Blend) -> str:
    """
    Return a blend in words.

    >>> told({3: 0.5, 7: 0.25}), told({3: 1.0}), told({})
    ('0.5*3 + 0.25*7', '3', 'none')
    """
    label = _class_of(blend)
    parts = [f"{share:g}*{each}" for each, share in blend.items()]
    return str(label) if label is not None else " + ".join(parts) or NO_LABEL


def of_nothing(option: Any) -> NoLabels:
    """Return the labels of a network that takes none."""
    if option is not None:
        raise AtlasError("labels: the network takes no label; leave the option out")
    return NoLabels()


def of_classes(option: Any, count: int) -> ClassLabels:
    """
    Return a network's labels as the option `labels` says.

    Parameters
    ----------
    option
        None, `random`, or a list of classes, `none` and blends ({class: share, …}).
    count
        Classes of the network.

    Raises
    ------
    AtlasError
        The option is nothing of that, or a class is none of the network's.
    """
    if option is None or option == RANDOM:
        return ClassLabels(count, is_random=option == RANDOM)
    if isinstance(option, Mapping) and not _is_blend(option):
        raise AtlasError(
            f"labels: the network takes one of {count} classes, not a number; give a list of "
            "classes, none or blends such as {3: 0.5, 7: 0.5}, or random"
        )
    return ClassLabels(count, blends=tuple(_blend(each, count) for each in _listed(option)))


def of_number(option: Any) -> NumericLabel:
    """
    Return the labels of a network that takes a number, as the option `labels` says.

    Parameters
    ----------
    option
        None or `random` (0 to 1 by chance), a list of numbers 0 to 1, or a mapping with the
        range: from, to, and where wanted name and values.

    Raises
    ------
    AtlasError
        The option is nothing of that, or a number lies outside of the range.
    """
    if option is None or option == RANDOM:
        return NumericLabel()
    facts: Mapping[Any, Any] = option if isinstance(option, Mapping) else {"values": option}
    for key in facts:
        if key not in (keys := ("name", "from", "to", "values")):
            raise AtlasError(
                f"labels: unknown key {key}{nearest(str(key), keys)}; the label is a number, told "
                "by {name: difficulty, from: 1, to: 100}"
            )
    name = facts.get("name", NumericLabel.name)
    lowest, highest = facts.get("from", 0), facts.get("to", 1)
    if not isinstance(name, str) or not name:
        raise AtlasError(f"labels: name: {name!r} is no name; give a word")
    if not _is_number(lowest) or not _is_number(highest) or lowest == highest:
        raise AtlasError(f"labels: from {lowest} to {highest} is no range; give two numbers")
    values = _listed(facts["values"]) if "values" in facts else ()
    low, high = sorted((lowest, highest))
    for value in values:
        if not _is_number(value) or not low <= value <= high:
            raise AtlasError(f"labels: {value} is no number from {low:g} to {high:g}")
    return NumericLabel(name, float(lowest), float(highest), tuple(float(v) for v in values))


def _listed(option: Any) -> Sequence[Any]:
    if isinstance(option, str) and option != NO_LABEL:
        raise AtlasError(
            f"labels: {option!r} is none of the words {RANDOM} and {NO_LABEL}"
            f"{nearest(option, (RANDOM, NO_LABEL))}; a list serves, too"
        )
    if isinstance(option, list | tuple) and not option:
        raise AtlasError("labels: the list is empty; leave the option out for all labels in turn")
    return option if isinstance(option, list | tuple) else [option]


def _blend(option: Any, count: int) -> Blend:
    if option is None or option == NO_LABEL:
        return {}
    if isinstance(option, Mapping):
        if not _is_blend(option):
            raise AtlasError(
                f"labels: {dict(option)} is no blend; give shares by class: {{3: 0.5, 7: 0.5}}"
            )
        return {_class(label, count): float(share) for label, share in option.items()}
    return {_class(option, count): 1.0}


def _is_blend(option: Mapping[Any, Any]) -> bool:
    is_by_class = all(str(label).lstrip("-").isdigit() for label in option)
    return bool(option) and is_by_class and all(_is_number(share) for share in option.values())


def _class(option: Any, count: int) -> int:
    # keys of a mapping are texts where it was written as JSON
    label = int(option) if isinstance(option, str) and option.lstrip("-").isdigit() else option
    if type(label) is not int or not 0 <= label < count:
        raise AtlasError(
            f"labels: {option!r} is none of the network's classes, 0 to {count - 1} (or {NO_LABEL})"
        )
    return label


def _class_of(blend: Blend) -> int | None:
    """Return the class of what is no blend."""
    return next(iter(blend)) if list(blend.values()) == [1.0] else None


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float) and math.isfinite(value)
