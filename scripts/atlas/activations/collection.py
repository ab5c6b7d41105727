"""All chunks of a dataset together: their table of samples, and each layer's values as rows."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.activations import storage
from atlas.activations.layers import Layer
from atlas.activations.places import Places
from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.projection.rows import Chosen, Rows

LOG = logging.getLogger(__name__)

Of = Literal["mean", "maps"]


@dataclass(frozen=True)
class Chunk:
    """One chunk, as its table tells."""

    places: Places
    table: pa.Table
    notes: dict[str, Any]

    @property
    def model(self) -> str:
        """Which network saw the samples."""
        return str(self.notes["model"])

    @property
    def times(self) -> tuple[float, ...]:
        """Noise levels or timesteps of its values."""
        return tuple(self.notes["times"])

    @property
    def kept_digests(self) -> dict[str, str]:
        """Digests of its files, but of maps that went when they had been read."""
        made: dict[str, str] = self.notes["digests"]
        if self.places.maps is not None or not self.notes["passes_maps"]:
            return made
        inside = f"{storage.MAPS}/"
        return {name: digest for name, digest in made.items() if not name.startswith(inside)}

    @cached_property
    def samples(self) -> int:
        """How many samples it has."""
        return int(self.table.num_rows) // len(self.times)


def opened(places: Places) -> Chunk:
    """
    Return a chunk whose table is as it was written.

    Raises
    ------
    AtlasError
        It is not; the table was moved aside, so that the next run makes the chunk anew.
    """
    names = pq.read_schema(places.table).names if places.table.is_file() else []
    table, notes = sealed.read(places.table, names)
    return Chunk(places, table, notes)


@dataclass(frozen=True)
class Collection:
    """A dataset's chunks, model after model, drawn samples before real ones."""

    chunks: tuple[Chunk, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Models, in the dataset's order."""
        return tuple(dict.fromkeys(chunk.model for chunk in self.chunks))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers that all models have, in their order, with the first model's shapes."""
        kept = [self.layers_of(model) for model in self.models]
        return tuple(layer for name, layer in kept[0].items() if all(name in of for of in kept))

    def layers_of(self, model: str) -> dict[str, Layer]:
        """Return a model's layers, by name."""
        told = self.of_model(model)[0].notes["layers"]
        layers = [Layer(**(each | {"shape": tuple(each["shape"])})) for each in told]
        return {layer.name: layer for layer in layers}

    @property
    def times(self) -> tuple[float, ...]:
        """Noise levels or timesteps."""
        return self.chunks[0].times

    @property
    def time_name(self) -> str:
        """What the times are: sigma or timestep."""
        return str(self.chunks[0].notes["time_name"])

    def of_model(self, model: str) -> tuple[Chunk, ...]:
        """Return a model's chunks."""
        return tuple(chunk for chunk in self.chunks if chunk.model == model)

    def table(self) -> pa.Table:
        """Return all rows of samples and times; what a chunk lacks is null."""
        tables = [chunk.table for chunk in self.chunks]
        return pa.concat_tables(tables, promote_options="permissive")

    def samples(self, model: str) -> pa.Table:
        """Return a row for each sample of a model, as of its first time."""
        tables = [chunk.table for chunk in self.of_model(model)]
        joined = pa.concat_tables(tables, promote_options="permissive")
        return joined.filter(pc.equal(joined["timestep"], self.times[0]))

    def rows(self, model: str, layer: str, time: float, of: Of) -> storage.ChunkedRows:
        """Return a layer's values of all samples of a model, in the order of `samples`."""
        key = storage.time_key(time)
        places = []
        for chunk in self.of_model(model):
            if of == "mean":
                places.append((chunk.places.means, f"{layer}/{key}", chunk.samples))
            elif chunk.places.maps is not None:
                file = storage.maps_file(chunk.places.maps, layer)
                places.append((file, key, chunk.samples))
        return storage.ChunkedRows(places)

    def rows_of(
        self, model: str, layer: str, time: float, of: Of, samples: NDArray[np.intp]
    ) -> Rows:
        """Return a layer's values of some samples of a model, by their places in `samples`."""
        rows = self.rows(model, layer, time, of)
        return rows if len(samples) == len(rows) else Chosen(rows, samples)

    def finite_samples(self) -> NDArray[np.intp]:
        """
        Return the places, among a model's samples, of those that no model saw as NaN or infinite.

        Layers and models are compared by the same samples.

        Raises
        ------
        AtlasError
            There is none.
        """
        worst = np.max([self._nonfinite(model) for model in self.models], axis=0)
        kept = np.flatnonzero(worst == 0)
        if not len(kept):
            raise AtlasError(
                f"all {len(worst):,} samples hold NaN or infinite values, so there is nothing to "
                "compare; look at the column nonfinite of samples.parquet, and try float32"
            )
        if len(kept) < len(worst):
            left = len(worst) - len(kept)
            LOG.warning("%d of %d samples hold NaN or infinite values: left out", left, len(worst))
        return kept

    def _nonfinite(self, model: str) -> NDArray[np.int64]:
        """Return how many of each sample's values are not finite, at the worst time."""
        counts = [
            chunk.table["nonfinite"].to_numpy().reshape(-1, len(self.times))
            for chunk in self.of_model(model)
        ]
        worst: NDArray[np.int64] = np.concatenate(counts).max(axis=1)
        return worst

    def require_whole(self, *prefixes: str) -> None:
        """
        Check the bytes of all files, or of those below some folders of the chunks.

        Raises
        ------
        DamagedFileError
            One is not as it was written: its chunk was moved aside, to be made anew.
        """
        for chunk in self.chunks:
            for prefix in prefixes or ("",):
                chunk.places.require_whole(chunk.kept_digests, prefix=prefix)


def collected(chunks: Iterable[Places]) -> Collection:
    """
    Return a dataset's chunks, in the order given.

    Raises
    ------
    AtlasError
        A chunk is damaged, or the chunks are not of one dataset.
    """
    collection = Collection(tuple(map(opened, chunks)))
    if not collection.chunks:
        raise AtlasError("there are no chunks of activations")
    _check_alike(collection.chunks)
    return collection


def _check_alike(chunks: Sequence[Chunk]) -> None:
    first = chunks[0]
    for chunk in chunks[1:]:
        if chunk.times != first.times:
            raise AtlasError(
                f"{chunk.places.folder}: its times are {_listed(chunk.times)}, those of "
                f"{first.places.folder} {_listed(first.times)}; models of one dataset need the "
                "same: set sigma or steps, or declare two datasets"
            )


def _listed(times: Iterable[float]) -> str:
    return ", ".join(map(storage.time_key, times))
