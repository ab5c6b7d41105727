"""A probe of a network of two convolutions, for tests of all that is done with probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from atlas.activations.datasets import Dataset, Origin, UmapSettings
from atlas.activations.layers import Place
from atlas.activations.probes.probe import Images, Probe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.networks.sources import Source

SIDE = 8


class PocketNetwork(nn.Module):
    """Two convolutions; the noise level is added to the second's input."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 3, 1)

    def forward(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Return (batch, 3, height, width)."""
        inner = self.first(x).sin() + sigma[:, None, None, None]
        return self.last(self.second(inner))


class PocketProbe(Probe):
    """Draws in two steps; its weights follow from the source's name."""

    name = "pocket"
    title = "two convolutions"
    takes = frozenset({"labels"})
    time_name = "sigma"
    component = "network"

    most: int | None = None
    """Samples that fit the memory, where it is short."""
    batches: list[int]
    """Sizes of all batches so far."""

    @classmethod
    def fits(cls, source: Source) -> bool:
        return True

    @cached_property
    def skeleton(self) -> nn.Module:
        with torch.device("meta"):
            return PocketNetwork()

    def inputs(self, batch: int) -> Mapping[str, Any]:
        shape = (batch, 3, SIDE, SIDE)
        return {
            "x": torch.empty(shape, device="meta"),
            "sigma": torch.empty(batch, device="meta"),
        }

    @property
    def short_names(self) -> Mapping[str, Place]:
        return {"first": Place("first"), "second": Place("second")}

    @property
    def default_layers(self) -> Sequence[str]:
        return ("second",)

    @property
    def times(self) -> tuple[float, ...]:
        return (2.0, 0.5)

    @property
    def forwards(self) -> int:
        return 2

    @property
    def weight_bytes(self) -> int:
        return 4 * sum(parameter.numel() for parameter in self.skeleton.parameters())

    @property
    def image_size(self) -> tuple[int, int]:
        return SIDE, SIDE

    def conditions(self, seed: int, indices: Sequence[int]) -> dict[str, list[Any]]:
        return {"label": [index % 3 for index in indices]}

    def load(self, device: torch.device) -> nn.Module:
        torch.manual_seed(len(self.source.name))
        self.network = PocketNetwork().to(device).eval()
        self.batches = []
        return self.network

    def draw(self, batch: Batch, kept: Recorder) -> Images:
        self.batches.append(len(batch))
        x = batch.noise((3, SIDE, SIDE)) + torch.tensor(batch.indices)[:, None, None, None] % 3
        for time in self.times:
            with kept.keeping(time):
                x = self.network(x, torch.full((len(batch),), time))
            if self.most is not None and len(batch) > self.most:
                raise torch.OutOfMemoryError("pocket: out of memory")
        return pictures(x)

    def observe(self, images: Images, batch: Batch, kept: Recorder) -> None:
        x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        for time in self.times:
            noise = batch.noise((3, SIDE, SIDE))
            with kept.keeping(time):
                self.network(x + time * noise, torch.full((len(batch),), time))


def pictures(values: torch.Tensor) -> Images:
    """Return values as images, whatever their range."""
    scaled = (values.permute(0, 2, 3, 1) * 20 + 128).clamp(0, 255)
    return scaled.to(torch.uint8).numpy()


def probe(name: str = "pocket") -> PocketProbe:
    """Return a probe of a network of a name."""
    return PocketProbe(Source(name, Path(name)), {})


def dataset(**changes: Any) -> Dataset:
    """Return a dataset of the pocket network with some settings changed."""
    umap = UmapSettings(5, 0.1, "euclidean", 42, False, "umap-learn")
    values: dict[str, Any] = {
        "name": "pockets",
        "origins": (Origin("pocket", Path("pocket")),),
        "probe": "pocket",
        "layers": ("first", "second"),
        "samples": 40,
        "seed": 0,
        "store": "both",
        "dtype": "float32",
        "keep_raw": True,
        "images": "full",
        "real": None,
        "chunk": 40,
        "batch": 8,
        "threads": 1,
        "device": "cpu",
        "embed": "mean",
        "memory_mb": 100,
        "components": 8,
        "neighbours": 5,
        "umap": umap,
        "configuration": None,
        "options": {},
    }
    return Dataset(**(values | changes))


def noise_images(folder: Path, count: int) -> None:
    """Write images of noise, higher than wide."""
    from PIL import Image

    folder.mkdir(parents=True)
    drawn = np.random.default_rng(0).integers(0, 256, (count, 12, 10, 3), np.uint8)
    for number, image in enumerate(drawn):
        Image.fromarray(image).save(folder / f"{number}.png")
