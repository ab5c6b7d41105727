"""What stands around a network that estimates an image from a noisy one: four scales of sigma."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from atlas.basis.errors import AtlasError, nearest

SIGMA_DATA = 0.5
"""Standard deviation of the images, -1 to 1, that both kinds were trained for."""

SIGMA_MIN = 0.002
SIGMA_MAX = 80.0
"""Least and largest noise level of training."""

Forward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A network: what it is given, (samples, channels, height, width), and its time, (samples,)."""


@dataclass(frozen=True)
class Scales:
    """The scales at given noise levels, each of sigma's shape and dtype."""

    skip: torch.Tensor
    """c_skip: of the noisy image in the estimate."""
    out: torch.Tensor
    """c_out: of the network's output in it."""
    total: torch.Tensor
    """1 / c_in = √(σ² + σ_data²): standard deviation of a noisy image."""
    noise: torch.Tensor
    """c_noise: the time that the network is told."""


class Preconditioning(ABC):
    """How a kind of network is told the noise level, and what its output stands for."""

    name: ClassVar[str]
    source: ClassVar[str]
    least: ClassVar[float]
    """Lowest noise level that the formulas are for."""

    @abstractmethod
    def scales(self, sigma: torch.Tensor) -> Scales:
        """Return the scales at noise levels above 0."""

    def denoised(self, forward: Forward, noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """
        Return D(x; σ) = c_skip·x + c_out·F(c_in·x, c_noise), an estimate of the images.

        Parameters
        ----------
        forward
            The network, F.
        noisy
            Images plus noise, (samples, channels, height, width).
        sigma
            Standard deviation of the noise, (samples,).
        """
        scales = self.scales(sigma)
        skip, out, total = (_over_pixels(each) for each in (scales.skip, scales.out, scales.total))
        # a division, since c_in rounds once more
        return skip * noisy + out * forward(noisy / total, scales.noise)


class Edm(Preconditioning):
    """
    EDM's.

    c_skip = σ_data²/(σ² + σ_data²), c_out = σ·σ_data/√(σ² + σ_data²), c_noise = ln(σ)/4.
    """

    name = "edm"
    source = "Karras et al. 2022, https://arxiv.org/abs/2206.00364, table 1"
    least = 0.0

    def scales(self, sigma: torch.Tensor) -> Scales:
        """Return the scales at noise levels above 0."""
        total = (sigma**2 + SIGMA_DATA**2).sqrt()
        return Scales(
            skip=SIGMA_DATA**2 / (sigma**2 + SIGMA_DATA**2),
            out=sigma * SIGMA_DATA / total,
            total=total,
            noise=sigma.log() / 4,
        )


class Consistency(Preconditioning):
    """
    Consistency models': at σ_min the estimate is the image itself.

    c_skip = σ_data²/((σ − σ_min)² + σ_data²), c_out = (σ − σ_min)·σ_data/√(σ² + σ_data²),
    c_noise = 1000·ln(σ + 10⁻⁴⁴)/4: the paper's code tells its networks a thousand times EDM's time.
    """

    name = "consistency"
    source = (
        "Song et al. 2023, https://arxiv.org/abs/2303.01469, appendix C; "
        "https://github.com/openai/consistency_models (cm/karras_diffusion.py)"
    )
    least = SIGMA_MIN

    def scales(self, sigma: torch.Tensor) -> Scales:
        """Return the scales at noise levels from σ_min up."""
        total = (sigma**2 + SIGMA_DATA**2).sqrt()
        return Scales(
            skip=SIGMA_DATA**2 / ((sigma - SIGMA_MIN) ** 2 + SIGMA_DATA**2),
            out=(sigma - SIGMA_MIN) * SIGMA_DATA / total,
            total=total,
            noise=1000 * 0.25 * (sigma + 1e-44).log(),
        )


KINDS: Mapping[str, Preconditioning] = {each.name: each for each in (Edm(), Consistency())}
"""By name."""


def kind(name: object) -> Preconditioning:
    """
    Return a preconditioning by its name.

    Raises
    ------
    AtlasError
        There is none of that name.
    """
    if name not in KINDS:
        raise AtlasError(
            f"preconditioning: there is none called {name}{nearest(str(name), KINDS)} "
            f"({' or '.join(KINDS)})"
        )
    return KINDS[str(name)]


def _over_pixels(scale: torch.Tensor) -> torch.Tensor:
    return scale[:, None, None, None]
