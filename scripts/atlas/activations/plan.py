"""What a dataset will take, before it is begun: disk, RAM, a GPU's memory, jobs, minutes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

from atlas.activations import plan_bytes, plan_forward
from atlas.activations.datasets import Dataset, is_real
from atlas.activations.layers import Layer
from atlas.activations.plan_assumptions import assumed
from atlas.activations.plan_bytes import Picture
from atlas.activations.plan_files import Row
from atlas.activations.plan_forward import Forward
from atlas.activations.probes.probe import Probe

MEGABYTE = 10**6
SHOWN = 64
"""Samples whose conditions tell how long those of all are."""
DRAWING, EMBEDDING = "generate_activations", "embed_activations"
"""Rules whose jobs get their resources from the plan."""
BLOCK = 2048
"""Rows of samples that an embedding multiplies at once."""
RANKED, RANKED_BYTES = 2000, 40
"""Samples that are ranked to tell how far a map can be trusted, and bytes of each pair of them."""


@dataclass(frozen=True)
class Plan:
    """What a dataset will take."""

    rows: tuple[Row, ...]

    def value(self, quantity: str, of: str | None = None) -> int:
        """
        Return the largest figure of a quantity, or that of one thing.

        Raises
        ------
        KeyError
            The plan has none.
        """
        found = [
            row.value for row in self.rows if row.quantity == quantity and of in (None, row.of)
        ]
        if not found:
            raise KeyError(f"{quantity} of {of}")
        return max(found)

    def sum(self, quantity: str) -> int:
        """Return what the figures of a quantity add up to."""
        return sum(row.value for row in self.rows if row.quantity == quantity)

    def has(self, quantity: str) -> bool:
        """Return whether there is such a figure."""
        return any(row.quantity == quantity for row in self.rows)


@dataclass(frozen=True)
class Model:
    """One model of a dataset, with what follows from its probe."""

    name: str
    dataset: Dataset
    probe: Probe
    layers: tuple[Layer, ...]

    @cached_property
    def times(self) -> int:
        """Noise levels or timesteps that are kept."""
        return len(self.probe.times)

    @cached_property
    def forward(self) -> Forward:
        """A forward of a batch."""
        return plan_forward.forward(self.probe, self.dataset.batch)

    @cached_property
    def picture(self) -> Picture | None:
        """The image beside a sample, if there is one."""
        if self.dataset.images == "none":
            return None
        height, width = self.probe.image_size
        full = Picture(height, width, is_grey=self._is_grey(height, width))
        return full.as_thumbnail() if self.dataset.images == "thumbnail" else full

    def _is_grey(self, height: int, width: int) -> bool:
        given = self.probe.inputs(1).values()
        return any(tuple(getattr(value, "shape", ())) == (1, 1, height, width) for value in given)

    @cached_property
    def conditions(self) -> list[list[Any]]:
        """Labels, prompts or the like of the first samples, column by column."""
        shown = range(min(self.dataset.samples, SHOWN))
        return list(self.probe.conditions(self.dataset.seed, shown).values())

    def condition_bytes(self, *, is_text: bool) -> float:
        """Return the bytes of a sample's conditions as text, or compressed in a table."""
        told = 0.0
        for column in self.conditions:
            for value in column:
                length = len(str(value).encode()) + 1
                told += length if is_text else length / 2 if isinstance(value, str) else 8
        return told / max((len(column) for column in self.conditions), default=1)

    def files(self, chunk: str) -> dict[str, int]:
        """Return the bytes of a chunk's files, by the names that its record has for them."""
        start, stop = self.dataset.span(chunk)
        count = stop - start
        picture, dataset = self.picture, self.dataset
        return {
            "samples": self.table_bytes(count, has_images=picture is not None),
            "means": plan_bytes.means_file(self.layers, self.times, count),
            "maps": plan_bytes.maps_files(self.layers, self.times, count, dataset.dtype)
            if dataset.has_maps
            else 0,
            "images": count * picture.png_bytes if picture else 0,
        }

    def table_bytes(self, samples: int, *, has_images: bool) -> int:
        """Return the bytes of a table of samples."""
        return plan_bytes.table_file(
            len(self.layers),
            self.times,
            samples,
            condition_bytes=self.condition_bytes(is_text=False),
            has_images=has_images,
        )

    def batches(self, chunk: str) -> int:
        """Return the batches of a chunk; all are drawn whole."""
        start, stop = self.dataset.span(chunk)
        return ceil(stop / self.dataset.batch) - start // self.dataset.batch

    def forwards(self, chunk: str) -> int:
        """Return the forwards of samples that a chunk takes."""
        each = self.times if is_real(chunk) else self.probe.forwards
        return self.batches(chunk) * self.dataset.batch * each

    def macs(self, chunk: str) -> int:
        """Return the multiply-accumulates of a chunk."""
        one = self.forward
        further = self.batches(chunk) * one.further_macs
        return self.forwards(chunk) * one.macs // one.rows + further

    @property
    def job_ram(self) -> int:
        """Bytes of RAM of a chunk's job."""
        dataset = self.dataset
        held = int(assumed()["libraries"]["draw"]) + self.probe.weight_bytes + self.kept_bytes
        if dataset.device == "cuda":
            return held + int(assumed()["cuda"]["ram"])
        return held + self.forward.ram_bytes

    @property
    def kept_bytes(self) -> int:
        """Bytes of what is kept in RAM: a chunk's means, two batches of maps and images."""
        dataset = self.dataset
        longest = max(dataset.span(chunk)[1] - dataset.span(chunk)[0] for chunk in dataset.chunks)
        held = self.times * plan_bytes.means_bytes(self.layers) * (longest + dataset.batch)
        if dataset.has_maps:
            item = plan_bytes.DTYPE_BYTES[dataset.dtype]
            one = plan_bytes.values_bytes(self.layers, item=item)
            held += 2 * dataset.batch * self.times * one
        height, width = self.probe.image_size
        return held + 2 * dataset.batch * height * width * 3

    @property
    def job_vram(self) -> int:
        """Bytes of a GPU's memory of a chunk's job."""
        context = int(assumed()["cuda"]["device"])
        return context + self.probe.weight_bytes + self.forward.activation_bytes

    @property
    def slices(self) -> int:
        """Sets of samples that are embedded, one for each layer and time."""
        return len(self.layers) * self.times

    def features(self) -> Iterator[int]:
        """Yield the values of a sample of each layer that is embedded."""
        for layer in self.layers:
            yield layer.numel if self.dataset.embed == "maps" else layer.width


