"""All that is told of a group's recipes: its models by kind, and sentences of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from atlas.basis.page import one_line
from atlas.claims import table as claim_table
from atlas.lineage import baked, claimed_sums, fitted, otherwise, proved, said, turned
from atlas.lineage.baked import Changes
from atlas.lineage.claimed_sums import ClaimedSums
from atlas.lineage.expressions import Name, namer
from atlas.lineage.fitted import TAKEN, Fits
from atlas.lineage.proved import Proofs
from atlas.lineage.said import Claims, Said
from atlas.lineage.sentences import Teller, titles
from atlas.recipes.verdicts import Verdict


class Kind(IntEnum):
    """What is found of a model, the most telling first."""

    MERGE = 0
    """A part is a sum of others that leaves no more than rounding."""
    NEAR = 1
    """A sum of others comes near a part."""
    HIDDEN = 2
    """Rounding hides of how much of its parents a part is."""
    TAKEN = 3
    """All parts are other models', or these rounded."""
    NONE = 4
    """No recipe was found of some part."""
    NOT_COMPARED = 5
    """Nothing of it was compared."""


TITLES = {
    Kind.MERGE: "merge",
    Kind.NEAR: "near a merge",
    Kind.HIDDEN: "hidden by rounding",
    Kind.TAKEN: "copy or cast",
    Kind.NONE: "no recipe",
    Kind.NOT_COMPARED: "not compared",
}
"""What tables call them."""


@dataclass(frozen=True, eq=False)
class Told:
    """A group's recipes with proofs, claims and low ranks, and how its models are called."""

    group: str
    models: Sequence[str]
    """In the roster's order."""
    labels: Mapping[str, str]
    fits: Fits
    proofs: Proofs
    claims: Claims
    changes: Changes
    sums: ClaimedSums = claimed_sums.NOTHING
    is_published: bool = False
    """Whether all rests on published matrices."""
    _said: dict[str, list[Said]] = field(default_factory=dict)

    @cached_property
    def name(self) -> Name:
        """What models are called in sentences."""
        return namer(dict(self.labels))

    @cached_property
    def teller(self) -> Teller:
        """Who writes the sentences."""
        return Teller(self.fits, self.proofs, self.models, self.name)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Each target's kind."""
        return {target: self._kind(target) for target in self.fits}

    def _kind(self, target: str) -> Kind:
        components = self.fits[target].values()
        verdicts = {each.whole.verdict for each in components}
        sums = [each for each in components if each.is_sum]
        if any(map(self.teller.is_recovered, sums)):
            return Kind.MERGE
        if sums:
            return Kind.NEAR
        if Verdict.UNDETERMINED in verdicts:
            return Kind.HIDDEN
        if verdicts <= {*TAKEN, Verdict.NOT_COMPARED} and verdicts & TAKEN:
            return Kind.TAKEN
        return Kind.NONE if Verdict.NONE in verdicts or verdicts & TAKEN else Kind.NOT_COMPARED

    def of_kind(self, kind: Kind) -> list[str]:
        """Return the models of a kind, in the roster's order."""
        return [target for target, own in self.kinds.items() if own is kind]

    def label(self, model: str) -> str:
        """Return what a model is called at the beginning of a sentence."""
        told = self.name(model)
        is_whole = told.startswith("“") and told.endswith("”")
        return one_line(told[1:-1] if is_whole else told)

    def sentence(self, model: str) -> str:
        """Return one sentence about a model."""
        return self.teller.sentence(model, subject=self.label(model))

    def baked(self, model: str) -> list[str]:
        """Return what was baked into a model, in words."""
        return baked.words(self.changes.get(model, ()), self.name)

    def said(self, model: str) -> list[Said]:
        """Return what is claimed of a model, beside what its weights say."""
        if model not in self._said:
            self._said[model] = said.of_model(self.claims, self.fits, model, self.models, self.sums)
        return self._said[model]


def read(
    *,
    fits: Path,
    proofs: Path | None,
    claims: Path | None,
    low_rank: Path | None,
    distances: Path | None,
    group: str,
    models: Sequence[str],
    labels: Mapping[str, str],
    is_published: bool,
) -> Told:
    """Return all that is told of a group, from its tables; those that there are not, are None."""
    made_again = proved.read(proofs)
    settled = otherwise.proved_parents(fitted.read(fits, models), made_again)
    found = turned.without(settled, made_again)
    said_of = claim_table.read(claims) if claims else {}
    return Told(
        group=group,
        models=list(models) or list(found),
        labels=labels,
        fits=found,
        proofs=made_again,
        claims=said_of,
        changes=baked.read(low_rank),
        sums=claimed_sums.read(distances, said_of, found),
        is_published=is_published,
    )


def for_pages(told: Told, findings: Sequence[str]) -> str:
    """
    Return what the group's other pages tell of recipes, as JSON.

    `findings`, and `models`: of each `kind`, `recipe` (what is said of some components: `of`,
    `text`), `baked` and `claims`. All texts are plain, in one line.
    """
    facts = {
        model: {
            "kind": TITLES[told.kinds[model]],
            "recipe": [
                {"of": titles(components), "text": one_line(text)}
                for components, text in told.teller.parts(model)
            ],
            "baked": [one_line(text) for text in told.baked(model)],
            "claims": [
                {
                    "source": one_line(each.source),
                    "what": one_line(each.what),
                    "answer": str(each.answer),
                    "words": one_line(each.words),
                }
                for each in told.said(model)
            ],
        }
        for model in told.fits
    }
    whole = {"findings": list(map(one_line, findings)), "models": facts}
    return json.dumps(whole, ensure_ascii=False, indent=0) + "\n"
