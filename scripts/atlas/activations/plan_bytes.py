"""Bytes of files of a dataset, from shapes, dtypes and lengths of texts alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

from atlas.activations.layers import Layer
from atlas.activations.plan_assumptions import assumed

MEAN_BYTES = 4
"""Of a value of a mean: float32."""
DTYPE_BYTES = {"float16": 2, "float32": 4}
"""Of a value of a map."""


@dataclass(frozen=True)
class Picture:
    """An image that is written beside a sample."""

    height: int
    width: int
    is_grey: bool = False
    """Whether its three channels are equal."""

    def as_thumbnail(self) -> "Picture":
        """Return it with its longest side no longer than a thumbnail's."""
        share = min(1.0, assumed()["thumbnail_side"] / max(self.height, self.width))
        height, width = (max(1, round(side * share)) for side in (self.height, self.width))
        return Picture(height, width, self.is_grey)

    @property
    def bits_per_pixel(self) -> float:
        """Of a PNG, as plausible images of its size take; larger ones are smoother."""
        png = assumed()["png"]
        by_side = png["grey" if self.is_grey else "colour"]
        longest = max(self.height, self.width)
        return float(by_side[min(side for side in by_side if longest <= side or side == inf)])

    @property
    def png_bytes(self) -> int:
        """Of a PNG."""
        own = int(assumed()["png"]["bytes"])
        return ceil(self.height * self.width * self.bits_per_pixel / 8) + own


def values_bytes(layers: Sequence[Layer], *, item: int) -> int:
    """Return the bytes of one sample's maps at one time, with so many bytes a value."""
    return item * sum(layer.numel for layer in layers)


def means_bytes(layers: Sequence[Layer]) -> int:
    """Return the bytes of one sample's means over space at one time."""
    return MEAN_BYTES * sum(layer.width for layer in layers)


def means_file(layers: Sequence[Layer], times: int, samples: int) -> int:
    """Return the bytes of a chunk's file of means."""
    hdf5 = assumed()["hdf5"]
    blocks = ceil(len(layers) * times * hdf5["dataset"] / hdf5["block"])
    return int(samples * times * means_bytes(layers) + blocks * hdf5["block"])


def maps_files(layers: Sequence[Layer], times: int, samples: int, dtype: str) -> int:
    """Return the bytes of a chunk's files of maps, one for each layer."""
    hdf5 = assumed()["hdf5"]
    held = samples * times * values_bytes(layers, item=DTYPE_BYTES[dtype])
    index = len(layers) * times * samples * hdf5["sample"]
    return int(held + index + len(layers) * hdf5["block"])


def table_file(
    layers: int, times: int, samples: int, *, condition_bytes: float, has_images: bool
) -> int:
    """
    Return the bytes of a chunk's table of samples.

    Parameters
    ----------
    condition_bytes
        Of one sample's labels, prompts or the like, as they are compressed.
    has_images
        Whether the table names an image, with its digest, for each sample.
    """
    table = assumed()["table"]
    row = table["row"] + layers * table["layer"]
    sample = table["sample"] + condition_bytes + times * row + table["image"] * has_images
    return int(table["file"] + layers * table["column"] + samples * sample)