def planned(probes: Mapping[str, Probe], dataset: Dataset) -> Plan:
    """
    Return what a dataset will take.

    Nothing is read but headers and configurations, nothing runs but on torch's meta device: the
    figures follow from shapes, dtypes and config/activations/plan.yaml.

    Parameters
    ----------
    probes
        Of each of the dataset's models.

    Raises
    ------
    AtlasError
        A layer does not exist, or has no update.
    """
    models = [
        Model(name, dataset, probes[name], probes[name].layers(dataset.layers))
        for name in dataset.models
    ]
    rows = [row for model in models for row in _of_sample(model)]
    rows += [row for model in models for row in _of_chunks(model)]
    rows += _of_results(models, dataset)
    rows += _of_disk(rows, models, dataset)
    rows += [row for model in models for row in _of_memory(model)]
    rows.append(_embedding_ram(models, dataset))
    rows += _of_work(models, dataset)
    plan = Plan(tuple(rows))
    return Plan((*rows, *_needs(plan, models, dataset)))


def _of_sample(model: Model) -> Iterator[Row]:
    """Yield the bytes of one sample: each layer at one time, the image."""
    dataset = model.dataset
    for layer in model.layers:
        of = f"{model.name}, {layer.name}"
        shape = " x ".join(map(str, layer.shape))
        how = f"{layer.width} x 4 B: float32 means over space or tokens of {shape}, at each time"
        yield Row("mean of a sample", of, plan_bytes.means_bytes([layer]), "B", how)
        if dataset.has_maps:
            item = plan_bytes.DTYPE_BYTES[dataset.dtype]
            how = f"{shape} x {item} B: {dataset.dtype}, at each time"
            yield Row("map of a sample", of, plan_bytes.values_bytes([layer], item=item), "B", how)
    yield Row("times", model.name, model.times, model.probe.time_name, "at which layers are kept")
    if picture := model.picture:
        how = f"{picture.height} x {picture.width} pixels x {picture.bits_per_pixel} bits of a PNG"
        yield Row("image of a sample", model.name, picture.png_bytes, "B", how)


