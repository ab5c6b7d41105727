"""The tables of a dataset's maps as a viewer shows them: one row a point, and a view a layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from atlas.activations.embedding import condition_columns
from atlas.activations.findings import remark


@dataclass(frozen=True)
class LayerView:
    """One layer at one time: where the points of all models lie, and who is next to whom."""

    layer: str
    timestep: float
    rows: NDArray[np.int32]
    """Which points, by their row in the table of points."""
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    neighbours: NDArray[np.int32]
    """(points, k): rows of points, the nearest first; -1 where there are fewer."""
    distances: NDArray[np.float32]
    """(points, k)."""
    note: str


def points_of(maps: pd.DataFrame) -> pd.DataFrame:
    """
    Return a row for each sample of each model: id, model, kind and conditions.

    Parameters
    ----------
    maps
        Rows of umap.csv.
    """
    samples = maps.drop_duplicates("id", ignore_index=True)
    names = ["id", "model", "kind", *condition_columns(samples)]
    if (maps["nonfinite"] > 0).any():
        names.append("nonfinite")
    shown = samples[[name for name in names if samples[name].nunique(dropna=False) > 1]]
    return shown.assign(id=samples["id"])


def kinds_of(maps: pd.DataFrame) -> NDArray[np.object_]:
    """Return of each point whether it was `drawn` or is `real`."""
    return maps.drop_duplicates("id")["kind"].to_numpy(object)


def images_of(maps: pd.DataFrame, folder: Path) -> list[Path | None]:
    """Return each point's image, below the dataset's folder."""
    samples = maps.drop_duplicates("id")
    return [None if pd.isna(name) else folder / str(name) for name in samples["image"]]


def views_of(
    maps: pd.DataFrame, neighbours: pa.Table, quality: pd.DataFrame
) -> Iterator[LayerView]:
    """
    Yield the views in the order of the maps.

    Parameters
    ----------
    neighbours
        Of neighbours.parquet.
    quality
        Of quality.csv.
    """
    ids = maps["id"].drop_duplicates()
    place = pd.Series(np.arange(len(ids), dtype=np.int32), index=ids)
    near = neighbours.to_pandas()
    near_of = dict(list(near.groupby(["layer", "timestep"])))
    for (layer, time), points in maps.groupby(["layer", "timestep"], sort=False):
        rows = np.asarray(place.loc[points["id"]], np.int32)
        found = near_of.get((layer, time))
        k = 0 if found is None else int(found["rank"].max())
        indices = np.full((len(rows), k), -1, np.int32)
        distances = np.zeros((len(rows), k), np.float32)
        if found is not None:
            inside = pd.Series(np.arange(len(rows)), index=points["id"])
            row, rank = inside.loc[found["id"]].to_numpy(), found["rank"].to_numpy() - 1
            indices[row, rank] = place.loc[found["neighbour"]].to_numpy(np.int32)
            distances[row, rank] = found["distance"].to_numpy()
        of = quality[(quality["layer"] == layer) & (quality["timestep"] == time)]
        yield LayerView(
            str(layer),
            float(str(time)),
            rows,
            points["x"].to_numpy(np.float32),
            points["y"].to_numpy(np.float32),
            indices,
            distances,
            _note(of),
        )


def _note(quality: pd.DataFrame) -> str:
    models = list(quality.groupby("model", sort=False))
    if len(models) == 1:
        return remark(models[0][1])
    return "; ".join(f"{model}: {remark(figures)}" for model, figures in models)
