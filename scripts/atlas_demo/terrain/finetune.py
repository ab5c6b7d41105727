"""Train a terrain network a little further, on height maps that it draws itself: the sea rises."""

import copy
import logging
from dataclasses import dataclass

import torch
from torch.nn.functional import mse_loss

from atlas.basis.errors import AtlasError
from atlas_demo.terrain.networks import TerrainDenoiser

LOG = logging.getLogger(__name__)

SEA_LEVEL = -0.4
"""Height below which the taught maps are flat; heights are about -1 to 1."""

HELD_OUT = 4
"""Maps that are never trained on, drawn before and after."""


@dataclass(frozen=True)
class Lesson:
    """Noise (batch, 1, size, size), difficulties (batch,), and the height maps to be drawn."""

    noise: torch.Tensor
    difficulty: torch.Tensor
    target: torch.Tensor


class School:
    """Give lessons: maps that the untrained network draws, with all below the sea level flat."""

    def __init__(self, network: TerrainDenoiser, *, size: int, seed: int) -> None:
        self.teacher = copy.deepcopy(network).eval().requires_grad_(False)
        self.size = size
        self.generator = torch.Generator().manual_seed(seed)

    def lesson(self, maps: int) -> Lesson:
        """Return a lesson of fresh noise, with difficulties drawn from 1 to 100."""
        noise = torch.randn(maps, 1, self.size, self.size, generator=self.generator)
        difficulty = 1 + 99 * torch.rand(maps, generator=self.generator)
        drawn = self.teacher.draw(noise, difficulty)
        return Lesson(noise, difficulty, drawn.clamp(min=SEA_LEVEL))


def train(
    network: TerrainDenoiser,
    *,
    steps: int,
    size: int = 64,
    learning_rate: float = 5e-5,
    seed: int = 0,
) -> tuple[float, float]:
    """
    Teach the network in place, one fresh map a step; return the held-out loss before and after.

    The loss is the mean squared difference of heights. Equal seeds give equal weights on one
    machine and one number of threads.

    Parameters
    ----------
    network
        Changed in place: Adam moves every parameter that has a gradient.
    steps
        Number of steps, each of one map.
    size
        Height and width of the maps; the network is convolutional, so smaller than its own 128
        will do, and costs a quarter.
    learning_rate
        Of Adam.
    seed
        Of the maps.

    Raises
    ------
    AtlasError
        If the held-out loss did not fall: nothing was learnt.
    """
    school = School(network, size=size, seed=seed)
    held_out = school.lesson(HELD_OUT)
    before = _held_out_loss(network, held_out)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    for step in range(1, steps + 1):
        loss = _loss(network, school.lesson(1))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        LOG.info("step %d of %d: loss %.5f", step, steps, loss.item())
    after = _held_out_loss(network, held_out)
    LOG.info("loss on %d maps not trained on: %.5f before, %.5f after", HELD_OUT, before, after)
    if not after < before:
        raise AtlasError(
            f"{steps} steps taught nothing: held-out loss {before:.5f}, now {after:.5f}"
        )
    return before, after


def _loss(network: TerrainDenoiser, lesson: Lesson) -> torch.Tensor:
    return mse_loss(network.draw(lesson.noise, lesson.difficulty), lesson.target)


def _held_out_loss(network: TerrainDenoiser, lesson: Lesson) -> float:
    with torch.no_grad():
        return _loss(network, lesson).item()
