"""Collect what is said of the models of a roster, find the parents, and tell what is inherited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from atlas.claims.claim import Claim, Held, Kind
from atlas.claims.matching import Directory, Known, bare_name, matched
from atlas.claims.roster_recipes import BASE, RECIPE, base_claims, recipe_claims
from atlas.claims.training import KOHYA
from atlas.claims.values import table_of, text_of
from atlas.claims.writers import claims_in
from atlas.fingerprints.provenance import FileMark, Provenance
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import FileMetadata


@dataclass(frozen=True)
class Believed:
    """A model of the roster, as far as the roster tells it."""

    id: str
    label: str
    path: str
    base: str | None = None
    recipe: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Subject:
    """A model with what its files say; the texts themselves are not kept."""

    believed: Believed
    kind: str = MODEL
    held: Held = field(default_factory=Held)
    files: tuple[FileMark, ...] = ()
    written: tuple[Claim, ...] = ()
    saved_under: Mapping[str, str] = field(default_factory=dict)
    """By writer the name under which the file was saved, where it is told."""

    @classmethod
    def of(
        cls, believed: Believed, provenance: Provenance, held: Held, kind: str = MODEL
    ) -> "Subject":
        """Return a model with what its fingerprint tells of it."""
        return cls(
            believed,
            kind,
            held,
            provenance.files,
            tuple(claims_in(provenance.metadata, held)),
            _saved_under(provenance.metadata),
        )

    @property
    def known(self) -> Known:
        """By what others may name it."""
        return Known(self.believed.id, self.believed.label, self.believed.path, self.files)


def collected(
    subjects: Sequence[Subject], others: Iterable[Believed] = ()
) -> dict[str, list[Claim]]:
    """
    Return the claims of each model, in the order of the models.

    Parents are looked for among all of them and among `others`, of which no more is known than the
    roster tells. A claim that seems to be a parent's is marked: see `_inherited`.
    """
    named = [Known(each.id, each.label, each.path) for each in others]
    directory = Directory([*(model.known for model in subjects), *named])
    said = {model.believed.id: _claims(model, directory) for model in subjects}
    return {model.believed.id: _marked(model, said, directory) for model in subjects}


def _claims(model: Subject, directory: Directory) -> list[Claim]:
    own = model.believed
    believed = [*base_claims(own.base), *recipe_claims(own.recipe, model.held)]
    return [
        *(_with_advice(matched(claim, directory, own.id), directory, own.id) for claim in believed),
        *(matched(claim, directory, own.id) for claim in model.written),
    ]


def _with_advice(claim: Claim, directory: Directory, own: str) -> Claim:
    """Tell of a roster's claim which ids there are not."""
    faults = [
        f"{parent.name} is {ITSELF}"
        if parent.name == own
        else f"{ABSENT} {parent.name}{directory.suggestion(parent.name)}"
        for parent in claim.parents
        if not parent.model
    ]
    return replace(claim, detail="; ".join(filter(None, [claim.detail, *faults])))


ABSENT = "there is no model"
ITSELF = "the model itself"
"""What is told of an id that a roster's recipe names in vain."""


def warnings_of(claims: Mapping[str, Sequence[Claim]]) -> list[str]:
    """Return what is wrong with the recipes of a roster, each once."""
    return list(
        dict.fromkeys(
            f"{model}, {claim.source}: {claim.detail}"
            for model, said in claims.items()
            for claim in said
            if claim.source in (BASE, RECIPE) and (ABSENT in claim.detail or ITSELF in claim.detail)
        )
    )


def _marked(model: Subject, said: Mapping[str, list[Claim]], directory: Directory) -> list[Claim]:
    own = said[model.believed.id]
    named_after = _named_after(model, directory)
    by_source: dict[str, set[str]] = {}
    for claim in own:
        found = by_source.setdefault(claim.source, set())
        found |= {parent.model for parent in claim.parents}
    others = {
        source: {parent for other in by_source if other != source for parent in by_source[other]}
        for source in by_source
    }
    marked = []
    for claim in own:
        words = _inherited(claim, model, said, others[claim.source], named_after)
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
    writer = claim.source.partition(" ")[0]
    if writer in named_after:
        return f"it was written into {named_after[writer]}"
    if writer == KOHYA and claim.kind == Kind.LORA and model.kind == MODEL:
        return "it is of a LoRA, and this is none"
    for parent in sorted(parents & set(said)):
        if any(_is_same(claim, other) for other in said[parent]):
            return f"{parent} has the same"
    return ""


def _is_same(one: Claim, other: Claim) -> bool:
    names = [[parent.name for parent in claim.parents] for claim in (one, other)]
    parts = [(claim.source, claim.kind, claim.order, claim.detail) for claim in (one, other)]
    return names[0] == names[1] and parts[0] == parts[1]


def _named_after(model: Subject, directory: Directory) -> dict[str, str]:
    """Return by writer the other model whose name its file was saved under, where that is told."""
    found = {}
    for writer, name in model.saved_under.items():
        called = directory.called(name)
        begins_so = any(each.startswith(bare_name(name)) for each in model.known.names)
        if len(called) == 1 and model.believed.id not in called and not begins_so:
            found[writer] = next(iter(called))
    return found


def _saved_under(metadata: Iterable[FileMetadata]) -> dict[str, str]:
    names: dict[str, str] = {}
    for said in metadata:
        recipe = table_of(said.texts.get("sd_merge_recipe"))
        merged = text_of(recipe.get("custom_name")) or text_of(recipe.get("output_name"))
        trained = text_of(said.texts.get("ss_output_name"))
        told = (("sd_merge_recipe", merged), (KOHYA, trained))
        names |= {writer: name for writer, name in told if name}
    return names
