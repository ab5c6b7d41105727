"""Recipes in sentences: a phrase for each component, and one sentence for a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from atlas.basis.page import listed
from atlas.lineage import proved
from atlas.lineage.expressions import MINUS, Name, plain, weighted_sum, with_error
from atlas.lineage.fitted import TAKEN, Fits, Fitted, Part
from atlas.lineage.naming import named
from atlas.lineage.proved import Proof, Proofs
from atlas.lineage.runs import Run, folded, shortened
from atlas.names.components import WORDS
from atlas.plots.words import significant
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict

MOST_RUNS = 10
"""Runs of blocks that a sentence tells; all are in the page's table and in recipes.csv."""
MOST_TENSORS = 3
"""Deviating tensors that a sentence names."""
SAME = "the same in all of them"
"""Said of what the parents share."""
NEAR = "another arithmetic (TIES, DARE, …), or trained on after the merge"
"""What a sum that comes near may be in truth."""
MOST_TIMES = 1000
"""How many times what rounding leaves is told; more says nothing, as of float32."""
LENGTH = "the distance from the nearest model"
"""What a residual is told as a share of, where nothing is known of rounding."""


@dataclass(frozen=True, eq=False)
class Teller:
    """A group's recipes, and how its models are called."""

    fits: Fits
    proofs: Proofs
    models: Sequence[str]
    """In the roster's order."""
    name: Name
    _names: dict[str, Mapping[tuple[str, str], str]] = field(default_factory=dict)
    _parts: dict[tuple[str, bool], list[tuple[list[str], str]]] = field(default_factory=dict)

    @cached_property
    def place(self) -> dict[str, int]:
        """Each model's place in the roster."""
        return {model: place for place, model in enumerate(self.models)}

    def stand_in(self, part: Part, parent: str) -> str:
        """Return the model that is named in the place of a parent of a part."""
        if part.target not in self._names:
            self._names[part.target] = named(self.fits[part.target], self.place)
        return self._names[part.target].get((part.component, parent), parent)

    def proof(self, part: Part) -> Proof | None:
        """Return the proof of a part; that of its component where it has none of its own."""
        own = self.proofs.get((part.target, part.component), {})
        return own.get(part.block) or own.get(WHOLE)

    def comes_near(self, part: Part) -> bool:
        """
        Return whether a sum leaves more than rounding, and was not proved.

        Mergers that compute in half precision, or round the parents first, leave more than one
        rounding: where the same arithmetic gives the same bits, that is all there is to it.
        """
        if part.verdict is not Verdict.APPROXIMATE:
            return False
        found = self.proof(part)
        return found is None or found.verdict == proved.NOT_PROVED

    def is_recovered(self, fitted: Fitted) -> bool:
        """Return whether a component is a sum, and does not merely come near one."""
        if fitted.whole.verdict is Verdict.RECOVERED:
            return fitted.is_sum
        return fitted.is_sum and not any(map(self.comes_near, fitted.parts))

    def weights(self, part: Part, *, errors: bool = False) -> list[str]:
        """Return a part's weights as texts: those that a proof used, or as few digits as hold."""
        found = self.proof(part)
        if found and (told := found.told_weights(part.families)):
            return told
        tell: Callable[[float, float | None], str] = with_error if errors else plain
        known = part.errors or (None,) * len(part.parents)
        return [tell(*pair) for pair in zip(part.weights or (), known, strict=True)]

    def sum(self, part: Part, *, errors: bool = True) -> str:
        """Return a part's weighted sum as one would write it."""
        parents = [self.stand_in(part, parent) for parent in part.parents]
        return weighted_sum(parents, self.weights(part, errors=errors), self.name)

    def phrase(self, fitted: Fitted, *, in_brief: bool = False) -> str:
        """
        Return what a component is, without its proof.

        In brief, weights of blocks and tensors that deviate are left out, and what is near to a sum
        is not explained.
        """
        if fitted.is_by_block:
            told = self._by_block(fitted, in_brief=in_brief)
        else:
            told = self._whole(fitted.whole, in_brief=in_brief)
        return f"{told}{self._deviating(fitted)}" if fitted.is_sum and not in_brief else told

    def proof_of(self, fitted: Fitted) -> str:
        """Return what making a component again has shown; "" where it was not tried."""
        own = self.proofs.get((fitted.whole.target, fitted.component), {})
        return proved.words(own.values()) if fitted.is_sum else ""

    def parts(self, target: str, *, in_brief: bool = False) -> list[tuple[list[str], str]]:
        """Return the components of a target of which the same is said, and what is said."""
        key = (target, in_brief)
        if key not in self._parts:
            self._parts[key] = self._parts_of(target, in_brief=in_brief)
        return self._parts[key]

    def _parts_of(self, target: str, *, in_brief: bool) -> list[tuple[list[str], str]]:
        found: dict[str, list[str]] = {}
        used = self._parents(target)
        for component, fitted in self.fits[target].items():
            phrase = self.phrase(fitted, in_brief=in_brief)
            told = ", ".join(filter(None, [phrase, self.proof_of(fitted)]))
            if fitted.whole.verdict in {*TAKEN, Verdict.EQUAL} and len(used) > 1:
                told = SAME if used <= self._family(fitted.whole) else told
            found.setdefault(told, []).append(component)
        return [(components, text) for text, components in found.items()]

    def sentence(self, target: str, *, subject: str) -> str:
        """Return one sentence about a target, which is called `subject`."""
        parts = self.parts(target)
        if len(parts) == 1:
            components, text = parts[0]
            return f"{subject}{self._sign(target, components)} {text}"
        return f"{subject}: {self.in_parts(target)}"

    def in_parts(self, target: str) -> str:
        """Return what is said of a target's components, one after the other."""
        return "; ".join(
            f"{titles(components)}{self._sign(target, components)} {text}"
            for components, text in self.parts(target)
        )

    def _sign(self, target: str, components: Sequence[str]) -> str:
        """Return what leads from a name to what is said: a sum is what it equals."""
        found = (self.fits[target][component] for component in components)
        return " =" if all(map(self.is_recovered, found)) else ":"

    def _parents(self, target: str) -> set[str]:
        """Return the models that are named as parents of a target's sums."""
        return {
            self.stand_in(part, parent)
            for fitted in self.fits[target].values()
            if fitted.is_sum
            for part in fitted.parts
            for parent in part.parents
        }

    def _family(self, part: Part) -> set[str]:
        """Return all models that hold the same as a part, where it is one other's."""
        return {model for family in part.families for model in family}

    def _whole(self, part: Part, *, in_brief: bool) -> str:
        """Return what a component is of which one thing is said, or a single block."""
        parents = [self.name(self.stand_in(part, parent)) for parent in part.parents]
        match part.verdict:
            case Verdict.COPY:
                return f"the same as {parents[0]}" if parents else "the same as another"
            case Verdict.CAST:
                return f"{parents[0]}, rounded" if parents else "another, rounded"
            case Verdict.EQUAL:
                return f"what {_in_words(parents)} share" if parents else "the same in all"
            case Verdict.UNDETERMINED if parents:
                return f"of {listed(parents)}; rounding hides how much of each"
            case Verdict.UNDETERMINED:
                return "rounding hides what it is made of"
            case Verdict.NOT_COMPARED:
                return "not compared with any other"
            case Verdict.NONE:
                near = f" (nearest: {self.name(part.nearest)})" if part.nearest else ""
                return f"no recipe found{near}"
        if part.weights is None:
            return f"of {listed(parents)}, another sum in each block"
        if self.comes_near(part) and in_brief:
            return f"comes near {self.sum(part)}"
        if self.comes_near(part):
            return f"comes near {self.sum(part)} and leaves {self.left(part)}: {NEAR}"
        return f"{self.sum(part)}{_scaled(part)}"

    def left(self, part: Part) -> str:
        """Return what a sum leaves, in words."""
        times = part.times_floor
        if times is not None and times < MOST_TIMES:
            return f"{significant(times, 2)} times what rounding would"
        share = part.relative(part.residual)
        return "more than rounding" if share is None else f"{significant(share, 2)} of {LENGTH}"

    def _by_block(self, fitted: Fitted, *, in_brief: bool) -> str:
        names = self.block_parents(fitted)
        head = f"{_in_words(map(self.name, names))}, block by block"
        if not self.is_recovered(fitted):
            head = f"comes near {head}"
        if in_brief:
            return head
        runs = self.runs(fitted)
        if len(names) == 2:
            share = f"share of {self.name(names[1])}: "
            told = shortened(runs, MOST_RUNS, lambda run: f"{run.text} in {run.name}")
        else:
            share = ""
            told = shortened(runs, MOST_RUNS // 2, lambda run: f"{run.name} {run.text}")
        return f"{head} ({share}{'; '.join(told)})"

    def block_parents(self, fitted: Fitted) -> list[str]:
        """Return the models that are named in a component's blocks, in the roster's order."""
        found = {
            self.stand_in(part, parent)
            for part in fitted.blocks
            if part.verdict in TAKEN or part.is_sum or part.verdict is Verdict.UNDETERMINED
            for parent in part.parents
        }
        return sorted(found, key=lambda model: self.place.get(model, len(self.place)))

    def runs(self, fitted: Fitted) -> list[Run]:
        """
        Return the blocks of a component with what is said of each, equal ones folded.

        Of two parents in all it is the share of the second one, in the roster's order.
        """
        names = self.block_parents(fitted)
        second = names[1] if len(names) == 2 else None
        return folded((part.block, self._block(part, second)) for part in fitted.blocks)

    def _block(self, part: Part, second: str | None) -> str:
        if part.verdict in TAKEN or part.is_sum:
            parents = [self.stand_in(part, parent) for parent in part.parents]
            weights = self.weights(part, errors=True) if part.is_sum else ["1"]
            near = "≈ " if self.comes_near(part) else ""
            is_share = part.form in (None, Form.CONVEX) or len(parents) < 2
            if second is not None and is_share:
                return near + dict(zip(parents, weights, strict=False)).get(second, "0")
            return f"{near}{weighted_sum(parents, weights, self.name)}"
        return {
            Verdict.EQUAL: "any (they are the same)",
            Verdict.UNDETERMINED: "hidden by rounding",
            Verdict.NOT_COMPARED: "not compared",
        }.get(part.verdict, "no recipe")

    def _deviating(self, fitted: Fitted) -> str:
        """Return which tensors do not follow, as an addition to a phrase."""
        found = [each.name for each in fitted.deviating]
        if not found:
            return ""
        noun = "tensor" if len(found) == 1 else "tensors"
        return f", but for {len(found)} {noun} ({listed(found, most=MOST_TENSORS)})"


def titles(components: Sequence[str]) -> str:
    """
    Return components as a sentence names them.

    >>> titles(["unet", "vae", "text_encoder"])
    'UNet, VAE and text encoder'
    """
    return _in_words(WORDS.get(component, component) for component in components)


def _in_words(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _scaled(part: Part) -> str:
    """Tell of weights that do not sum to 1, as some mergers allow."""
    if part.form is not Form.SCALED or part.weights is None:
        return ""
    return f" (weights sum to {plain(sum(part.weights))})".replace("-", MINUS)
