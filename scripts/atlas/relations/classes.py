"""What the models of a group are sorted by: tags, families that share a component, or dtypes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

TAG = "tag"
DTYPE = "dtype"
AT_A_GLANCE = 9
"""So many classes can be told apart by colour."""


@dataclass(frozen=True)
class Classes:
    """One way to sort models, and the class of each."""

    kind: str
    """`tag`, `dtype`, or the component that the families share."""
    of: Mapping[str, str]
    """Model to its tag, dtype, or its family's letter; models of no class are not in it."""

    def names(self) -> list[str]:
        """Return the classes: tags from the commonest to the rarest, letters in their order."""
        counts = Counter(self.of.values())
        if self.kind == TAG:
            return sorted(counts, key=lambda name: (-counts[name], name))
        return sorted(counts, key=lambda name: (len(name), name))

    def information(self, models: int) -> float:
        """
        Return how much the classes tell of one of so many models, in nats.

        Only the nine largest count, as more can't be told apart at a glance, and of them those of
        several models: scores of pairs tell less than a few large families.
        """
        counts = [count for _, count in Counter(self.of.values()).most_common(AT_A_GLANCE)]
        return sum(count / models * log(models / count) for count in counts if count > 1)


def by_tag(tags: Mapping[str, Sequence[str]]) -> list[Classes]:
    """
    Sort models by the first of their tags that not all of them have.

    >>> by_tag({"a": ["sd1", "anime"], "b": ["sd1"], "c": ["photo", "sd1"]})[0].of
    {'a': 'anime', 'c': 'photo'}
    """
    common = set.intersection(*map(set, tags.values())) if tags else set()
    first = {
        model: next((tag for tag in mine if tag not in common), None)
        for model, mine in tags.items()
    }
    found = {model: tag for model, tag in first.items() if tag is not None}
    return [Classes(TAG, found)] if found else []


def by_dtype(dtypes: Mapping[str, str]) -> Classes:
    """
    Sort models by the commonest dtype of a component.

    Parameters
    ----------
    dtypes
        Model to its dtypes, the commonest first; empty for one that lacks the component.

    >>> by_dtype({"a": "f16, f32", "b": "bf16", "c": ""}).of
    {'a': 'f16', 'b': 'bf16'}
    """
    return Classes(DTYPE, {m: each.partition(",")[0] for m, each in dtypes.items() if each})


def leading(found: Sequence[Classes], models: int) -> Classes | None:
    """Return what colours so many models: their tags, else the families that tell most."""
    tagged = [classes for classes in found if classes.kind == TAG]
    families = [classes for classes in found if classes.kind != DTYPE]
    told = max(families, key=lambda classes: classes.information(models), default=None)
    return next(iter(tagged), told)
