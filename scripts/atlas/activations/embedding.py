"""Samples of a dataset as points: components, neighbours, maps, and how far to believe them."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from atlas.activations.collection import Collection, Of
from atlas.activations.datasets import UmapSettings
from atlas.projection import maps
from atlas.projection.components import reduced
from atlas.projection.neighbours import Neighbours, nearest
from atlas.projection.quality import Quality, quality

LOG = logging.getLogger(__name__)

OF_SAMPLES = {"id", "model", "sample", "kind", "seed", "image", "file", "timestep", "nonfinite"}
OF_POINTS = {"layer", "x", "y", "pc1", "pc2", "rms"}
KNOWN = OF_SAMPLES | OF_POINTS
"""Columns of every dataset; the others are its samples' conditions."""

NULLABLE = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
"""Whole numbers stay whole where some are lacking."""


@dataclass(frozen=True)
class Slice:
    """One layer of one model at one time."""

    model: str
    layer: str
    time: float

    @property
    def place(self) -> dict[str, Any]:
        """Its columns in tables."""
        return {"model": self.model, "layer": self.layer, "timestep": self.time}


@dataclass(frozen=True)
class Embedding:
    """All slices of a dataset."""

    points: pd.DataFrame
    """A row for each slice and sample: id, place, x, y, pc1, pc2, and the sample's columns."""
    neighbours: pa.Table
    """A row for each of them and rank: place, id, rank from 1, neighbour (its id), distance."""
    quality: pd.DataFrame
    """A row for each slice and figure: place, measure, of, value, chance, spread, note."""


def embedded(
    collection: Collection,
    *,
    of: Of,
    components: int,
    neighbours: int,
    umap: UmapSettings,
    memory_bytes: int,
    device: str = "cpu",
) -> Embedding:
    """
    Embed each layer of each model at each time.

    What is kept is standardised, reduced to principal components, and laid out by UMAP, every map
    on the one before it; neighbours are of the values as they are.

    Parameters
    ----------
    of
        Means or maps.
    components, neighbours
        At most as many principal components, and that many nearest neighbours.
    memory_bytes
        Bounds the arrays of each step.
    device
        Of the products of neighbours.

    Raises
    ------
    AtlasError
        No sample is finite in all of them, memory is too small, or a setting has no such value.
    """
    slices = [
        Slice(model, layer.name, time)
        for layer in collection.layers
        for time in collection.times
        for model in collection.models
    ]
    told = collection.table().to_pandas(types_mapper=NULLABLE.get)
    kept = collection.finite_samples()
    rows = {
        each: collection.rows_of(each.model, each.layer, each.time, of, kept) for each in slices
    }
    what = {each: f"{each.model}, {each.layer} at {each.time:g}" for each in slices}
    scores, found = {}, {}
    for each in slices:
        LOG.info("%s: components and neighbours", what[each])
        scores[each] = reduced(
            rows[each],
            components=components,
            seed=umap.seed,
            memory_bytes=memory_bytes,
            what=what[each],
        ).scores
        found[each] = nearest(
            rows[each], k=neighbours, memory_bytes=memory_bytes, device=device, what=what[each]
        )
    places = dict(zip(slices, _drawn([scores[each] for each in slices], umap), strict=True))
    points, lines = {}, {}
    for each in slices:
        LOG.info("%s: how far its map can be believed", what[each])
        at = told[(told["model"] == each.model) & (told["timestep"] == each.time)].iloc[kept]
        points[each] = _points(each, at, places[each], scores[each])
        lines[each] = quality(
            rows[each],
            scores[each],
            places[each],
            found[each],
            labels=_labels(points[each]),
            numbers=_numbers(points[each]),
            seed=umap.seed,
            memory_bytes=memory_bytes,
            **_layout(umap),
        )
    return Embedding(
        pd.concat(list(points.values()), ignore_index=True),
        pa.concat_tables(_neighbours(each, points[each]["id"], found[each]) for each in slices),
        _quality(lines),
    )


