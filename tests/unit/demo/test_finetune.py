"""Training on a small stand-in for the terrain network: it learns, and does so each time alike."""

import copy

import pytest
import torch
from torch import nn

from atlas.basis.errors import AtlasError
from atlas_demo.terrain import finetune


class Slope(nn.Module):
    """Draw a map as a scale and a shift of its noise, the shift by difficulty."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.2))
        self.shift = nn.Parameter(torch.tensor(-0.5))

    def draw(self, noise: torch.Tensor, difficulty: torch.Tensor) -> torch.Tensor:
        """Return scale · noise + shift · difficulty / 100."""
        return self.scale * noise + self.shift * difficulty[:, None, None, None] / 100


def test_the_loss_on_maps_not_trained_on_falls():
    network, untrained = Slope(), Slope()
    before, after = finetune.train(network, steps=20, size=8, learning_rate=0.01)
    assert after < before
    assert network.shift != untrained.shift


def test_the_target_is_the_untrained_networks_map_with_the_sea_flat():
    network = Slope()
    school = finetune.School(network, size=8, seed=1)
    network.shift.data.fill_(3.0)
    lesson = school.lesson(5)
    drawn = Slope().draw(lesson.noise, lesson.difficulty)
    torch.testing.assert_close(lesson.target, drawn.maximum(torch.tensor(finetune.SEA_LEVEL)))
    assert 1 <= lesson.difficulty.min() <= lesson.difficulty.max() <= 100


def test_equal_seeds_give_equal_weights():
    first = Slope()
    second, third = copy.deepcopy(first), copy.deepcopy(first)
    losses = [
        finetune.train(network, steps=5, size=8, learning_rate=0.01, seed=seed)
        for network, seed in ((first, 0), (second, 0), (third, 1))
    ]
    assert losses[0] == losses[1] != losses[2]
    assert (first.scale, first.shift) == (second.scale, second.shift)
    assert first.shift != third.shift


def test_training_that_teaches_nothing_is_a_fault():
    with pytest.raises(AtlasError, match="taught nothing"):
        finetune.train(Slope(), steps=2, size=8, learning_rate=0.0)
