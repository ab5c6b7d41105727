"""A probe of a network of two convolutions and a dataset of it, for tests of plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from atlas.activations import datasets
from atlas.activations.datasets import Dataset
from atlas.activations.layers import Place
from atlas.activations.probes.probe import Images, Probe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.basis.shipped import load
from atlas.networks.sources import Source

SIDE = 16
CHANNELS = 3, 8, 4
"""Of the image and of the two layers."""
TIMES = (80.0, 0.5)
FORWARDS = 3


class PlannedNetwork(nn.Module):
    """Two convolutions, of which the first halves the sides."""

    def __init__(self, image: int = CHANNELS[0]) -> None:
        super().__init__()
        _, wide, narrow = CHANNELS
        self.down = nn.Conv2d(image, wide, 3, stride=2, padding=1, bias=False)
        self.mid = nn.Conv2d(wide, narrow, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, 4, 8, 8)."""
        return self.mid(self.down(x))


class PlannedProbe(Probe):
    """Tells of the network; it can't draw, as plans need not."""

    name = "planned"
    title = "two convolutions"
    takes = frozenset({"grey"})
    time_name = "sigma"
    component = "network"

    @classmethod
    def fits(cls, source: Source) -> bool:
        return True

    @property
    def image_channels(self) -> int:
        return 1 if self.options.get("grey") else CHANNELS[0]

    @cached_property
    def skeleton(self) -> nn.Module:
        with torch.device("meta"):
            return PlannedNetwork(self.image_channels)

    def inputs(self, batch: int) -> Mapping[str, Any]:
        return {"x": torch.empty(batch, self.image_channels, SIDE, SIDE, device="meta")}

    @property
    def short_names(self) -> Mapping[str, Place]:
        return {"down": Place("down"), "mid": Place("mid")}

    @property
    def default_layers(self) -> Sequence[str]:
        return ("down", "mid")

    @property
    def times(self) -> tuple[float, ...]:
        return TIMES

    @property
    def forwards(self) -> int:
        return FORWARDS

    @property
    def weight_bytes(self) -> int:
        return 4 * sum(parameter.numel() for parameter in self.skeleton.parameters())

    @property
    def image_size(self) -> tuple[int, int]:
        return SIDE, SIDE

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, list[Any]]:
        return {"label": [index % 3 for index in indices]}

    def load(self, device: torch.device) -> nn.Module:
        raise NotImplementedError

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        raise NotImplementedError

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        raise NotImplementedError


def dataset(*models: str, **changes: Any) -> Dataset:
    """Return a dataset of these models, `one` by default, with other settings where given."""
    origins = [{"name": model, "path": f"{model}.safetensors"} for model in models or ("one",)]
    values = load("activations/defaults") | {
        "name": "small", "origins": origins, "samples": 20, "chunk": 8, "batch": 4, "embed": "mean",
        "configuration": None, "options": {},
    }  # fmt: skip
    return datasets.from_plain(values | changes)


def probes(declared: Dataset, kind: type[Probe] = PlannedProbe, **options: Any) -> dict[str, Probe]:
    """Return the probe of each of its models."""
    return {
        model: kind(Source(name=model, path=Path(f"{model}.safetensors")), options)
        for model in declared.models
    }