def _drawn(scores: list[NDArray[np.float32]], umap: UmapSettings) -> list[NDArray[np.float32]]:
    if umap.parallel or umap.backend != "umap-learn":
        LOG.warning(
            "umap: parallel or another backend than umap-learn gives another map in each run, and "
            "maps are turned onto one another only"
        )
        alone = [
            maps.drawn(
                each,
                seed=umap.seed,
                parallel=umap.parallel,
                backend=umap.backend,
                **_layout(umap),
            )
            for each in scores
        ]
        return [alone[0], *(maps.turned(each, alone[0]) for each in alone[1:])]
    return maps.aligned(scores, seed=umap.seed, **_layout(umap))


def _layout(umap: UmapSettings) -> dict[str, Any]:
    return {
        "neighbours": umap.neighbours,
        "min_dist": umap.min_dist,
        "metric": umap.metric,
    }


def condition_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns that tell the samples' labels, prompts or the like."""
    return [name for name in table.columns if name not in KNOWN and not name.startswith("rms ")]


def _points(
    each: Slice, table: pd.DataFrame, xy: NDArray[np.float32], scores: NDArray[np.float32]
) -> pd.DataFrame:
    """Return one slice's points, with what is known of their samples."""
    told = ["sample", "kind", "seed", *condition_columns(table)]
    told += [name for name in ("file", "image", "nonfinite") if name in table.columns]
    points = table[["id", *told]].reset_index(drop=True)
    second = scores[:, 1] if scores.shape[1] > 1 else np.zeros(len(scores), np.float32)
    first = {**each.place, "x": xy[:, 0], "y": xy[:, 1], "pc1": scores[:, 0], "pc2": second}
    for place, (name, values) in enumerate(first.items(), 1):
        points.insert(place, name, values)
    points[f"rms {each.layer}"] = table[f"rms {each.layer}"].to_numpy()
    return points.rename(columns={f"rms {each.layer}": "rms"})


def _labels(points: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns of few values: labels, prompts that come again."""
    drawn = int((points["kind"] == "drawn").sum())
    return {
        name: [None if pd.isna(value) else value for value in points[name]]
        for name in condition_columns(points)
        if not pd.api.types.is_float_dtype(points[name])
        and 1 < points[name].nunique() <= drawn // 2
    }


def _numbers(points: pd.DataFrame) -> dict[str, list[float]]:
    return {
        name: points[name].tolist()
        for name in condition_columns(points)
        if pd.api.types.is_float_dtype(points[name])
    }


def _neighbours(each: Slice, ids: "pd.Series[str]", found: Neighbours) -> pa.Table:
    names = pa.array(ids, pa.string())
    count, k = found.indices.shape
    rows = np.repeat(np.arange(count), k)
    return pa.table(
        {
            **{name: pa.array([value] * len(rows)) for name, value in each.place.items()},
            "id": names.take(pa.array(rows)),
            "rank": pa.array(np.tile(np.arange(1, k + 1), count), pa.int32()),
            "neighbour": names.take(pa.array(found.indices.ravel())),
            "distance": pa.array(found.distances.ravel(), pa.float32()),
        }
    )


def for_other_viewers(made: Embedding) -> pa.Table:
    """
    Return the points with their neighbours in one column, as Embedding Atlas reads them.

    The column `neighbors` has `ids`, which are rows of this table, and `distances`.
    """
    points = pa.Table.from_pandas(made.points, preserve_index=False)
    near = made.neighbours.to_pandas()
    keys = ["model", "layer", "timestep", "id"]
    row_of = made.points[keys].assign(row=np.arange(len(made.points)))
    to = row_of.rename(columns={"id": "neighbour", "row": "to"})
    near = near.merge(row_of, on=keys).merge(to, on=["model", "layer", "timestep", "neighbour"])
    near = near.sort_values(["row", "rank"])
    starts = np.searchsorted(near["row"], np.arange(len(points) + 1)).astype(np.int32)
    lists = {
        name: pa.ListArray.from_arrays(starts, pa.array(values))
        for name, values in (
            ("ids", near["to"].to_numpy(np.int32)),
            ("distances", near["distance"].to_numpy(np.float32)),
        )
    }
    column = pa.StructArray.from_arrays(list(lists.values()), names=list(lists))
    return points.append_column("neighbors", column)


def _quality(lines: Mapping[Slice, Iterable[Quality]]) -> pd.DataFrame:
    return pd.DataFrame(
        [each.place | asdict(line) for each, found in lines.items() for line in found]
    )