def _of_chunks(model: Model) -> Iterator[Row]:
    """Yield the bytes of all chunks of a model, by kind of file."""
    how = {
        "samples": "a row for each sample and time: conditions, names and digests of files",
        "means": "samples x times x widths x 4 B, and HDF5's own",
        "maps": "samples x times x values x bytes of the dtype, and HDF5's own",
        "images": "samples x bytes of an image",
    }
    files = [model.files(chunk) for chunk in model.dataset.chunks]
    for name, text in how.items():
        yield Row(f"chunks: {name}", model.name, sum(each[name] for each in files), "B", text)


def samples_of(dataset: Dataset) -> int:
    """Return the samples of each model, real images counted."""
    return dataset.samples + (dataset.real.samples if dataset.real else 0)


def _of_results(models: list[Model], dataset: Dataset) -> Iterator[Row]:
    """Yield the bytes of what is made of all chunks."""
    count, own = samples_of(dataset), assumed()["results"]
    alone = models[0].table_bytes(0, has_images=False)
    table = alone + sum(model.table_bytes(count, has_images=False) - alone for model in models)
    yield Row("samples.parquet", "the dataset", table, "B", "the chunks' tables, joined")
    means = sum(plan_bytes.means_file(model.layers, model.times, count) for model in models)
    yield Row("layers", "the dataset", means, "B", "means once more, by layer; maps are views")
    points = near = 0
    for model in models:
        ids = len(f"{model.name}/000000,{model.name},")
        ids += len(f"chunks/{model.name}/0000/images/000000.png,") if model.picture else 1
        names = sum(len(layer.name) + 1 for layer in model.layers) * model.times
        row = own["point"] + ids + model.condition_bytes(is_text=True)
        points += int(count * (names + model.slices * row))
        near += count * model.slices * min(dataset.neighbours, count - 1) * own["neighbour"]
    how = f"a row for each sample, layer and time: {own['point']} B of numbers, and its texts"
    yield Row("umap.csv", "the dataset", points, "B", how)
    how = f"{dataset.neighbours} neighbours a row x {own['neighbour']} B, compressed"
    yield Row("neighbours.parquet", "the dataset", near + 2000, "B", how)
    how = "numbers of umap.csv and neighbours.parquet, compressed"
    yield Row("umap.parquet", "the dataset", near + points // 3, "B", how)
    page = own["page"] + own["page_point"] * count * len(models)
    how = f"at most {own['page_point']} B a sample, and the page's own"
    yield Row("viewer.html", "the dataset", page, "B", how)


RESULTS = (
    "samples.parquet",
    "layers",
    "umap.csv",
    "neighbours.parquet",
    "umap.parquet",
    "viewer.html",
)
CHUNKS = ("samples", "means", "maps", "images")


def _of_disk(rows: list[Row], models: list[Model], dataset: Dataset) -> Iterator[Row]:
    """Yield the disk of the dataset, at its peak and in the end, and of a job."""
    plan = Plan(tuple(rows))
    most = sum(plan.sum(f"chunks: {name}") for name in CHUNKS) + sum(map(plan.sum, RESULTS))
    passing = 0 if dataset.keep_raw else plan.sum("chunks: maps")
    yield Row("disk at most", "the dataset", most, "B", "chunks and results, all maps among them")
    how = "chunks and results" + (", without the maps (keep_raw: false)" if passing else "")
    yield Row("disk in the end", "the dataset", most - passing, "B", how)
    largest = max(sum(model.files(chunk).values()) for model in models for chunk in dataset.chunks)
    yield Row("disk of a job", "the largest chunk", largest, "B", "its files")


def _of_memory(model: Model) -> Iterator[Row]:
    probe, dataset, fact = model.probe, model.dataset, assumed()
    name = model.name
    yield Row("weights", name, probe.weight_bytes, "B", "in the dtype that they run in")
    how = f"most alive at one time in drawing {dataset.batch} samples, inputs included"
    yield Row("activations", name, model.forward.activation_bytes, "B", how)
    yield Row(
        "kept", name, model.kept_bytes, "B", "means of a chunk, maps and images of two batches"
    )
    libraries = f"libraries {fact['libraries']['draw'] // MEGABYTE} MB + weights + kept"
    if dataset.device == "cuda":
        how = f"{libraries} + {fact['cuda']['ram'] // MEGABYTE} MB of the GPU's libraries"
    else:
        own = fact["forward"]
        how = f"{libraries} + {own['times']} x activations + {own['bytes'] // MEGABYTE} MB"
    yield Row("RAM of a job", name, model.job_ram, "B", how)
    if dataset.device == "cuda":
        how = f"weights + activations + {fact['cuda']['device'] // MEGABYTE} MB of the context"
        yield Row("VRAM of a job", name, model.job_vram, "B", how)


def _embedding_ram(models: list[Model], dataset: Dataset) -> Row:
    """Return the RAM of the embedding: layers and times are laid out one after another."""
    fact, count = assumed(), samples_of(dataset)
    slices = sum(model.slices for model in models)
    components = min(dataset.components, count)
    widest = max(width for model in models for width in model.features())
    ranked = RANKED_BYTES * min(count, RANKED) ** 2
    arrays = 2 * 4 * count * widest + 48 * min(count, BLOCK) ** 2 + ranked
    bounded = min(arrays, dataset.memory_mb * MEGABYTE)
    points = slices * count * (components * 4 + 1000)
    umap = count * (fact["umap"]["sample"] + fact["umap"]["component"] * components)
    how = (
        f"libraries {fact['libraries']['embed'] // MEGABYTE} MB + arrays of a layer "
        f"{bounded // MEGABYTE} MB (at most memory_mb) + points and components "
        f"{points // MEGABYTE} MB + UMAP {umap // MEGABYTE} MB"
    )
    held = int(fact["libraries"]["embed"]) + bounded + points + int(umap)
    return Row("RAM of the embedding", "the dataset", held, "B", how)


def _speed(dataset: Dataset) -> float:
    """Return multiply-accumulates a second of a job, low on purpose."""
    own = assumed()["speed"]
    return 1e9 * float(own["cuda"] if dataset.device == "cuda" else own["cpu"] * dataset.threads)


def _seconds(dataset: Dataset, macs: float) -> float:
    return float(assumed()["seconds"]["start"]) + macs / _speed(dataset)


def _of_work(models: list[Model], dataset: Dataset) -> Iterator[Row]:
    jobs = len(models) * len(dataset.chunks)
    yield Row("jobs", "the dataset", jobs, "jobs", "models x chunks, of real images too")
    total = 0.0
    for model in models:
        forwards = sum(model.forwards(chunk) for chunk in dataset.chunks)
        how = "whole batches of samples x forwards of each, both branches of guidance counted"
        yield Row("forwards", model.name, forwards, "forwards", how)
        macs = sum(model.macs(chunk) for chunk in dataset.chunks)
        yield Row(
            "operations", model.name, macs, "MAC", "products and convolutions of all forwards"
        )
        total += macs / _speed(dataset)
    how = f"operations at {_speed(dataset) / 1e9:,.0f} GMAC/s, low on purpose, job after job"
    yield Row("drawing", "the dataset", ceil(total), "s", how)
    start = assumed()["seconds"]["start"]
    yield Row("starting", "the dataset", jobs * start, "s", f"jobs x {start} s")


def _needs(plan: Plan, models: list[Model], dataset: Dataset) -> Iterator[Row]:
    """Yield the resources of the rules' jobs, with room."""
    longest = max(model.macs(chunk) for model in models for chunk in dataset.chunks)
    yield _megabytes("mem_mb", DRAWING, plan.value("RAM of a job"), "memory")
    yield _megabytes("disk_mb", DRAWING, plan.value("disk of a job"), "disk")
    yield _minutes(DRAWING, _seconds(dataset, longest))
    yield Row("gpu", DRAWING, int(dataset.device == "cuda"), "GPUs", "device: cuda takes one")
    results = sum(plan.value(name) for name in ("umap.csv", "umap.parquet", "neighbours.parquet"))
    yield _megabytes("mem_mb", EMBEDDING, plan.value("RAM of the embedding"), "memory")
    yield _megabytes("disk_mb", EMBEDDING, results, "disk")
    count, own = samples_of(dataset), assumed()
    products = sum(count**2 * width * model.times for model in models for width in model.features())
    points = sum(model.slices for model in models) * count
    speed = 1e9 * own["speed"]["cpu"]
    yield _minutes(
        EMBEDDING,
        own["seconds"]["start"] + products / speed + points * own["seconds"]["point"],
    )


def _megabytes(quantity: str, rule: str, needed: int, room: str) -> Row:
    times = assumed()["room"][room]
    how = f"{times} times what is needed"
    return Row(quantity, rule, ceil(needed * times / MEGABYTE), "MB", how)


def _minutes(rule: str, seconds: float) -> Row:
    own = assumed()
    minutes = max(ceil(seconds * own["room"]["time"] / 60), own["fewest_minutes"])
    how = f"{own['room']['time']} times what is expected, {own['fewest_minutes']} at least"
    return Row("runtime", rule, minutes, "min", how)
