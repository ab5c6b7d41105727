"""EDM's and DMD2's class-conditional network of ImageNet 64 × 64: a state dict of DhariwalUNet."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from atlas.activations.layers import Place
from atlas.activations.probes import dhariwal_keys, labels, preconditioning
from atlas.activations.probes.pixel_probe import ClassTable, PixelProbe
from atlas.basis.errors import AtlasError
from atlas.names.components import NETWORK
from atlas.networks.sources import Source

SHOWN_CHANNELS = (1, 3)


class DhariwalProbe(PixelProbe):
    """A state dict under EDM's keys, which run as diffusers' `UNet2DModel`, equal to rounding."""

    name = "edm_imagenet"
    title = "DhariwalUNet of EDM and DMD2, ImageNet 64 x 64"
    component = NETWORK
    usual_preconditioning = preconditioning.Edm.name

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        self._names = dhariwal_keys.bared(source.required(self.component))
        tensors = source.tensors(self.component)
        self._shapes = {key: tensors[name].shape for key, name in self._names.items()}
        self.structure = dhariwal_keys.structure(self._shapes, str(source.path))
        self.config = self.structure.config()
        self._check_channels()
        option = self.options.get("labels")
        classes = self.structure.classes
        self.labels = labels.of_classes(option, classes) if classes else labels.of_nothing(option)
        self._check_levels()

    @classmethod
    def fits(cls, source: Source) -> bool:
        """
        Tell whether a source has the keys of a DhariwalUNet.

        Raises
        ------
        AtlasError
            They are those of SongUNet.
        """
        keys = dhariwal_keys.bared(source.tensors(cls.component))
        if not dhariwal_keys.is_such(keys):
            return False
        dhariwal_keys.check_kind(keys, str(source.path))
        return True

    @property
    def short_names(self) -> Mapping[str, Place]:
        """All blocks by the names that DMD2's tools give them, in the order of the network."""
        return {block.name: Place(block.module) for block in self.structure.blocks}

    @property
    def default_layers(self) -> Sequence[str]:
        """The last block of the encoder and the first of the decoder."""
        names = dhariwal_keys.facts()["names"]
        return (names["enc"]["last"], names["dec"]["first"])

    def label_embedding(self) -> nn.Module | None:
        """Return a new table of classes, or None where the network takes none."""
        classes = self.structure.classes
        return ClassTable(classes, self._embedded_width) if classes else None

    def weights(self, *, device: str) -> dict[str, torch.Tensor]:
        """Return the weights under the network's names, in the dtypes of the file."""
        if device == "meta":
            read = {key: torch.empty(shape, device=device) for key, shape in self._shapes.items()}
        else:
            wanted = {name: key for key, name in self._names.items()}
            state = self.source.state(self.component, wanted)
            read = {wanted[name]: weight for name, weight in state.items()}
        return dhariwal_keys.converted(read, self.structure, str(self.source.path))

    def _built(self) -> nn.Module:
        network = super()._built()
        dhariwal_keys.set_groups(network, str(self.source.path))
        return network

    def _check_channels(self) -> None:
        channels = self.structure.image_channels
        if channels not in SHOWN_CHANNELS:
            raise AtlasError(
                f"{self.source.path}: draws {channels} channels; the probe {self.name} draws grey "
                "(1) and RGB (3) images alone"
            )
