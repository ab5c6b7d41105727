"""Choose the pairs of models that are measured: the nearest by sketch, and those of groups."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash

from atlas.basis import sealed
from atlas.fingerprints.nearest import Network, nearest
from atlas.fingerprints.renamings import Renamings
from atlas.fingerprints.sketches import Sketches, read_sketches
from atlas.names.components import CONTROLNET, DENOISERS, EMA, NETWORK

SCHEMA = pa.schema(
    {
        "a": pa.string(),
        "b": pa.string(),
        "estimate": pa.float64(),
        "rank": pa.int32(),
        "grouped": pa.bool_(),
    }
)

FIRST = (*DENOISERS, NETWORK, CONTROLNET)
"""Components by which models are compared, the first that a model has; else its largest."""


@dataclass(frozen=True)
class Neighbour:
    """One of the nearest of a model."""

    model: str
    neighbour: str
    rank: int
    """From 1; 0 for another model of equal sketches."""
    estimate: float
    """Relative L2 distance of the components compared."""


@dataclass
class _Pool:
    """Models that are compared by one component."""

    networks: dict[bytes, Network] = field(default_factory=dict)
    """By what their sketches hold: equal ones are one."""
    models: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))


def neighbours(
    fingerprints: Mapping[str, Path], count: int, renamings: Renamings | None = None
) -> list[Neighbour]:
    """
    Return the `count` nearest of each model by sketch, in order of model and rank.

    Models of equal sketches are one: the first of them, by id, stands for all, so that copies do
    not crowd out others; it has rank 0 among the others' neighbours.

    Parameters
    ----------
    fingerprints
        By id of the model.
    renamings
        Names that components of unknown layouts go by. Such a component has the sketch of a known
        one that holds the same weights; else it is compared with its own layout alone.

    Raises
    ------
    AtlasError
        A fingerprint has no sketches.
    DamagedFileError
        A fingerprint is not as it was written.
    """
    found = [each for pool in _pools(fingerprints, renamings) for each in _nearest(pool, count)]
    best: dict[tuple[str, str], Neighbour] = {}
    for each in sorted(found, key=lambda each: (each.rank, each.estimate)):
        best.setdefault((each.model, each.neighbour), each)
    return sorted(best.values(), key=lambda each: (each.model, each.rank, each.neighbour))


def pairs(found: Iterable[Neighbour], groups: Iterable[Sequence[str]]) -> pa.Table:
    """
    Return the pairs to measure, a before b, in order.

    `estimate` and `rank`, the better of the two, are null where a pair is there for a group alone.
    """
    nearby: dict[tuple[str, str], tuple[int, float]] = {}
    for each in found:
        pair = min(each.model, each.neighbour), max(each.model, each.neighbour)
        told = each.rank, each.estimate
        nearby[pair] = min(nearby.get(pair, told), told)
    grouped = {pair for models in groups for pair in combinations(sorted(set(models)), 2)}
    chosen = sorted(nearby.keys() | grouped)
    columns = [
        [a for a, _ in chosen],
        [b for _, b in chosen],
        [nearby[pair][1] if pair in nearby else None for pair in chosen],
        [nearby[pair][0] if pair in nearby else None for pair in chosen],
        [pair in grouped for pair in chosen],
    ]
    arrays = [pa.array(column, kind.type) for column, kind in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def as_csv(found: Iterable[Neighbour]) -> str:
    """Return neighbours as a table with a header."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["model", "neighbour", "rank", "relative_l2"])
    rows.writerows(
        [each.model, each.neighbour, each.rank, f"{each.estimate:.4g}"] for each in found
    )
    return text.getvalue()


def _nearest(pool: _Pool, count: int) -> Iterator[Neighbour]:
    contents = sorted(pool.networks, key=lambda content: min(pool.models[content]))
    found = nearest([pool.networks[content] for content in contents], count)
    held = [sorted(pool.models[content]) for content in contents]
    for models, places, estimates in zip(held, found.places, found.estimates, strict=True):
        for model in models:
            if model != models[0]:
                yield Neighbour(model, models[0], 0, 0.0)
            for rank, (place, estimate) in enumerate(zip(places, estimates, strict=True), 1):
                yield Neighbour(model, held[place][0], rank, float(estimate))


def _pools(fingerprints: Mapping[str, Path], renamings: Renamings | None) -> list[_Pool]:
    pools: dict[str, _Pool] = defaultdict(_Pool)
    known: dict[str, tuple[str, bytes]] = {}
    waiting: list[tuple[str, str]] = []
    for model in sorted(fingerprints):
        sketches = read_sketches(fingerprints[model])
        component = _component(sketches)
        if component is None:
            continue
        network = _network(sketches, component)
        content = _content(network)
        pools[component].networks[content] = network
        pools[component].models[content].append(model)
        if renamings and renamings.tables:
            names = _read_names(fingerprints[model], component, renamings)
            if names.are_adopted:
                waiting.append((names.digest, model))
            else:
                known.setdefault(names.digest, (component, content))
    for digest, model in waiting:
        if digest in known:
            component, content = known[digest]
            pools[component].models[content].append(model)
    return [pools[component] for component in sorted(pools)]


def _component(sketches: Sketches) -> str | None:
    """Return by which component a model is compared."""
    elements: dict[str, int] = defaultdict(int)
    for block in sketches.blocks:
        if block.component != EMA and block.squares > 0:
            elements[block.component] += block.elements
    first = [component for component in FIRST if component in elements]
    largest = sorted(elements, key=lambda each: (-elements[each], each))
    return next(iter(first + largest), None)


def _network(sketches: Sketches, component: str) -> Network:
    rows = [
        row
        for row, block in enumerate(sketches.blocks)
        if block.component == component and block.elements
    ]
    blocks = [sketches.blocks[row] for row in rows]
    return Network(
        keys=tuple((block.block, block.layout) for block in blocks),
        elements=np.array([block.elements for block in blocks], np.int64),
        squares=np.array([block.squares for block in blocks]),
        sums=sketches.sums[rows],
    )


def _content(network: Network) -> bytes:
    return xxhash.xxh3_128_digest(repr(network.keys).encode() + network.sums.tobytes())


@dataclass(frozen=True)
class _Names:
    """What a component's weights are under the names that they go by."""

    digest: str
    are_adopted: bool


def _read_names(fingerprint: Path, component: str, renamings: Renamings) -> _Names:
    table, _ = sealed.read(fingerprint, ["name", "component", "digest"])
    columns = (table[column].to_pylist() for column in table.column_names)
    held = {name: digest for name, own, digest in zip(*columns, strict=True) if own == component}
    adopted = renamings.of(component, held)
    named = sorted(
        (adopted[name].name if name in adopted else name, digest) for name, digest in held.items()
    )
    return _Names(xxhash.xxh3_128_hexdigest(repr(named).encode()), bool(adopted))
