"""Where a network comes from: its weights under canonical names, and its configuration."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from atlas.architectures import catalogue
from atlas.architectures.architecture import Architecture
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints.elements.files import OpenFiles, unchanged
from atlas.fingerprints.elements.reading import read_range
from atlas.tensors.tensors import Checkpoint, Tensor

DTYPES = {
    "f64": torch.float64,
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "f8_e4m3fn": torch.float8_e4m3fn,
    "f8_e5m2": torch.float8_e5m2,
    "i64": torch.int64,
    "i32": torch.int32,
    "i16": torch.int16,
    "i8": torch.int8,
    "u8": torch.uint8,
    "bool": torch.bool,
}
"""torch's dtypes by the atlas's names."""


@dataclass(frozen=True)
class Source:
    """A model of a dataset."""

    name: str
    """What the model is called in results: its id in the roster, or made of its path."""
    path: Path
    """A file of weights, an index of shards or a diffusers folder."""
    architecture: str | None = None
    """What the roster says of it."""
    weights: str | None = None
    """`raw` or `ema`, as in the roster."""
    configuration: Path | None = None
    """A diffusers folder that has the configuration and tokenisers that the path lacks."""

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The tensors by canonical names; no weight is read."""
        return open_checkpoint(self.path, architecture=self.architecture, weights=self.weights)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders to look for configurations in, the first one first."""
        given = (self.configuration, self.path)
        return tuple(path for path in given if path is not None and path.is_dir())

    def tensors(self, component: str) -> dict[str, Tensor]:
        """Return a component's tensors by canonical name, without the component's."""
        return {
            tensor.name.removeprefix(f"{component}/"): tensor
            for tensor in self.checkpoint.tensors
            if tensor.component == component
        }

    def required(self, component: str) -> dict[str, Tensor]:
        """
        Return a component's tensors, as `tensors` does.

        Raises
        ------
        AtlasError
            The component is not there, or can't be read.
        """
        if tensors := self.tensors(component):
            return tensors
        there = sorted({tensor.component for tensor in self.checkpoint.tensors})
        unread = self.checkpoint.unread.get(component)
        why = unread.in_full if unread else f"it has {', '.join(there)}"
        raise AtlasError(f"{self.path}: has no {component} to run: {why}")

    def state(
        self, component: str, names: Collection[str] | None = None
    ) -> dict[str, torch.Tensor]:
        """
        Read a component's weights, in their own dtypes, on the CPU.

        Parameters
        ----------
        names
            Which of them, as `tensors` has them; None for all.

        Raises
        ------
        AtlasError
            The component is not there, can't be read, or its files changed meanwhile.
        """
        tensors = self.required(component)
        if names is not None:
            tensors = {name: tensor for name, tensor in tensors.items() if name in names}
        files = OpenFiles()
        with unchanged({part.file for tensor in tensors.values() for part in tensor.parts}):
            return {name: _read(files, tensor) for name, tensor in tensors.items()}

    def read(self, tensor: Tensor) -> torch.Tensor:
        """Read one tensor, in its own dtype, on the CPU."""
        return _read(OpenFiles(), tensor)

    def config(self, component: str) -> dict[str, Any] | None:
        """
        Return a component's config.json of the folders, or None where none has one.

        A folder may be the component's own, without a pipeline around it.
        """
        found = self.json(f"{component}/config.json")
        if found is None and self.json("model_index.json") is None:
            return self.json("config.json")
        return found

    def json(self, name: str) -> dict[str, Any] | None:
        """
        Return a JSON file of the folders, or None where none has it.

        Raises
        ------
        AtlasError
            It is there, and holds no JSON mapping.
        """
        place = next((folder / name for folder in self.folders if (folder / name).is_file()), None)
        if place is None:
            return None
        try:
            content = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise AtlasError(f"{place}: can't be read as JSON ({error}); fetch it again") from error
        if not isinstance(content, dict):
            raise AtlasError(f"{place}: expected a mapping of settings; fetch it again")
        return content

    def catalogued(self, component: str) -> Architecture | None:
        """Return the entry of the catalogue that a component's names and shapes are those of."""
        name = self.checkpoint.architectures.get(component)
        return catalogue.load(name) if name in catalogue.names() else None


def _read(files: OpenFiles, tensor: Tensor) -> torch.Tensor:
    if tensor.dtype not in DTYPES:
        raise AtlasError(f"{tensor.name}: its dtype {tensor.dtype} can't be run")
    raw = np.empty(tensor.nbytes, np.uint8)
    read_range(files, tensor, 0, raw)
    return torch.from_numpy(raw).view(DTYPES[tensor.dtype]).reshape(tensor.shape)
