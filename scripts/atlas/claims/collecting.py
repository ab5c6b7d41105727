"""Collect what is said of the models of a roster, find the parents, and tell what is inherited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from atlas.claims.claim import Claim, Held, Kind
from atlas.claims.matching import Directory, Known, bare_name, matched
from atlas.claims.roster_recipes import BASE, RECIPE, base_claims, recipe_claims
from atlas.claims.training import KOHYA
from atlas.claims.values import table_of, text_of
from atlas.claims.writers import claims_in
from atlas.fingerprints.provenance import Provenance
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import FileMetadata


@dataclass(frozen=True)
class Subject:
    """A model of the roster, and what its fingerprint tells of it."""

    id: str
    label: str
    path: str
    base: str | None = None
    recipe: Mapping[str, Any] | None = None
    kind: str = MODEL
    held: Held = Held()
    provenance: Provenance = Provenance()

    @property
    def known(self) -> Known:
        """By what others may name it."""
        return Known(self.id, self.label, self.path, self.provenance.files)


def collected(subjects: Iterable[Subject]) -> dict[str, list[Claim]]:
    """
    Return the claims of each model, in the order of the models.

    Parents are looked for among all of them. A claim that seems to be a parent's is marked: see
    `_inherited`.
    """
    models = list(subjects)
    directory = Directory(model.known for model in models)
    said = {model.id: _claims(model, directory) for model in models}
    return {model.id: _marked(model, said, directory) for model in models}


def _claims(model: Subject, directory: Directory) -> list[Claim]:
    written = claims_in(model.provenance.metadata, model.held)
    believed = [*base_claims(model.base), *recipe_claims(model.recipe, model.held)]
    found = [matched(claim, directory, model.id) for claim in written]
    return [
        *(_with_advice(matched(claim, directory, model.id), directory) for claim in believed),
        *found,
    ]


def _with_advice(claim: Claim, directory: Directory) -> Claim:
    """Tell of a roster's claim which ids there are not."""
    absent = [
        f"there is no model {parent.name}{directory.suggestion(parent.name)}"
        for parent in claim.parents
        if not parent.model
    ]
    return replace(claim, detail="; ".join(filter(None, [claim.detail, *absent])))


def _marked(model: Subject, said: Mapping[str, list[Claim]], directory: Directory) -> list[Claim]:
    parents = {
        source: {
            parent.model
            for claim in said[model.id]
            for parent in claim.parents
            if claim.source != source
        }
        for source in {claim.source for claim in said[model.id]}
    }
    named_after = _named_after(model, directory)
    marked = []
    for claim in said[model.id]:
        words = _inherited(claim, model, said, parents[claim.source], named_after)
        detail = "; ".join(filter(None, [claim.detail, words]))
        marked.append(replace(claim, inherited=bool(words), detail=detail))
    return marked


def _inherited(
    claim: Claim,
    model: Subject,
    said: Mapping[str, list[Claim]],
    parents: set[str],
    named_after: Mapping[str, str],
) -> str:
    """
    Return why a claim seems to be a parent's, taken over with its metadata; "" if it does not.

    It is where a parent that another source names has the same claim; where the name under which
    the writer saved it is another model's; and where a whole model has what is written into LoRAs.
    """
    if claim.source in (BASE, RECIPE):
        return ""
    source = claim.source.partition(" ")[0]
    if source in named_after:
        return f"it was written into {named_after[source]}"
    if source == KOHYA and claim.kind == Kind.LORA and model.kind == MODEL:
        return "it is of a LoRA, and this is none"
    for parent in sorted(parents & set(said)):
        if parent != model.id and any(_is_same(claim, other) for other in said[parent]):
            return f"{parent} has the same"
    return ""


def _is_same(one: Claim, other: Claim) -> bool:
    names = [[parent.name for parent in claim.parents] for claim in (one, other)]
    parts = [(claim.source, claim.kind, claim.order, claim.detail) for claim in (one, other)]
    return names[0] == names[1] and parts[0] == parts[1]


def _named_after(model: Subject, directory: Directory) -> dict[str, str]:
    """Return by writer the other model whose name its file was saved under, where that is told."""
    found = {}
    for source, name in _saved_under(model.provenance.metadata).items():
        others = directory.called(name) - {model.id}
        is_own = model.id in directory.called(name) or any(
            each.startswith(bare_name(name)) for each in model.known.names
        )
        if len(others) == 1 and not is_own:
            found[source] = next(iter(others))
    return found


def _saved_under(metadata: Iterable[FileMetadata]) -> dict[str, str]:
    names = {}
    for said in metadata:
        recipe = table_of(said.texts.get("sd_merge_recipe"))
        merged = text_of(recipe.get("custom_name")) or text_of(recipe.get("output_name"))
        trained = text_of(said.texts.get("ss_output_name"))
        names |= {
            source: name for source, name in (("sd_merge_recipe", merged), (KOHYA, trained)) if name
        }
    return names
