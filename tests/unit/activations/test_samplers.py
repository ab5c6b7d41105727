"""Samplers on a distribution whose estimates are known: each pixel is normal."""

import pytest
import torch

from atlas.activations.probes import samplers
from atlas.activations.probes.samplers import Heun, Multistep, levels

MEAN, DEVIATION = 0.3, 0.5


def denoise(noisy, sigma):
    """Return the mean of images behind noisy ones, as a perfect denoiser does."""
    return (DEVIATION**2 * noisy + sigma**2 * MEAN) / (DEVIATION**2 + sigma**2)


def followed(noisy, sigma):
    """Return where EDM's equation leads from a noisy image, as a perfect consistency model does."""
    return MEAN + (noisy - MEAN) * DEVIATION / (DEVIATION**2 + sigma**2) ** 0.5


def noise(purpose):
    generator = torch.Generator().manual_seed(sum(purpose.encode()))
    return torch.randn(20000, generator=generator, dtype=torch.float64)


def test_levels_fall_from_80_to_0_002_evenly_in_their_seventh_root():
    found = levels(18)
    assert (found[0], found[-1]) == (80, 0.002)
    roots = torch.tensor(found, dtype=torch.float64) ** (1 / 7)
    steps = roots.diff()
    torch.testing.assert_close(steps, steps.mean().expand(17))
    assert steps.mean() < 0
    assert levels(1) == [80]
    assert levels(2) == [80, 0.002]


def test_heuns_method_is_of_second_order():
    exact = followed(80 * noise("noise"), 80)
    errors = [
        (Heun().draw(denoise, noise, steps=steps) - exact).abs().max() for steps in (20, 40, 80)
    ]
    assert errors[2] < 0.01
    # a method of first order halves its error
    assert errors[0] > 3.3 * errors[1] > 3.3**2 * errors[2]


def test_multistep_draws_the_distribution_again_and_again():
    drawn = Multistep().draw(followed, noise, steps=3)
    assert abs(drawn.mean() - MEAN) < 0.02
    assert abs(drawn.std() - DEVIATION) < 0.02
    # from fresh noise, not from what it began with
    assert abs(torch.corrcoef(torch.stack([drawn, noise("noise")]))[0, 1]) < 0.1


def test_multistep_takes_fresh_noise_for_each_step():
    asked = []

    def noted(purpose):
        asked.append(purpose)
        return noise(purpose)

    Multistep().draw(followed, noted, steps=4)
    assert len(set(asked)) == len(asked) == 4


@pytest.mark.parametrize("sampler", samplers.OF.values())
def test_one_step_is_one_estimate(sampler):
    drawn = sampler.draw(denoise, noise, steps=1)
    assert torch.equal(drawn, denoise(80 * noise("noise"), 80))


@pytest.mark.parametrize("sampler", samplers.OF.values())
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_forwards_are_counted_and_start_at_the_top(sampler, steps):
    at = []

    def counted(noisy, sigma):
        at.append(sigma)
        return denoise(noisy, sigma)

    sampler.draw(counted, noise, steps=steps)
    assert len(at) == sampler.forwards(steps)
    assert at[0] == 80
    assert at == sorted(at, reverse=True)
