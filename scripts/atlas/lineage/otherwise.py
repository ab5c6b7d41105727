"""Recipes of other parents than the fit's, where only these were proved."""

from __future__ import annotations

from dataclasses import replace

from atlas.lineage import proved
from atlas.lineage.fitted import TAKEN, Fits, Fitted, Part
from atlas.lineage.proved import Proof, Proofs
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict


def proved_parents(fits: Fits, proofs: Proofs) -> Fits:
    """
    Return fits in which a component has the parents and weights that make it again.

    Of models on a line distances tell no more than that one lies between others; where the fit's
    parents do not make its bits, and others do, it was made from these.
    """
    return {
        target: {
            component: _settled(fitted, proofs.get((target, component), {}).get(WHOLE), fits)
            for component, fitted in components.items()
        }
        for target, components in fits.items()
    }


def _settled(fitted: Fitted, proof: Proof | None, fits: Fits) -> Fitted:
    whole = fitted.whole
    if proof is None or proof.verdict != proved.PROVED or not whole.is_sum:
        return fitted
    if proof.told_weights(whole.families) is not None:
        return fitted
    parents, weights = proof.parents, proof.weights
    alike = tuple(_alike(parent, fitted.component, fits) for parent in parents)

    def told(part: Part) -> Part:
        if part.verdict not in (Verdict.RECOVERED, Verdict.EQUAL):
            return part
        if part.weights is None:
            return replace(part, parents=parents, alike=alike)
        errors = (0.0,) * len(parents)
        return replace(
            part, parents=parents, weights=weights, errors=errors, alike=alike, form=Form.CONVEX
        )

    return Fitted(told(whole), tuple(map(told, fitted.blocks)))


def _alike(model: str, component: str, fits: Fits) -> tuple[str, ...]:
    """Return the other models that hold the same as one, or it rounded."""
    source = _source(model, component, fits)
    family = {each for each in fits if _source(each, component, fits) == source}
    return tuple(sorted((family | {source}) - {model}))


def _source(model: str, component: str, fits: Fits) -> str:
    """Return the model that a component was taken from: itself if it is no copy and no cast."""
    fitted = fits.get(model, {}).get(component)
    if fitted is None or fitted.whole.verdict not in TAKEN or not fitted.whole.parents:
        return model
    return fitted.whole.parents[0]
