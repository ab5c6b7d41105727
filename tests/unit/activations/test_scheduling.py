"""Schedulers of latent diffusion: each sample's noise its own, steps by distinct timesteps."""

import pytest
import torch

from atlas.activations.probes import scheduling
from atlas.activations.samples import Batch
from atlas.basis.errors import AtlasError

CPU = torch.device("cpu")
SHAPE = (4, 8, 8)


def made(name: str, steps: int, *, is_distilled: bool = False) -> scheduling.Schedule:
    return scheduling.made(name, scheduling.BETAS, steps=steps, is_distilled=is_distilled)


@pytest.mark.parametrize("name", scheduling.NAMES)
def test_steps_of_a_sample_do_not_depend_on_its_neighbours(name):
    schedule = made(name, 6)

    def stepped(batch: Batch) -> torch.Tensor:
        stepper = scheduling.Stepper(schedule, batch, CPU)
        latents = batch.noise(SHAPE) * stepper.deviation
        for time in stepper.times:
            latents = stepper.next(stepper.given(latents, time).sin(), time, latents)
        return latents

    together, alone = stepped(Batch(5, (0, 1, 2))), stepped(Batch(5, (1,)))
    assert together.isfinite().all()
    assert torch.equal(together[1], alone[0])


def test_forwards_that_come_back_to_a_timestep_are_one_step():
    schedule = made("PNDMScheduler", 4)
    assert schedule.timesteps == [751.0, 501.0, 501.0, 251.0, 1.0]
    assert schedule.distinct == [751.0, 501.0, 251.0, 1.0]
    heun = made("HeunDiscreteScheduler", 4)
    assert (len(heun.timesteps), len(heun.distinct)) == (7, 4)


@pytest.mark.parametrize(
    ("option", "times"),
    [
        (None, (251.0,)),
        ("all", (751.0, 501.0, 251.0, 1.0)),
        (0, (751.0,)),
        ([3, 0, 3], (751.0, 1.0)),
    ],
)
def test_steps_are_kept_in_the_order_of_drawing(option, times):
    assert scheduling.kept(option, made("DDIMScheduler", 4)) == times


@pytest.mark.parametrize(
    ("steps", "times"), [(1, [999]), (2, [999, 499]), (4, [999, 749, 499, 249])]
)
def test_a_distilled_model_goes_down_evenly_from_the_last_timestep(steps, times):
    assert made("LCMScheduler", steps, is_distilled=True).timesteps == times


def test_a_distilled_model_may_take_another_schedulers_own_steps():
    assert made("DDIMScheduler", 4, is_distilled=True) == made("DDIMScheduler", 4)


@pytest.mark.parametrize("name", scheduling.WHOLE_BATCH)
def test_noise_of_a_whole_batch_is_refused(name):
    with pytest.raises(AtlasError, match=f"{name} draws one noise for all samples of a batch"):
        made(name, 4)


def test_noise_is_added_as_at_the_start_of_drawing():
    """At the last of 1000 timesteps hardly anything is left of the latents."""
    schedule, batch = made("DDIMScheduler", 1000), Batch(0, (0, 1))
    stepper = scheduling.Stepper(schedule, batch, CPU)
    latents, noise = torch.full((2, *SHAPE), 3.0), batch.noise(SHAPE)
    kept = stepper.noised(latents, noise, torch.tensor(999))
    share = 0.0046600  # the product of all 1 - beta
    assert torch.allclose(kept, share**0.5 * latents + (1 - share) ** 0.5 * noise, atol=1e-4)
