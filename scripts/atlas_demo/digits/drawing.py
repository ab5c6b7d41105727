"""Draw digits with a whole model, and have them and real digits read by a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch import nn

from atlas_demo.digits import autoencoder, images, judging, networks, sampling
from atlas_demo.digits.denoiser import DIGITS, Conditions

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Reading:
    """What a set of pictures should show, and what the classifier reads."""

    asked: np.ndarray
    """int64 (pictures,)."""
    read: np.ndarray
    """int64 (pictures,)."""

    @property
    def is_right(self) -> np.ndarray:
        """Return where the two agree, bool (pictures,)."""
        right: np.ndarray = self.asked == self.read
        return right


@dataclass(frozen=True)
class Drawn:
    """Pictures that a model drew, and the readings of them and of real digits."""

    pictures: np.ndarray
    """float32 (pictures, side, side), −1 black to 1 white, digit by digit."""
    readings: dict[str, Reading]
    """Of `drawn` pictures, of `real` digits, and of `autoencoded` ones, by these names."""


def draw(
    components: Mapping[str, Weights],
    conditions: Conditions,
    *,
    digits: Mapping[str, Any],
    plan: dict[str, Any],
) -> Drawn:
    """
    Draw `per_digit` pictures of each digit and read them.

    The classifier's own errors, on real digits that it was not trained on, are read beside them,
    before and after the autoencoder.

    Parameters
    ----------
    components
        The model's weights under diffusers' names.
    conditions
        Its text encoder's answers to all captions.
    digits
        config/demo/digits.yaml.
    plan
        `per_digit`, `steps`, `guidance` and `seed`.
    """
    vae = networks.load("vae", digits["components"]["vae"], components["vae"])
    latents, asked = _latents(components["unet"], conditions, digits=digits, plan=plan)
    pictures = autoencoder.decode(vae, latents)
    real, shown = images.load(digits["image_side"])
    judge = judging.train_judge(images.shrink(real), shown.numpy())
    kept = real[judge.held_out]
    sets = {
        "drawn": (pictures, asked.numpy()),
        "real": (kept, shown[judge.held_out].numpy()),
        "autoencoded": (_autoencoded(vae, kept), shown[judge.held_out].numpy()),
    }
    readings = {
        name: Reading(asked=truth, read=judge.digits(images.shrink(some)))
        for name, (some, truth) in sets.items()
    }
    return Drawn(pictures=pictures.mean(dim=1).numpy(), readings=readings)


def counts_csv(readings: Mapping[str, Reading]) -> str:
    """Return how many pictures of each set and digit are read rightly, as CSV; * is all digits."""
    lines = ["pictures,digit,count,right,share"]
    for name, reading in readings.items():
        for digit in (*range(DIGITS), None):
            chosen = np.full(len(reading.asked), True) if digit is None else reading.asked == digit
            count, right = int(chosen.sum()), int(reading.is_right[chosen].sum())
            lines.append(
                f"{name},{'*' if digit is None else digit},{count},{right},{right / count:.4f}"
            )
    return "\n".join(lines) + "\n"


def _latents(
    weights: Weights, conditions: Conditions, *, digits: Mapping[str, Any], plan: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return latents as the decoder takes them, and which digit each is of."""
    config, vae = digits["components"]["unet"], digits["components"]["vae"]
    latents, asked = sampling.draw_latents(
        networks.load("unet", config, weights),
        DDIMScheduler.from_config(digits["scheduler"]),
        conditions,
        shape=(config["in_channels"], config["sample_size"], config["sample_size"]),
        plan=plan,
    )
    return latents / vae["scaling_factor"], asked


def _autoencoded(vae: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
    return autoencoder.decode(vae, autoencoder.encode(vae, pictures))
