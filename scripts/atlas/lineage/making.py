"""Fitted recipes, as the graph needs them: per model and component, with its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas.lineage import fitted, otherwise, proved
from atlas.lineage.fitted import Part
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict


@dataclass(frozen=True)
class Making:
    """The recipe of a model's component."""

    target: str
    component: str
    whole: Part
    blocks: Mapping[str, Part]

    @property
    def is_merge(self) -> bool:
        """Whether it is a sum of others, or of one that is scaled."""
        sums = (Verdict.RECOVERED, Verdict.APPROXIMATE, Verdict.UNDETERMINED)
        scaled = self.whole.form is Form.SCALED
        return self.whole.verdict in sums and len(self.whole.parents) >= (1 if scaled else 2)

    @property
    def is_recovered(self) -> bool:
        """Whether it leaves no more than rounding does."""
        return self.whole.verdict is Verdict.RECOVERED

    @property
    def is_convex(self) -> bool:
        """Whether each of its blocks lies between the parents, and one of them truly between."""
        forms = {part.form for part in (self.whole, *self.blocks.values())}
        return Form.CONVEX in forms and not forms & {Form.SIGNED, Form.SCALED}

    def weights_of(self, place: int) -> dict[str, float]:
        """
        Return the weights of the parent at a place, by block.

        A component with one set of weights has the block WHOLE alone. A block that is another
        model's, bit for bit or rounded, has 1 or 0 of the parent; one that does not tell has no
        weight.
        """
        if self.whole.weights is not None:
            return {WHOLE: self.whole.weights[place]}
        holders = self.whole.holders(place)
        found = {}
        for block, part in self.blocks.items():
            weight = _weight_in(part, holders)
            if weight is not None:
                found[block] = weight
        return found


def _weight_in(part: Part, holders: frozenset[str]) -> float | None:
    own = [place for place in range(len(part.parents)) if part.holders(place) & holders]
    if part.verdict in (Verdict.COPY, Verdict.CAST):
        return 1.0 if own else 0.0
    if part.weights is None:
        return None
    return sum(part.weights[place] for place in own) if own else 0.0


def read(table: Path, proofs: Path | None) -> dict[tuple[str, str], Making]:
    """
    Return the recipes of a table of fits, by model and component.

    Parameters
    ----------
    proofs
        The group's proofs (proofs.csv), if there are any: they may tell of other parents.
    """
    found = otherwise.proved_parents(fitted.read(table, ()), proved.read(proofs))
    return {
        (target, component): Making(
            target, component, fit.whole, {part.block: part for part in fit.blocks}
        )
        for target, fits in found.items()
        for component, fit in fits.items()
    }
