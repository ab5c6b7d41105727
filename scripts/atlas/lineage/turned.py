"""
Relations that were read as a model's recipe, and are another one's that was proved.

From x = a + (b − c) follows a = x + (c − b), and both fit as well: where making x again gives its
bits, and making a again does not, the relation is told of x alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from atlas.lineage import proved
from atlas.lineage.fitted import Fits, Fitted, Part
from atlas.lineage.proved import Proofs
from atlas.recipes.verdicts import Form, Verdict

DECIDING = (proved.PROVED, proved.ORDERED)


def without(fits: Fits, proofs: Proofs) -> Fits:
    """Return fits in which such a relation has no recipe but that of the model that was made."""
    return {
        target: {
            component: _untold(fitted) if _is_turned(fitted, fits, proofs) else fitted
            for component, fitted in components.items()
        }
        for target, components in fits.items()
    }


def _is_turned(fitted: Fitted, fits: Fits, proofs: Proofs) -> bool:
    target = fitted.whole.target
    if not _is_signed(fitted) or _verdict(target, fitted, proofs) in DECIDING:
        return False
    families = _families(fitted)
    for family in families:
        others = [each for each in families if each is not family] + [{target}]
        for model in sorted(family & set(fits)):
            other = fits[model].get(fitted.component)
            if other is None or not _is_signed(other):
                continue
            is_made = _verdict(model, other, proofs) in DECIDING
            if is_made and _are_alike(_families(other), others):
                return True
    return False


def _is_signed(fitted: Fitted) -> bool:
    return any(part.is_sum and part.form is Form.SIGNED for part in fitted.parts)


def _verdict(target: str, fitted: Fitted, proofs: Proofs) -> str:
    return proved.verdict_of(proofs.get((target, fitted.component), {}).values())


def _families(fitted: Fitted) -> list[set[str]]:
    """Return of each parent the models that may stand for it."""
    found: dict[str, set[str]] = {}
    for part in fitted.parts:
        for parent, family in zip(part.parents, part.families, strict=True):
            found.setdefault(parent, set()).update(family)
    return list(found.values())


def _are_alike(some: Collection[set[str]], others: Collection[set[str]]) -> bool:
    """Tell whether each family of either side has one model or more in common with one of other."""
    return len(some) == len(others) and all(
        sum(bool(family & other) for other in others) == 1 for family in some
    )


def _untold(fitted: Fitted) -> Fitted:
    return Fitted(_none(fitted.whole), tuple(map(_none, fitted.blocks)))


def _none(part: Part) -> Part:
    """Return a part of which no sum is told; what else is known of it stays."""
    if part.form is not Form.SIGNED:
        return part
    return replace(
        part,
        verdict=Verdict.NONE,
        form=None,
        parents=(),
        weights=None,
        errors=None,
        alike=(),
        residual=None,
        floor=None,
        deviating=(),
    )
