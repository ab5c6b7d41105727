"""From noise to images: in one step, by a consistency model's steps, or by Heun's method."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import sqrt
from typing import ClassVar

import torch

from atlas.activations.probes.preconditioning import SIGMA_MAX, SIGMA_MIN, Consistency, Edm

RHO = 7.0
"""How closely levels lie at the low end (Karras et al. 2022, section 3 and appendix D.1)."""

Denoise = Callable[[torch.Tensor, float], torch.Tensor]
"""Estimates images from noisy ones and their noise level."""
Noise = Callable[[str], torch.Tensor]
"""Unit noise of the images' shape; another word gives other noise."""


def levels(count: int) -> list[float]:
    """
    Return noise levels from SIGMA_MAX down to SIGMA_MIN, equally spaced in σ^(1/ρ).

    σ_i = (σ_max^(1/ρ) + i/(count − 1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ
    (Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 5). One level is SIGMA_MAX.

    >>> [round(level, 3) for level in levels(3)]
    [80.0, 2.515, 0.002]
    """
    if count == 1:
        return [SIGMA_MAX]
    high, low = SIGMA_MAX ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    inner = [(high + i / (count - 1) * (low - high)) ** RHO for i in range(1, count - 1)]
    return [SIGMA_MAX, *inner, SIGMA_MIN]


class Sampler(ABC):
    """A way to draw images, in a number of steps; one step is one estimate from pure noise."""

    source: ClassVar[str]

    @abstractmethod
    def forwards(self, steps: int) -> int:
        """Return how often images are estimated."""

    @abstractmethod
    def draw(self, denoise: Denoise, noise: Noise, *, steps: int) -> torch.Tensor:
        """Return images, drawn from SIGMA_MAX times `noise("noise")`."""


class Heun(Sampler):
    """
    Heun's method on EDM's equation dx/dσ = (x − D(x; σ))/σ; nothing is random but the start.

    The last step, to σ = 0, is Euler's, and gives D itself.
    """

    source = "Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 1"

    def forwards(self, steps: int) -> int:
        """Return two a step, but for the last one."""
        return 2 * steps - 1

    def draw(self, denoise: Denoise, noise: Noise, *, steps: int) -> torch.Tensor:
        """Return images, drawn from SIGMA_MAX times `noise("noise")`."""
        path = levels(steps)
        image = path[0] * noise("noise")
        for here, there in pairwise(path):
            slope = (image - denoise(image, here)) / here
            ahead = image + (there - here) * slope
            slope_ahead = (ahead - denoise(ahead, there)) / there
            image = image + (there - here) * (slope + slope_ahead) / 2
        return denoise(image, path[-1])


class Multistep(Sampler):
    """Estimate, add fresh noise of the next lower level, estimate again: √(σ² − σ_min²)·z."""

    source = "Song et al. 2023, https://arxiv.org/abs/2303.01469, algorithm 1"

    def forwards(self, steps: int) -> int:
        """Return one a step."""
        return steps

    def draw(self, denoise: Denoise, noise: Noise, *, steps: int) -> torch.Tensor:
        """Return images, drawn from SIGMA_MAX times `noise("noise")`."""
        # at the last level, SIGMA_MIN, an image is its own estimate
        path = levels(steps + 1)[:steps]
        image = denoise(path[0] * noise("noise"), path[0])
        for step, level in enumerate(path[1:], 1):
            added = sqrt(level**2 - SIGMA_MIN**2) * noise(f"noise of step {step}")
            image = denoise(image + added, level)
        return image


OF: Mapping[str, Sampler] = {Edm.name: Heun(), Consistency.name: Multistep()}
"""The sampler of each preconditioning, by its name."""
