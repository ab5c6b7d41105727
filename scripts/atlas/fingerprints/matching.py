"""Find, by their contents, which names of unknown layouts stand for which names of known ones."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path

import xxhash

from atlas.basis import sealed
from atlas.fingerprints.bijection import Digests, bijection
from atlas.fingerprints.renamings import Adopted, Renamings, signature_of
from atlas.names.components import EMA, NETWORK, OTHER
from atlas.names.kinds import MODEL

COLUMNS = ["component", "name", "block", "role", "digest"]

UNMATCHED = "unmatched"
"""Module of tensors whose counterpart cannot be told: several others hold the same weights."""


def find(fingerprints: Iterable[Path]) -> Renamings:
    """
    Return the names that components go by, from the fingerprints of all models.

    A component of no known layout has its file's own names. Where all its weights are those of
    another model's component, one for one, the names of both are matched, and the matching holds
    for every component of the same set of names: what is compared of two models never depends on
    a third. A second text encoder stays one, whatever it equals, and a training copy lends its
    names to nobody.

    Raises
    ------
    DamagedFileError
        A fingerprint is not as it was written.
    """
    sets: dict[str, _NameSet] = {}
    holders: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in fingerprints:
        for part in _parts(path):
            if part.signature not in sets:
                sets[part.signature] = _NameSet(part.component, part.tensors)
            found = sets[part.signature]
            found.models += 1
            found.is_recognised |= part.is_recognised
            found.beside |= part.beside
            holders[part.content].setdefault(part.signature, path)
    edges: dict[tuple[str, str], list[tuple[Digests, Digests]]] = defaultdict(list)
    for same in _held_twice(holders):
        for one, other in combinations(sorted(same), 2):
            edges[one, other].append((same[one], same[other]))
    joined = [pair for pair in sorted(edges) if _may_share_names(*(sets[each] for each in pair))]
    named: dict[str, Mapping[str, Adopted]] = {}
    for cluster in _clusters(sets, joined):
        named |= _named(cluster, sets, {pair: edges[pair] for pair in joined})
    return Renamings(named)


def _held_twice(holders: Mapping[str, Mapping[str, Path]]) -> list[dict[str, Digests]]:
    """
    Return, of each content that goes by several sets of names, its digests by those, in order.

    They are read again: all digests of thousands of models would fill the memory.
    """
    found = [
        {signature: _digests(path, signature) for signature, path in places.items()}
        for places in holders.values()
        if len(places) > 1
    ]
    return sorted(found, key=lambda same: sorted(next(iter(same.values())).values()))


def _digests(path: Path, signature: str) -> Digests:
    return next(part.digests for part in _parts(path) if part.signature == signature)


@dataclass
class _NameSet:
    """One component's set of names, whichever models have it."""

    component: str
    tensors: Mapping[str, Adopted]
    is_recognised: bool = False
    """Its architecture is known, so that its names are sure to be the canonical ones."""
    beside: set[str] = field(default_factory=set)
    """Other components of the models that have it."""
    models: int = 0

    @property
    def preference(self) -> tuple[bool, bool, int, list[str]]:
        """Return the sort key: the names to go by first."""
        is_unknown = self.component == NETWORK
        return is_unknown, not self.is_recognised, -self.models, sorted(self.tensors)


@dataclass(frozen=True)
class _Part:
    """One component of one model."""

    component: str
    rows: list[tuple[str, str, str, str]]
    """Name, block, role and digest of each tensor."""
    is_recognised: bool
    beside: set[str]

    @cached_property
    def signature(self) -> str:
        """What stands for its set of names."""
        return signature_of(self.component, [name for name, *_ in self.rows])

    @property
    def content(self) -> str:
        """What stands for all its weights, whatever their names."""
        held = "".join(sorted(digest for *_, digest in self.rows))
        return xxhash.xxh3_128_hexdigest(held.encode())

    @property
    def tensors(self) -> dict[str, Adopted]:
        """What its tensors go by, by name."""
        return {name: Adopted(name, block, role) for name, block, role, _ in self.rows}

    @property
    def digests(self) -> dict[str, str]:
        """Digest by name."""
        return {name: digest for name, *_, digest in self.rows}


