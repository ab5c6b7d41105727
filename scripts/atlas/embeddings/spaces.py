"""Spaces: what the text encoders of a group make of a list, where they can be compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from atlas.embeddings import procrustes
from atlas.embeddings.encoders import Encoder
from atlas.embeddings.word_store import Shards


@dataclass(frozen=True)
class Holder:
    """One content, and the models that have it."""

    content: str
    models: tuple[str, ...]
    """In the group's order."""

    @property
    def model(self) -> str:
        """The first of them: by whom it is called."""
        return self.models[0]


@dataclass(frozen=True, eq=False)
class Space:
    """One form of one component, of all contents that have the same width."""

    component: str
    """With the width behind it where the group has several."""
    form: str
    holders: tuple[Holder, ...]
    """The base first, the others in the group's order."""
    vectors: tuple[NDArray[np.float32], ...]
    """Of each, (texts, width)."""

    @property
    def base(self) -> Holder:
        """What the others are compared with."""
        return self.holders[0]

    @cached_property
    def aligned(self) -> tuple[procrustes.Aligned, ...]:
        """Each content's points laid onto the base's."""
        return tuple(procrustes.aligned(points, self.vectors[0]) for points in self.vectors)


def told(shards: Shards) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Return by (model, component) the content that it has, and why it has none."""
    contents: dict[tuple[str, str], str] = {}
    problems: dict[tuple[str, str], str] = {}
    for notes in shards.notes:
        for key, content in notes.get("held", {}).items():
            contents[_key(key)] = content
            if problem := notes.get("problems", {}).get(content):
                problems[_key(key)] = problem
        problems |= {_key(key): text for key, text in notes.get("untold", {}).items()}
    return {key: each for key, each in contents.items() if key not in problems}, problems


def _key(text: str) -> tuple[str, str]:
    model, _, component = text.rpartition(" ")
    return model, component


def spaces(
    encoders: Sequence[Encoder],
    shards: Shards,
    *,
    models: Sequence[str],
    base: str | None,
) -> Iterator[Space]:
    """
    Yield the spaces of a group, component after component and form after form.

    Only forms whose vectors are kept; of a group of encoders of several widths, each width has its
    own space.

    Parameters
    ----------
    models
        Ids in the group's order.
    base
        What the others are compared with: where it has no such encoder, the first that has one.
    """
    contents, _ = told(shards)
    order = {model: place for place, model in enumerate(models)}
    chosen = [each for each in encoders if each.model in order]
    for component in sorted({each.component for each in chosen}):
        of_it = sorted(
            (each for each in chosen if each.component == component),
            key=lambda each: (each.model != base, order[each.model]),
        )
        widths = list(dict.fromkeys((each.family, each.width) for each in of_it))
        for family, width in widths:
            held: dict[str, list[str]] = {}
            for each in of_it:
                key = (each.model, component)
                if (each.family, each.width) == (family, width) and key in contents:
                    held.setdefault(contents[key], []).append(each.model)
            if held:
                name = component if len(widths) == 1 else f"{component} ({family}, {width})"
                yield from _forms(name, held, shards, order)


def _forms(
    name: str, held: Mapping[str, Sequence[str]], shards: Shards, order: Mapping[str, int]
) -> Iterator[Space]:
    first = next(iter(held))
    for form in shards.forms(first):
        holders, vectors = [], []
        for content, models in held.items():
            if form in shards.forms(content):
                found = shards.read(content, form).vectors
                if found is not None:
                    holders.append(Holder(content, tuple(sorted(models, key=order.__getitem__))))
                    vectors.append(found)
        if holders:
            yield Space(name, form, tuple(holders), tuple(vectors))
