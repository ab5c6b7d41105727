"""From a file's keys to canonical tensors."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from atlas.names import quantised
from atlas.names.assignment import (
    Assignment,
    assign_file,
    assign_folder,
    assign_generic,
    put_averages_in_place,
)
from atlas.names.blocks import blocks_of
from atlas.names.components import NETWORK, OTHER
from atlas.names.expected import exact
from atlas.names.kinds import MODEL, kind_of
from atlas.names.recognition import check_architecture, recognised
from atlas.names.roles import roles_of
from atlas.names.views import Shape, View, parts_of, shape_of
from atlas.tensors.entries import Entry
from atlas.tensors.tensors import FLOATING, ITEM_BYTES, Tensor, Unread

GENERIC = "generic"
"""The architecture of the roster that keeps every name as the file has it."""

LINEAR = re.compile(
    r"(attentions?\.\d+|\.attn\d?)\.(to_(q|k|v|out)(\.0)?|proj_(in|out)|query|key|value)\.weight$"
)
"""Attention's projections: stored as 1×1 convolutions in one version, as linear in another."""


class Item(NamedTuple):
    """What a key's canonical names depend on."""

    key: str
    folder: str | None
    shape: Shape
    dtype: str
    is_aside: bool = False


class Planned(NamedTuple):
    """One canonical tensor of a key."""

    view: View
    name: str
    component: str
    block: str
    role: str
    shape: Shape


@dataclass(frozen=True)
class Plan:
    """The canonical tensors of all keys, in the keys' order."""

    tensors: tuple[tuple[Planned, ...], ...]
    kind: str
    architectures: Mapping[str, str]
    findings: tuple[str, ...]
    averages: int
    """Keys of the training copy that stand in the place of raw ones."""
    refused: Mapping[str, Unread]
    """Components whose tensors are no weights."""


@dataclass(frozen=True)
class Named:
    """A checkpoint's tensors under their canonical names, in order of name."""

    tensors: tuple[Tensor, ...]
    kind: str
    architectures: Mapping[str, str]
    findings: tuple[str, ...]
    averages: int
    refused: Mapping[str, Unread]


def name_tensors(
    entries: Sequence[Entry], *, architecture: str | None = None, averaged: bool = False
) -> Named:
    """
    Give each tensor its component, canonical name, block and role.

    With `averaged`, the training copy (EMA) takes the place of the raw weights.

    Raises
    ------
    AtlasError
        Where the stated architecture is unknown.
    """
    check_architecture(None if architecture == GENERIC else architecture)
    items = tuple(
        Item(entry.key, entry.component, entry.shape, entry.dtype, entry.is_aside)
        for entry in entries
    )
    drawn = plan(items, architecture, averaged)
    tensors = [
        _tensor(entry, planned)
        for entry, several in zip(entries, drawn.tensors, strict=True)
        for planned in several
    ]
    tensors.sort(key=lambda tensor: tensor.name)
    return Named(
        tensors=tuple(tensors),
        kind=drawn.kind,
        architectures=drawn.architectures,
        findings=drawn.findings,
        averages=drawn.averages,
        refused=drawn.refused,
    )


# a group's models mostly share one structure: plan it once
@lru_cache(maxsize=64)
def plan(items: tuple[Item, ...], architecture: str | None = None, averaged: bool = False) -> Plan:
    """
    Return the canonical tensors of keys with their shapes; no file is needed.

    `architecture` is what the roster says: an entry of the catalogue, GENERIC or None.
    """
    identities = [f"{item.folder}/{item.key}" if item.folder else item.key for item in items]
    shapes = {identity: item.shape for identity, item in zip(identities, items, strict=True)}
    kind = kind_of([item.key for item in items])
    if architecture == GENERIC or kind != MODEL:
        done = assign_generic(shapes, NETWORK if kind == MODEL else kind)
    elif any(item.folder for item in items):
        folders = {i: item.folder or "" for i, item in zip(identities, items, strict=True)}
        done = assign_folder(shapes, folders)
    else:
        done = assign_file(shapes)
    refused = _refuse_quantised(done, items, identities) if kind == MODEL else {}
    _put_counters_aside(done, items, identities)
    _resolve_doubles(done)
    averages = put_averages_in_place(done) if averaged else 0
    _number_lone_encoder(done, shapes, architecture)
    canonical = _canonical(done, shapes)
    stated = None if architecture == GENERIC else architecture
    architectures, findings = recognised(canonical, stated)
    return Plan(
        tensors=_planned(done, shapes, canonical),
        kind=kind,
        architectures=architectures,
        findings=(*done.findings, *findings),
        averages=averages,
        refused=refused,
    )


