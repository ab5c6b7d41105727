"""What every probe tells of its network and can do with it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from atlas.activations import layers, recorder
from atlas.activations.layers import Layer, Place
from atlas.activations.samples import Batch
from atlas.networks.sources import Source

Images = NDArray[np.uint8]
"""(samples, height, width, 3), 0 to 255."""
Column = list[Any]
"""One value for each sample: numbers, or texts."""


@dataclass(frozen=True)
class Call:
    """What runs for a batch beside the network's forwards, on the meta device."""

    module: torch.nn.Module
    method: str
    """`forward`, `decode`, ..."""
    arguments: Mapping[str, Any]


class Probe(ABC):
    """
    One kind of network: its layers, its conditioning, how images are drawn with it.

    A probe is made without reading a weight: what it tells follows from configuration, header and
    options. `load` reads the weights; `draw` and `observe` need it.

    Parameters
    ----------
    options
        The dataset's, of those that the probe takes; what is absent is the probe's own default.

    Raises
    ------
    AtlasError
        An option has a value that this network does not allow, or configuration is lacking.
    """

    name: ClassVar[str]
    """What it is called in the settings."""
    title: ClassVar[str]
    """What it is for, in words."""
    takes: ClassVar[frozenset[str]]
    """The options that it knows."""
    time_name: ClassVar[Literal["sigma", "timestep"]]
    """What `times` are."""
    component: str
    """Which of the checkpoint's components is the network."""

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        self.source = source
        self.options = dict(options)

    @classmethod
    @abstractmethod
    def fits(cls, source: Source) -> bool:
        """
        Tell whether a source is such a network, by its configuration or its tensors' names.

        Raises
        ------
        AtlasError
            It is known to be another network that no probe runs, with its name.
        """

    @cached_property
    @abstractmethod
    def skeleton(self) -> torch.nn.Module:
        """The network on torch's meta device, with the modules' paths that `load` gives, too."""

    @abstractmethod
    def inputs(self, batch: int) -> Mapping[str, Any]:
        """Return the keyword arguments of one forward of a batch's samples, on the meta device."""

    def further_calls(self, batch: int) -> Sequence[Call]:
        """Return what else runs once for a batch, on the meta device: a decoder of images, ..."""
        return ()

    @property
    @abstractmethod
    def short_names(self) -> Mapping[str, Place]:
        """Layers by short name, in the order of the network."""

    @property
    @abstractmethod
    def default_layers(self) -> Sequence[str]:
        """Names of the layers that are kept where none are asked for."""

    @property
    @abstractmethod
    def times(self) -> tuple[float, ...]:
        """Noise levels or timesteps at which values are kept, in the order of drawing."""

    @property
    @abstractmethod
    def forwards(self) -> int:
        """Forwards of the network that a sample takes, both branches of guidance counted."""

    @property
    @abstractmethod
    def weight_bytes(self) -> int:
        """Bytes of all weights that `load` puts on the device, in the dtype that they run in."""

    @property
    @abstractmethod
    def image_size(self) -> tuple[int, int]:
        """Height and width of an image, in pixels."""

    @abstractmethod
    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, Column]:
        """Return the samples' labels, prompts or the like: columns of the table of samples."""

    @abstractmethod
    def load(self, device: torch.device) -> torch.nn.Module:
        """Read the weights, and return the network, ready on the device."""

    @abstractmethod
    def draw(self, batch: Batch, kept: recorder.Recorder) -> Images:
        """
        Draw a batch's images; the forwards of `times` run inside `kept.keeping(time)`.

        Runs under torch.inference_mode. What is drawn of a sample depends on the dataset's seed
        and its number alone.
        """

    @abstractmethod
    def observe(self, images: Images, batch: Batch, kept: recorder.Recorder) -> None:
        """
        Show given images, with noise, to the network at each of `times`, inside `kept.keeping`.

        They have no label: where the network needs one, it gets none.

        Parameters
        ----------
        images
            Of `image_size`.
        """

    def layers(self, asked: Sequence[str] = ()) -> tuple[Layer, ...]:
        """
        Return layers by short name or module path, the probe's own choice where none are asked.

        Raises
        ------
        AtlasError
            There is no such layer, or it has no update.
        """
        places = layers.found(
            asked or self.default_layers, short=self.short_names, network=self.skeleton
        )
        shapes = recorder.shapes(self.skeleton, places, lambda: self.skeleton(**self.inputs(1)))
        return tuple(
            Layer(name, place.module, shapes[name], place.element) for name, place in places.items()
        )
