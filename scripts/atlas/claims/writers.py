"""All who write into a model's files how it was made, and what they say of one model."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from atlas.claims.cards import configuration, mergekit, model_card, modelspec
from atlas.claims.claim import WHOLE, Claim, Held
from atlas.claims.comfyui import comfyui
from atlas.claims.mecha import mecha
from atlas.claims.merge_recipes import merge_recipes
from atlas.claims.training import averaged, dates, kohya, lightning
from atlas.tensors.tensors import FileMetadata

Writer = Callable[[FileMetadata, Held], list[Claim]]

WRITERS: tuple[Writer, ...] = (
    merge_recipes,
    mecha,
    comfyui,
    kohya,
    modelspec,
    configuration,
    model_card,
    mergekit,
    lightning,
    averaged,
    dates,
)
"""Each takes what one file says, and returns no claim of what it does not know. In this order."""


def claims_in(metadata: Iterable[FileMetadata], held: Held) -> list[Claim]:
    """
    Return what a model's files say of its making; whatever they hold, nothing is raised.

    What the file of one component says is said of that component. What several files say alike, as
    shards do, is said once.

    Parameters
    ----------
    metadata
        Of the model's files: `Checkpoint.metadata`, or as a fingerprint keeps it.
    held
        The model's parts.
    """
    claims = [
        _of_component(claim, said.component)
        for said in metadata
        for writer in WRITERS
        for claim in writer(said, held)
    ]
    return list(dict.fromkeys(claims))


def _of_component(claim: Claim, component: str) -> Claim:
    is_whole = component and claim.component == WHOLE
    return replace(claim, component=component) if is_whole else claim
