"""Which of several models with equal weights a recipe names: as few models as explain it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from atlas.lineage.fitted import SUMS, TAKEN, Fitted, Part
from atlas.recipes.verdicts import Verdict

Named = Mapping[tuple[str, str], str]
"""A component and a parent of its fits to the model that is named in its place."""


def named(fitted: Mapping[str, Fitted], order: Mapping[str, int]) -> Named:
    """
    Return which model stands for each parent of a target.

    Parents are families: in one component the base and a fine-tune of another component are the
    same. A merge of two fine-tunes is told as one of these two in each component, not of the base.
    Families of fewest models choose first, since there is least choice; the others follow them.

    Parameters
    ----------
    fitted
        The target's components.
    order
        Model to its place in the roster.
    """
    families: dict[tuple[str, str], frozenset[str]] = {}
    for component, each in fitted.items():
        for parent, family in _families(each):
            known = families.get((component, parent), family)
            families[component, parent] = known & family
    counts = Counter(model for family in families.values() for model in family)
    chosen: list[str] = []
    found: dict[tuple[str, str], str] = {}
    for key in sorted(families, key=lambda key: (len(families[key]), key)):
        family, (_, parent) = families[key], key
        at_hand = [model for model in chosen if model in family]
        if not at_hand:
            best = min(
                family,
                key=lambda model: (
                    -counts[model],
                    model != parent,
                    order.get(model, len(order)),
                    model,
                ),
            )
            chosen.append(best)
            at_hand = [best]
        found[key] = at_hand[0]
    return found


def _families(fitted: Fitted) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each parent with those that hold the same as it, of each part that tells of it."""
    for part in fitted.parts:
        if _is_told(part):
            for family in part.families:
                yield family[0], frozenset(family)


def _is_told(part: Part) -> bool:
    return part.verdict in SUMS or part.verdict in TAKEN or part.verdict is Verdict.UNDETERMINED
