"""What is known of diffusers' pipelines of transformers: guidance, branches, timesteps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import diffusers
import numpy as np

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import load
from atlas.networks.sources import Source

LEAST_TOKENS, MOST_TOKENS, LEAST_SHIFT = 256, 4096, 0.5
"""What pipelines take where the scheduler's configuration is silent."""


@dataclass(frozen=True)
class Pipeline:
    """One class of pipelines; config/probes/pipelines.yaml tells what each field means."""

    name: str
    guidance: str
    branches: Literal["rows", "calls"]
    schedule: Literal["plain", "shifted", "linear"]
    embedded_guidance: str | None = None
    largest_shift: float = 1.15
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Any:
        """Its class in diffusers."""
        return getattr(diffusers, self.name)

    def timesteps(self, scheduler: Any, *, steps: int, tokens: int) -> tuple[float, ...]:
        """
        Return the timesteps that the pipeline gets of a new scheduler.

        Parameters
        ----------
        tokens
            Of an image: flow matching moves its timesteps up for more of them.
        """
        config = scheduler.config
        shift = {"mu": self._shift(config, tokens)}
        if self.schedule == "linear":
            sigmas = None if config.get("use_flow_sigmas") else np.linspace(1.0, 1 / steps, steps)
            given = {"num_inference_steps": steps} if sigmas is None else {"sigmas": sigmas}
            scheduler.set_timesteps(**given, **shift)
        elif self.schedule == "shifted" and config.get("use_dynamic_shifting"):
            scheduler.set_timesteps(steps, **shift)
        else:
            scheduler.set_timesteps(steps)
        return tuple(float(time) for time in scheduler.timesteps)

    def _shift(self, config: Mapping[str, Any], tokens: int) -> float:
        """
        Return the shift on the straight line through that of few and that of many tokens.

        Esser et al. 2024 (https://arxiv.org/abs/2403.03206), section 5.3.2, as FLUX.1 has it.
        """
        fewest = config.get("base_image_seq_len", LEAST_TOKENS)
        lowest = config.get("base_shift", LEAST_SHIFT)
        highest = config.get("max_shift", self.largest_shift)
        slope = (highest - lowest) / (config.get("max_image_seq_len", MOST_TOKENS) - fewest)
        # in this order, as its last bits are the pipeline's then
        shift: float = tokens * slope + (lowest - slope * fewest)
        return shift


def known() -> dict[str, Pipeline]:
    """Return the pipelines of config/probes/pipelines.yaml by class name."""
    return {name: Pipeline(name, **facts) for name, facts in load("probes/pipelines").items()}


def of(source: Source) -> Pipeline:
    """
    Return what is known of a folder's pipeline.

    Raises
    ------
    AtlasError
        There is no such folder, or its pipeline is unknown, or is code of the folder.
    """
    index = source.json("model_index.json")
    if index is None or not (source.path / "model_index.json").is_file():
        raise AtlasError(
            f"{source.path}: a transformer draws with its text encoders, autoencoder and "
            "scheduler; give the pipeline's diffusers folder (with model_index.json) as the model"
        )
    name, there = index.get("_class_name"), known()
    if not isinstance(name, str) or name not in there:
        hint = nearest(name, there) if isinstance(name, str) else ""
        raise AtlasError(
            f"{source.path}: how its pipeline {name} is driven is not known{hint} (known are "
            f"{', '.join(there)}); add a class of diffusers to config/probes/pipelines.yaml"
        )
    return there[name]


def scheduler_of(source: Source) -> Any:
    """
    Return a new scheduler of a folder.

    Raises
    ------
    AtlasError
        Its class or configuration is lacking.
    """
    index = source.json("model_index.json") or {}
    _, name = index.get("scheduler") or (None, None)
    config = source.json("scheduler/scheduler_config.json")
    kind = getattr(diffusers, str(name), None)
    if config is None or kind is None:
        raise AtlasError(
            f"{source.path}: has no scheduler that diffusers knows ({name}, with "
            "scheduler/scheduler_config.json); fetch it again"
        )
    return kind.from_config(config)