def _refuse_quantised(
    done: Assignment, items: Sequence[Item], identities: Sequence[str]
) -> dict[str, Unread]:
    """Leave components out that hold codes in the place of weights, and say why."""
    keys = {identity: item.key for identity, item in zip(identities, items, strict=True)}
    done.owner = quantised.owners(done.owner, keys)
    held: dict[str, list[quantised.Held]] = defaultdict(list)
    for identity, item in zip(identities, items, strict=True):
        tensor = quantised.Held(item.key, item.dtype, item.shape)
        held[done.owner[identity]].append(tensor)
    refused = {}
    for component in sorted(held.keys() - {OTHER}):
        tensors = held[component]
        if refusal := quantised.refusal(tensors, held[OTHER]):
            name = done.known_as if component == NETWORK else component
            refused[name] = refusal
            done.leave_out(component)
            done.findings = [x for x in done.findings if not x.startswith(f"{component}: ")]
        elif strays := quantised.stray_integers(tensors):
            done.findings.append(
                f"{component}: {len(strays)} tensors of integers are no counters that are known, "
                f"and are kept apart in the component other: {', '.join(strays[:3])}"
            )
    return refused


def _put_counters_aside(done: Assignment, items: Sequence[Item], identities: list[str]) -> None:
    """Integers are counters, indices and masks: never compared as weights."""
    for identity, item in zip(identities, items, strict=True):
        component = done.component[identity]
        is_weight = item.dtype in FLOATING and not item.is_aside
        if not is_weight and component != OTHER and done.views[identity]:
            name = done.views[identity][0].name
            aside = name if component == NETWORK else f"{component}.{name}"
            done.put_aside(identity, aside, component)


def _resolve_doubles(done: Assignment) -> None:
    """Two keys of one name: the first keeps it, the other goes to `other` under its key."""
    taken: set[tuple[str, str]] = set()
    doubles = []
    for key, views in done.views.items():
        names = {(done.component[key], view.name) for view in views}
        if names & taken:
            doubles.append(key)
            done.put_aside(key, key)
        taken |= {(done.component[key], view.name) for view in done.views[key]}
    if doubles:
        done.findings.append(
            f"{len(doubles)} keys stand for tensors that other keys hold too and are kept apart "
            f"in the component other: {', '.join(doubles[:3])}{', ...' if len(doubles) > 3 else ''}"
        )


def _number_lone_encoder(
    done: Assignment, shapes: Mapping[str, Shape], architecture: str | None
) -> None:
    """A text encoder alone in its file is the one that its architecture numbers it."""
    if set(done.component.values()) - {OTHER} != {"text_encoder"}:
        return
    fits = exact(_canonical(done, shapes)["text_encoder"])
    numbers = [c for c, names in fits.items() if architecture in (None, *names)] or [*fits]
    if numbers and "text_encoder" not in numbers:
        for key, component in done.component.items():
            if component == "text_encoder":
                done.component[key] = min(numbers)


def _canonical(done: Assignment, shapes: Mapping[str, Shape]) -> dict[str, dict[str, Shape]]:
    """Return canonical names and shapes by component."""
    canonical: dict[str, dict[str, Shape]] = defaultdict(dict)
    for key, views in done.views.items():
        component = done.component[key]
        for view in views:
            squeezed = component != OTHER and bool(LINEAR.search(view.name))
            shape = shape_of(shapes[key], view, squeezed=squeezed)
            canonical[component][view.name] = shape
    return canonical


def _planned(
    done: Assignment, shapes: Mapping[str, Shape], canonical: Mapping[str, Mapping[str, Shape]]
) -> tuple[tuple[Planned, ...], ...]:
    blocks = {component: blocks_of(names) for component, names in canonical.items()}
    roles = {component: roles_of(names) for component, names in canonical.items()}

    def planned(key: str, view: View) -> Planned:
        component, name = done.component[key], view.name
        return Planned(
            view=view,
            name=f"{component}/{name}",
            component=component,
            block=blocks[component][name] if component != OTHER else OTHER,
            role=roles[component][name] if component != OTHER else OTHER,
            shape=canonical[component][name],
        )

    return tuple(tuple(planned(key, view) for view in done.views[key]) for key in shapes)


def _tensor(entry: Entry, planned: Planned) -> Tensor:
    return Tensor(
        key=entry.key,
        name=planned.name,
        component=planned.component,
        block=planned.block,
        role=planned.role,
        dtype=entry.dtype,
        shape=planned.shape,
        parts=parts_of(entry.part, planned.view, ITEM_BYTES[entry.dtype], planned.shape),
    )
