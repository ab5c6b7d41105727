"""How alike two networks see the same samples, layer by layer, and how far their weights moved."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import sqrt

import pandas as pd

from atlas.activations.collection import Collection, Of
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source
from atlas.projection.alignment import alignments, mutual_neighbours, mutual_null
from atlas.projection.neighbours import Neighbours, nearest

LOG = logging.getLogger(__name__)

COLUMNS = (
    "a", "b", "layer_a", "layer_b", "timestep", "samples", "of",
    "cka", "cka_null_spread", "cka_biased", "cka_biased_null",
    "mutual_neighbours", "mutual_null", "mutual_null_spread", "k", "weights",
)  # fmt: skip


@dataclass(frozen=True)
class Bounds:
    """How much memory similarity may take, and where products are made."""

    memory_bytes: int
    device: str = "cpu"


def similarity(
    collection: Collection, sources: dict[str, Source], components: dict[str, str], *, of: Of,
    k: int, bounds: Bounds,
) -> pd.DataFrame:  # fmt: skip
    """
    Return a row for each pair of models, of their layers, and time.

    Columns: a, b, layer_a, layer_b, timestep, samples, of, cka (linear, unbiased; 1 alike, 0
    independent), cka_null_spread (its standard deviation where one side's samples are shuffled,
    the mean being 0), cka_biased and its null, mutual_neighbours (share of the k nearest
    neighbours that are the same), its null and the null's spread, k, and weights (relative rms
    distance of the weights in the layer's module, for a layer with itself; null where unknown).

    Parameters
    ----------
    sources, components
        By model: its weights, and which component is the network.
    of
        What is compared: means or maps.
    k
        Of the mutual neighbours.

    Raises
    ------
    AtlasError
        The models have not seen the same samples, a value is not finite, or memory is too small.
    """
    rows = []
    for a, b in combinations(collection.models, 2):
        _require_same_samples(collection, a, b)
        moved = dict(_moved(collection, a, b, sources, components))
        for time in collection.times:
            rows += list(_rows(collection, a, b, time, of, k, bounds, moved))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    collection: Collection, a: str, b: str, time: float, of: Of, k: int, bounds: Bounds,
    moved: dict[str, float],
) -> Iterator[tuple[object, ...]]:  # fmt: skip
    layers_a, layers_b = (list(collection.layers_of(model)) for model in (a, b))
    memory, device, kept = bounds.memory_bytes, bounds.device, collection.finite_samples()
    seen = {
        model: [collection.rows_of(model, layer, time, of, kept) for layer in layers]
        for model, layers in ((a, layers_a), (b, layers_b))
    }
    what = f"activations of {a} and {b}"
    alike = alignments(seen[a], seen[b], memory_bytes=memory, device=device, what=what)
    near: dict[str, list[Neighbours]] = {
        model: [nearest(rows, k=k, memory_bytes=memory, device=device, what=what) for rows in every]
        for model, every in seen.items()
    }
    places = product(range(len(layers_a)), range(len(layers_b)))
    for place_a, place_b in places:
        found = alike[place_a][place_b]
        first, second = near[a][place_a], near[b][place_b]
        null = mutual_null(first, second)
        layer_a, layer_b = layers_a[place_a], layers_b[place_b]
        yield (
            a, b, layer_a, layer_b, time, found.samples, of,
            found.unbiased, found.null_spread, found.biased, found.biased_null,
            mutual_neighbours(first, second), null.mean, null.spread, first.indices.shape[1],
            moved.get(layer_a) if layer_a == layer_b else None,
        )  # fmt: skip


def _require_same_samples(collection: Collection, a: str, b: str) -> None:
    """Refuse to compare networks that did not see the same noise, labels and prompts."""
    tables = [
        collection.samples(model).drop_columns(["id", "model", "image", "nonfinite"])
        for model in (a, b)
    ]
    names = [name for name in tables[0].column_names if not name.startswith("rms ")]
    for name in names:
        if name not in tables[1].column_names or tables[0][name] != tables[1][name]:
            raise AtlasError(
                f"{a} and {b} have not seen the same samples: their {name} differ; models of one "
                "dataset need the same kind of conditions"
            )


def _moved(
    collection: Collection, a: str, b: str, sources: dict[str, Source], components: dict[str, str]
) -> Iterator[tuple[str, float]]:
    """Yield layers that both networks have, and how far the weights of their modules are apart."""
    both = collection.layers_of(a)
    for name in collection.layers_of(b):
        if name in both:
            inside = f"{both[name].module}."
            far = weights_apart(sources[a], sources[b], (components[a], components[b]), inside)
            if far is None:
                LOG.info("%s: no weights of these names in both files: distance not told", name)
            else:
                yield name, far


def weights_apart(a: Source, b: Source, components: Sequence[str], inside: str) -> float | None:
    """
    Return the relative rms distance of the weights whose names begin so; None where there are none.

    The norm of the difference over the root mean square of both norms, as `relative_rms` in
    the tables of distances, over all tensors that both have in one shape.
    """
    held = [
        {name: tensor for name, tensor in source.tensors(component).items()
         if name.startswith(inside)}
        for source, component in zip((a, b), components, strict=True)
    ]  # fmt: skip
    apart = squares = 0.0
    for name, tensor in held[0].items():
        other = held[1].get(name)
        if other is None or other.shape != tensor.shape:
            continue
        first, second = a.read(tensor).double(), b.read(other).double()
        apart += float((first - second).square().sum())
        squares += float(first.square().sum() + second.square().sum()) / 2
    return sqrt(apart / squares) if squares else None
