"""A chunk in the form of the DMD2 visualiser's files: one NPZ of flat layers, and a JSON beside."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from atlas.activations.collection import Chunk
from atlas.activations.layers import Layer
from atlas.activations.storage import ChunkedRows, maps_file, time_key
from atlas.basis.tables import replacing, write_text

NOT_METADATA = {"nonfinite"}


def write(chunk: Chunk, layers: list[Layer], path: Path) -> None:
    """
    Write {path}.npz and, beside it, {path}.json.

    The arrays are float32 (samples, values): flat maps where the chunk has them, means else. Their
    names are the layers'; where the chunk has several times, `{layer}@{time}`. JSON has what the
    table of samples tells, as lists.
    """
    arrays = {}
    for layer in layers:
        for time in chunk.times:
            key = time_key(time)
            name = layer.name if len(chunk.times) == 1 else f"{layer.name}@{key}"
            if chunk.places.maps is None:
                place = (chunk.places.means, f"{layer.name}/{key}", chunk.samples)
            else:
                place = (maps_file(chunk.places.maps, layer.name), key, chunk.samples)
            values = ChunkedRows([place])[0 : chunk.samples]
            arrays[name] = values.reshape(chunk.samples, -1).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    write_text(json.dumps(_metadata(chunk), indent=1) + "\n", path.with_suffix(".json"))


def _metadata(chunk: Chunk) -> dict[str, Any]:
    """Return what is known of the samples, once for each, and of all of them."""
    table = chunk.table.take(list(range(0, chunk.table.num_rows, len(chunk.times))))
    columns = [name for name in table.column_names if not name.startswith("rms ")]
    samples = {name: table[name].to_pylist() for name in columns if name not in NOT_METADATA}
    return {"model": chunk.model, "times": list(chunk.times), "samples": samples}
