"""Make one chunk of a dataset: draw its samples, and write what was seen."""

import logging
import shutil
import time as clock
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from atlas.activations import images
from atlas.activations.datasets import Dataset, images_in, is_real
from atlas.activations.drawing import Drawer, Values, Work, device_of
from atlas.activations.layers import Layer
from atlas.activations.places import Places, chunk_folder, sample_id
from atlas.activations.probes.probe import Images, Probe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, batches, seed_of
from atlas.activations.writing import ChunkWriter
from atlas.basis import sealed

LOG = logging.getLogger(__name__)

TELL_SECONDS = 10
"""Between two words on progress."""


@dataclass
class Record:
    """What making a chunk took."""

    seconds: dict[str, float] = field(default_factory=dict)
    """To load the weights, to draw, and to write what was not written meanwhile."""
    most: int | None = None
    """Samples at once, where the memory was too small for whole batches."""
    nonfinite: int = 0
    """Values that are NaN or infinite."""


def make(probe: Probe, dataset: Dataset, *, model: str, chunk: str, places: Places) -> Record:
    """
    Draw a chunk's samples and write images, means, maps and the table of samples.

    Nothing of an earlier attempt is taken over. The table comes last: it holds digests of all
    other files.

    Raises
    ------
    AtlasError
        The device is not there, its memory is too small, or an image can't be read.
    """
    for folder in filter(None, (places.folder, places.maps)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    device = device_of(dataset.device)
    torch.set_num_threads(dataset.threads)
    layers = probe.layers(dataset.layers)
    record = Record()
    begun = clock.perf_counter()
    network = probe.load(device)
    record.seconds["load"] = clock.perf_counter() - begun
    start, stop = dataset.span(chunk)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        recorder = stack.enter_context(
            Recorder(network, layers, has_maps=dataset.has_maps, dtype=dataset.dtype)
        )
        drawer = Drawer(_work(probe, dataset, chunk, recorder), recorder)
        writer = stack.enter_context(
            ChunkWriter(
                places,
                layers,
                probe.times,
                start=start,
                stop=stop,
                dtype=dataset.dtype,
                pictures=dataset.images,
            )
        )
        for batch, drawn, values in _drawn(drawer, dataset, start, stop):
            writer.add(batch, drawn, values)
        record.seconds["draw"] = clock.perf_counter() - begun - record.seconds["load"]
    record.most = drawer.most
    table = _table(probe, dataset, model, chunk, layers, writer)
    record.nonfinite = _told_nonfinite(table, dataset)
    notes = _notes(probe, dataset, model, chunk, layers, record)
    sealed.write(table, places.table, notes | {"digests": places.digests()})
    record.seconds["write"] = clock.perf_counter() - begun - sum(record.seconds.values())
    return record


def _work(probe: Probe, dataset: Dataset, chunk: str, recorder: Recorder) -> Work:
    """Return what is done with a batch: drawing its samples, or showing real images."""
    if not is_real(chunk):
        return lambda batch: probe.draw(batch, recorder)
    files = real_images(dataset)

    def observe(batch: Batch) -> Images:
        # beyond the last image a batch is filled up, as all batches are whole
        shown = [files[index % len(files)] for index in batch.indices]
        pictures = images.read(shown, size=probe.image_size)
        probe.observe(pictures, batch, recorder)
        return pictures

    return observe


def real_images(dataset: Dataset) -> list[Path]:
    """Return the real images of a dataset, in the order of their samples."""
    assert dataset.real is not None
    files = images_in(dataset.real.folder)
    return images.chosen(files, dataset.real.samples, seed=dataset.seed)


def _drawn(
    drawer: Drawer, dataset: Dataset, start: int, stop: int
) -> Iterator[tuple[Batch, Images, Values]]:
    todo = batches(start, stop, size=dataset.batch, seed=dataset.seed)
    begun = told = clock.monotonic()
    for number, batch in enumerate(todo, 1):
        yield batch, *drawer.draw(batch)
        now = clock.monotonic()
        if now - told > TELL_SECONDS or number == len(todo):
            done = min(number * dataset.batch, stop - start)
            LOG.info("%d of %d samples, %.3g a second", done, stop - start, done / (now - begun))
            told = now


def _table(
    probe: Probe,
    dataset: Dataset,
    model: str,
    chunk: str,
    layers: Sequence[Layer],
    written: ChunkWriter,
) -> pa.Table:
    """Return a row for each sample and time, in that order."""
    indices = range(written.start, written.stop)
    real, times, count = is_real(chunk), probe.times, len(indices)
    folder = chunk_folder(model, chunk)
    columns: dict[str, Any] = {
        "id": [sample_id(model, index, is_real=real) for index in indices],
        "model": pa.array([model] * count, pa.string()),
        "sample": pa.array(indices, pa.int32()),
        "kind": ["real" if real else "drawn"] * count,
        "seed": pa.array([seed_of(dataset.seed, index, "noise") for index in indices], pa.int64()),
    }
    if real:
        columns["file"] = [str(file) for file in real_images(dataset)[written.start : written.stop]]
    else:
        columns |= probe.conditions(dataset.seed, indices)
    pictures = [None if name is None else f"{folder}/{name}" for name in written.image_files]
    columns["image"] = pa.array(pictures, pa.string())
    table = pa.table(columns).take(pa.array(np.repeat(np.arange(count), len(times))))
    table = table.append_column("timestep", pa.array(list(times) * count, pa.float64()))
    nonfinite = sum(_by_row(written.nonfinite, layer, times) for layer in layers)
    table = table.append_column("nonfinite", pa.array(nonfinite, pa.int64()))
    for layer in layers:
        rms = pa.array(_by_row(written.rms, layer, times), pa.float32())
        table = table.append_column(f"rms {layer.name}", rms)
    return table


def _by_row(values: dict[tuple[str, float], Any], layer: Layer, times: Sequence[float]) -> Any:
    return np.stack([values[layer.name, time] for time in times], axis=1).ravel()


def _told_nonfinite(table: pa.Table, dataset: Dataset) -> int:
    """Return how many values are not finite, and say so where there are any."""
    count = int(np.sum(table["nonfinite"].to_numpy()))
    if count:
        remedy = "; float16 holds nothing above 65504: dtype: float32 does"
        narrow = dataset.has_maps and dataset.dtype == "float16"
        LOG.warning(
            "%d values are NaN or infinite: the column nonfinite of samples.parquet tells of which "
            "samples%s",
            count,
            remedy * narrow,
        )
    return count


def _notes(
    probe: Probe,
    dataset: Dataset,
    model: str,
    chunk: str,
    layers: Sequence[Layer],
    record: Record,
) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "model": model,
        "chunk": chunk,
        "probe": probe.name,
        "time_name": probe.time_name,
        "times": list(probe.times),
        "layers": [asdict(layer) for layer in layers],
        "dtype": dataset.dtype if dataset.has_maps else None,
        "passes_maps": dataset.passes_maps,
        "device": dataset.device,
        "batch": record.most or dataset.batch,
        "torch": torch.__version__,
    }
