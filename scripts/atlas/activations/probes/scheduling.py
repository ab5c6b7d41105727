"""Noise schedules of latent diffusion: diffusers' schedulers, each sample's noise its own."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import diffusers
import torch

from atlas.activations.samples import Batch, seed_of
from atlas.basis.errors import AtlasError, nearest

BETAS = {
    "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": False,
}
"""Stable Diffusion's, SDXL's too.

https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5 scheduler/scheduler_config.json
"""

NAMES = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "SASolverScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
)
"""Those that draw no noise in a step, or take a generator for each sample."""

WHOLE_BATCH = ("CosineDPMSolverMultistepScheduler", "DPMSolverSDEScheduler")
"""Those that draw one noise for a whole batch: a sample would depend on its neighbours."""

OWN = {"PNDMScheduler": {"skip_prk_steps": True}}
"""Settings that latent diffusion has of a class, where those of another class lack them."""

LCM = "LCMScheduler"
FEW_STEPS = 4
"""Usual number of steps of a model that was distilled to a few."""

PURPOSE = "noise of the scheduler"
"""Word of what a scheduler draws in its steps."""


@dataclass(frozen=True)
class Schedule:
    """A scheduler's class and settings, and how many steps are made with it."""

    name: str
    config: Mapping[str, Any]
    steps: int
    asked: tuple[int, ...] | None = None
    """Timesteps that are given to the scheduler in the place of its own."""

    @cached_property
    def timesteps(self) -> list[float]:
        """Of all forwards, in order; schedulers of higher order come back to some."""
        return [float(time) for time in self.start("cpu").timesteps]

    @property
    def distinct(self) -> list[float]:
        """Timesteps in the order in which they first come."""
        return list(dict.fromkeys(self.timesteps))

    def start(self, device: torch.device | str) -> Any:
        """
        Return a scheduler at its first step; it remembers its steps, so each batch needs its own.

        Raises
        ------
        AtlasError
            diffusers can't make it of these settings, or not with so many steps.
        """
        try:
            scheduler: Any = getattr(diffusers, self.name).from_config(dict(self.config))
            if self.asked is not None:
                scheduler.set_timesteps(timesteps=list(self.asked), device=device)
            else:
                scheduler.set_timesteps(self.steps, device=device)
        except (ImportError, ValueError, TypeError, IndexError, NotImplementedError) as error:
            raise AtlasError(
                f"scheduler: diffusers can't make {self.steps} steps with {self.name} ({error}); "
                "give another scheduler or number of steps"
            ) from error
        return scheduler


def made(name: str, config: Mapping[str, Any], *, steps: int, is_distilled: bool) -> Schedule:
    """
    Return a schedule.

    Parameters
    ----------
    name
        Class of diffusers.
    config
        Settings, of another class perhaps, as the classes share them.
    is_distilled
        Whether the model is one of DMD2's, for timesteps that are evenly spaced from the last one
        down: 999, 749, 499, 249 (https://github.com/tianweiy/DMD2, README).

    Raises
    ------
    AtlasError
        The class is not there, or can't be used here.
    """
    if name in WHOLE_BATCH:
        raise AtlasError(
            f"scheduler: {name} draws one noise for all samples of a batch, so that a sample would "
            f"depend on its neighbours; take another, such as {NAMES[3]}"
        )
    if name not in NAMES:
        raise AtlasError(
            f"scheduler: {name} is none that runs here{nearest(name, NAMES)} "
            f"(one of {', '.join(NAMES)})"
        )
    if not (is_distilled and name == LCM):
        return Schedule(name, OWN.get(name, {}) | dict(config), steps)
    total = int(config.get("num_train_timesteps", 1000))
    asked = tuple(total - 1 - step * total // steps for step in range(steps))
    return Schedule(name, config, steps, asked)


class Stepper:
    """
    Takes a batch's latents from step to step.

    What the scheduler draws is drawn for each sample by itself, on the CPU, from its own seed.
    """

    def __init__(self, schedule: Schedule, batch: Batch, device: torch.device) -> None:
        self._scheduler = schedule.start(device)
        self._further: dict[str, Any] = {}
        if "generator" in inspect.signature(self._scheduler.step).parameters:
            self._further["generator"] = [
                torch.Generator().manual_seed(seed_of(batch.seed, index, PURPOSE))
                for index in batch.indices
            ]

    @property
    def times(self) -> Sequence[torch.Tensor]:
        """Timestep of each forward."""
        times: Sequence[torch.Tensor] = self._scheduler.timesteps
        return times

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise that drawing starts from."""
        return float(self._scheduler.init_noise_sigma)

    def given(self, latents: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """Return what the network is given of latents at a timestep: scaled, or as they are."""
        scaled: torch.Tensor = self._scheduler.scale_model_input(latents, time)
        return scaled

    def next(self, output: torch.Tensor, time: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Return the latents of the next step, of the network's output at this one."""
        following: torch.Tensor = self._scheduler.step(
            output, time, latents, **self._further, return_dict=False
        )[0]
        return following

    def noised(
        self, latents: torch.Tensor, noise: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        """Return clean latents with the noise of a timestep added."""
        noisy: torch.Tensor = self._scheduler.add_noise(latents, noise, time.expand(len(latents)))
        return noisy


def kept(option: Any, schedule: Schedule) -> tuple[float, ...]:
    """
    Return the timesteps at which values are kept, as the option `timesteps` says.

    Parameters
    ----------
    option
        None for the middle step, `all`, or a list of steps, counted from 0.

    Raises
    ------
    AtlasError
        The option is nothing of that, or there is no such step.
    """
    times = schedule.distinct
    if option is None:
        return (times[len(times) // 2],)
    if option == "all":
        return tuple(times)
    steps = list(option) if isinstance(option, list | tuple) else [option]
    for step in steps:
        if type(step) is not int or not 0 <= step < len(times):
            raise AtlasError(
                f"timesteps: {step!r} is none of the steps, 0 to {len(times) - 1}; give a list of "
                "them, or all"
            )
    if not steps:
        raise AtlasError("timesteps: the list is empty; give steps from 0 on, or all")
    return tuple(times[step] for step in sorted(set(steps)))