def _parts(path: Path) -> Iterator[_Part]:
    table, notes = sealed.read(path, COLUMNS)
    if notes.get("kind", MODEL) != MODEL:
        return
    rows: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    columns = (table[column].to_pylist() for column in COLUMNS)
    for component, *row in zip(*columns, strict=True):
        rows[component].append((row[0], row[1], row[2], row[3]))
    held = set(rows) - {OTHER, EMA}
    for component in sorted(held):
        yield _Part(
            component=component,
            rows=rows[component],
            is_recognised=component in notes.get("architectures", {}),
            beside=(held | set(notes.get("unread", {}))) - {component},
        )


def _may_share_names(one: _NameSet, other: _NameSet) -> bool:
    if one.component == other.component:
        return True
    unknown, known = sorted((one, other), key=lambda each: each.component != NETWORK)
    # a model that has both would have two tensors of one name
    return unknown.component == NETWORK and known.component not in unknown.beside


def _clusters(
    sets: Mapping[str, _NameSet], joined: Sequence[tuple[str, str]]
) -> Iterator[list[str]]:
    """Yield the sets that share one set of names: of one known component, with unknown ones."""
    inner = [pair for pair in joined if sets[pair[0]].component == sets[pair[1]].component]
    groups = _joined(sets, inner)
    outer = []
    for unknown in {id(group): group for group in groups.values()}.values():
        beside = {component for each in unknown for component in sets[each].beside}
        known = sorted(
            {
                other
                for pair in joined
                for other in pair
                if set(pair) & set(unknown) and sets[other].component not in beside
            }
            - set(unknown),
            key=lambda each: (sets[each].component[-1:].isdigit(), sets[each].component),
        )
        if sets[unknown[0]].component == NETWORK and known:
            chosen = sets[known[0]].component
            outer += [
                pair
                for pair in joined
                if {sets[each].component for each in pair} == {NETWORK, chosen}
                and set(pair) & set(unknown)
            ]
    for cluster in {
        id(group): group for group in _joined(sets, [*inner, *outer]).values()
    }.values():
        if len(cluster) > 1:
            yield cluster


def _joined(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return, by name, the list of all names that pairs join it with; one list for all of them."""
    groups = {name: [name] for name in names}
    for one, other in pairs:
        if groups[one] is not groups[other]:
            groups[one].extend(groups[other])
            for name in groups[other]:
                groups[name] = groups[one]
    return groups


def _named(
    cluster: Sequence[str],
    sets: Mapping[str, _NameSet],
    edges: Mapping[tuple[str, str], list[tuple[Digests, Digests]]],
) -> dict[str, Mapping[str, Adopted]]:
    """Let all sets of a cluster go by the names of the one that is preferred."""
    leader = min(cluster, key=lambda each: sets[each].preference)
    found: dict[str, dict[str, str]] = {leader: {name: name for name in sets[leader].tensors}}
    waiting = [leader]
    while waiting:
        here = waiting.pop(0)
        for one, other in edges:
            there = other if here == one else one
            if here in (one, other) and there in cluster and there not in found:
                pairs = edges[one, other]
                matched = bijection([pair if there == one else pair[::-1] for pair in pairs])
                onward = found[here]
                found[there] = {
                    own: onward[name] for own, name in matched.items() if name in onward
                }
                waiting.append(there)
    return {
        each: _adopted(sets[each], found[each], sets[leader]) for each in found if each != leader
    }


def _adopted(own: _NameSet, found: Mapping[str, str], leader: _NameSet) -> dict[str, Adopted]:
    adopted = {}
    for name, tensor in own.tensors.items():
        if name in found:
            adopted[name] = leader.tensors[found[name]]
        else:
            inner = name.partition("/")[2]
            alone = f"{leader.component}/{UNMATCHED}.{own.component}.{inner}"
            adopted[name] = Adopted(alone, tensor.block, tensor.role)
    return adopted


def doubtful(renamings: Renamings) -> int:
    """Return how many tensors have no counterpart that can be told."""
    counts = Counter(
        f"/{UNMATCHED}." in one.name
        for names in renamings.tables.values()
        for one in names.values()
    )
    return counts[True]
