"""diffusers' `UNet2DModel`: without labels, with classes, or with a number that layers embed."""

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from diffusers import UNet2DModel
from diffusers.models.embeddings import TimestepEmbedding
from torch import nn

from atlas.activations.probes import labels, preconditioning
from atlas.activations.probes.pixel_probe import EMBEDDING, IDENTITY, ClassTable, PixelProbe
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source

CLASS = "UNet2DModel"
DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(UNet2DModel.__init__).parameters.items()
    if parameter.default is not inspect.Parameter.empty
}
"""diffusers' own values of what a config.json leaves out."""

TEXT_LAYERS = "transformer_blocks"
"""In names of layers that read a text: those of UNet2DConditionModel."""

SCHEDULERS = {
    "CMStochasticIterativeScheduler": preconditioning.Consistency.name,
    "EDMEulerScheduler": preconditioning.Edm.name,
    "EDMDPMSolverMultistepScheduler": preconditioning.Edm.name,
}
"""Scheduler of a pipeline's folder to the preconditioning of its network."""


class UNetProbe(PixelProbe):
    """A network that is a `UNet2DModel` of pixels, preconditioned as EDM or consistency models."""

    name = "unet"
    title = "UNet2DModel of pixels: consistency models, EDM"
    component = "unet"

    def __init__(self, source: Source, options: Mapping[str, Any]) -> None:
        super().__init__(source, options)
        self._told = self._configuration()
        self._check_network()
        option = self.options.get("labels")
        if self._classes:
            self.labels = labels.of_classes(option, self._classes)
        else:
            self.labels = labels.of_number(option) if self._mlp else labels.of_nothing(option)
        self.config = self._told | {
            "num_class_embeds": None,
            "class_embed_type": IDENTITY if self._classes or self._mlp else None,
        }
        self._check_levels()

    @classmethod
    def fits(cls, source: Source) -> bool:
        """Tell whether a source's UNet is such a network, by its configuration or its names."""
        names = source.tensors(cls.component)
        if not names and cls.component not in source.checkpoint.unread:
            return False
        if config := source.config(cls.component):
            return config.get("_class_name") == CLASS
        if entry := source.catalogued(cls.component):
            return entry.denoiser.class_name == CLASS
        return bool(names) and not any(TEXT_LAYERS in name for name in names)

    @property
    def usual_preconditioning(self) -> str:
        """
        What the folder's scheduler tells; a consistency model's where there is none.

        Raises
        ------
        AtlasError
            The scheduler is that of another kind of network.
        """
        index = self.source.json("model_index.json") or {}
        _, scheduler = index.get("scheduler") or (None, None)
        if scheduler is None:
            return preconditioning.Consistency.name
        if scheduler not in SCHEDULERS:
            raise AtlasError(
                f"{self.source.path}: its scheduler is {scheduler}, of networks that are told a "
                "timestep instead of a noise level; the probe unet runs EDM's and consistency "
                "models. If it is one, say so (preconditioning: edm or consistency)"
            )
        return SCHEDULERS[scheduler]

    def label_embedding(self) -> nn.Module | None:
        """Return a new module that embeds labels, or None where the network takes none."""
        if self._classes:
            return ClassTable(self._classes, self._embedded_width)
        if not self._mlp:
            return None
        hidden, entering = self._mlp
        embedding: nn.Module = TimestepEmbedding(entering, hidden, out_dim=self._embedded_width)
        return embedding

    def weights(self, *, device: str) -> dict[str, torch.Tensor]:
        """Return the weights under the network's names, in the dtypes of the file."""
        if device == "meta":
            shapes = {name: tensor.shape for name, tensor in self._tensors.items()}
            found = {name: torch.empty(shape, device=device) for name, shape in shapes.items()}
        else:
            found = self.source.state(self.component)
        if self._classes and "class_embedding.weight" in found:
            found[f"{EMBEDDING}.weight"] = found.pop("class_embedding.weight")
        return found

    @cached_property
    def _tensors(self) -> Mapping[str, Any]:
        return self.source.required(self.component)

    @property
    def _classes(self) -> int:
        """Number of classes, 0 where the label is none of several."""
        is_table = self._told["class_embed_type"] is None
        return int(self._told["num_class_embeds"] or 0) if is_table else 0

    @property
    def _mlp(self) -> tuple[int, int] | None:
        """Width and inputs of the first of two layers that embed a number, where there are."""
        first = self._tensors.get(f"{EMBEDDING}.linear_1.weight")
        return (first.shape[0], first.shape[1]) if first and len(first.shape) == 2 else None

    def _configuration(self) -> dict[str, Any]:
        told = self.source.config(self.component)
        if told is None and (entry := self.source.catalogued(self.component)) is not None:
            told = dict(entry.denoiser.config)
        if told is None:
            raise AtlasError(
                f"{self.source.path}: has no {self.component}/config.json, which tells how the "
                "network is built; fetch it, or name a diffusers folder that has it "
                "(configuration: folder)"
            )
        return DEFAULTS | told

    def _check_network(self) -> None:
        """Raise AtlasError where the network is another than this probe runs."""
        told, path = self._told, self.source.path
        if told.get("_class_name", CLASS) != CLASS:
            raise AtlasError(f"{path}: its unet is a {told['_class_name']}, not a {CLASS}")
        if told["time_embedding_type"] != "positional":
            raise AtlasError(
                f"{path}: its time embedding is {told['time_embedding_type']}, as in NCSN++: a "
                "network that is told noise levels in its own way, which no probe runs"
            )
        channels = (told["in_channels"], told["out_channels"])
        if channels not in ((1, 1), (3, 3)):
            raise AtlasError(
                f"{path}: takes {channels[0]} channels and gives {channels[1]}; the probe unet "
                "draws grey (1) and RGB (3) images, and estimates those alone"
            )
        if not told["sample_size"]:
            raise AtlasError(f"{path}: its config.json has no sample_size; write its images' side")
        kind = told["class_embed_type"]
        if kind not in (None, IDENTITY) or (kind == IDENTITY and not self._mlp):
            raise AtlasError(
                f"{path}: embeds labels by {kind}, and no layers of its file make them of a number "
                f"({EMBEDDING}.linear_1 and linear_2): it can't be told a label"
            )
        if self._mlp and (kind != IDENTITY or self._mlp[1] != 1):
            raise AtlasError(
                f"{path}: its {EMBEDDING} is not that of one number (class_embed_type: {IDENTITY})"
            )
