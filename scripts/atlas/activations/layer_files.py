"""One file for each layer of a dataset, to be read by others: means, and maps as views."""

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from atlas.activations import storage
from atlas.activations.collection import Collection


def write(collection: Collection, layer: str, path: Path) -> None:
    """
    Write one layer's file: {model}/{time}/mean, and maps as a view of the chunks' own files.

    Real images stand after the drawn samples; `ids` names the rows. Maps that are not there read
    as NaN: the files of the chunks must stay where they are.
    """
    with storage.created(path) as file:
        for model in collection.models:
            ids = collection.samples(model)["id"].to_pylist()
            file.create_dataset(f"{model}/ids", data=ids, dtype=h5py.string_dtype())
            for time in collection.times:
                key = f"{model}/{storage.time_key(time)}"
                means = collection.rows(model, layer, time, "mean")
                file.create_dataset(f"{key}/mean", data=means[0 : len(means)])
                if _keeps_maps(collection, model):
                    view = _view(collection, model, layer, time, beside=path.parent)
                    file.create_virtual_dataset(f"{key}/maps", view, fillvalue=np.nan)


def _keeps_maps(collection: Collection, model: str) -> bool:
    return all(
        chunk.places.maps is not None and chunk.places.maps.is_relative_to(chunk.places.folder)
        for chunk in collection.of_model(model)
    )


def _view(collection: Collection, model: str, layer: str, time: float, *, beside: Path) -> Any:
    rows = collection.rows(model, layer, time, "maps")
    layout = h5py.VirtualLayout(rows.shape, rows.dtype)
    for start, stop, path, key in rows.parts():
        source = h5py.VirtualSource(
            os.path.relpath(path, beside), key, (stop - start, *rows.shape[1:]), rows.dtype
        )
        layout[start:stop] = source
    return layout
