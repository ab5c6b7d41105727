"""Schedulers that draw the same image of a sample whatever else is drawn with it."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import diffusers
import torch

from atlas.activations.samples import Batch, seed_of
from atlas.basis.errors import AtlasError, nearest

SERVING = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
)
"""Those whose noise, where they take any, can be drawn for each sample by itself."""

STABLE_DIFFUSION = {
    "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "steps_offset": 1,
}
"""How noise was added to what Stable Diffusion 1, 2 and XL were trained on."""

DISTILLED_STEPS = (999, 749, 499, 249)
"""Timesteps of DMD2's Stable Diffusion XL of four steps (its README)."""


def made(config: Mapping[str, Any], name: str) -> Any:
    """
    Return a scheduler of diffusers.

    Parameters
    ----------
    config
        Of scheduler_config.json, or STABLE_DIFFUSION.
    name
        Its class.

    Raises
    ------
    AtlasError
        It is none of SERVING.
    """
    if name not in SERVING:
        raise AtlasError(
            f"scheduler: {name} is none that draws each sample by itself{nearest(name, SERVING)} "
            f"(one of {', '.join(SERVING)})"
        )
    return getattr(diffusers, name).from_config(
        {key: value for key, value in config.items() if not key.startswith("_")}
    )


def set_steps(
    scheduler: Any, steps: int, *, timesteps: Sequence[int] | None, device: Any = "cpu"
) -> torch.Tensor:
    """Begin anew with so many steps, or with given timesteps; return the timesteps."""
    if timesteps is None:
        scheduler.set_timesteps(steps, device=device)
    else:
        scheduler.set_timesteps(timesteps=list(timesteps), device=device)
    found: torch.Tensor = scheduler.timesteps
    return found


def noise_of(scheduler: Any, batch: Batch, device: torch.device) -> dict[str, Any]:
    """Return what `step` takes so that its noise is each sample's own."""
    if "generator" not in inspect.signature(scheduler.step).parameters:
        return {}
    generators = [
        torch.Generator().manual_seed(seed_of(batch.seed, index, "steps"))
        for index in batch.indices
    ]
    del device  # drawn on the CPU, the same on every device
    return {"generator": generators}
