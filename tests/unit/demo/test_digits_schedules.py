"""The buffers of noise that LDM keeps, against diffusers and the plain formulas."""

import numpy as np
from diffusers import DDPMScheduler

from atlas_demo import facts
from atlas_demo.digits import schedules

SCHEDULER = facts.digits()["scheduler"]


def test_the_schedule_is_diffusers():
    theirs = DDPMScheduler(
        beta_schedule=SCHEDULER["beta_schedule"],
        beta_start=SCHEDULER["beta_start"],
        beta_end=SCHEDULER["beta_end"],
    )
    np.testing.assert_allclose(schedules.betas(SCHEDULER), theirs.betas, rtol=1e-6)
    np.testing.assert_allclose(schedules.signal_shares(SCHEDULER), theirs.alphas_cumprod, rtol=1e-4)


def test_the_known_ends_of_stable_diffusion_1():
    buffers = schedules.buffers(SCHEDULER)
    assert len(buffers) == 12
    assert all(array.shape == (1000,) and array.dtype == np.float32 for array in buffers.values())
    np.testing.assert_allclose(buffers["alphas_cumprod"][[0, -1]], [0.99915, 0.0046599], rtol=1e-4)
    assert buffers["alphas_cumprod_prev"][0] == 1
    assert buffers["posterior_variance"][0] == 0
    np.testing.assert_allclose(buffers["posterior_log_variance_clipped"][0], np.log(1e-20))


def test_the_posterior_mean_of_noiseless_latents_is_the_latents():
    """Where x_t = √ᾱ_t·x_0, the posterior's mean is √ᾱ_{t−1}·x_0."""
    buffers = {name: array.astype(float) for name, array in schedules.buffers(SCHEDULER).items()}
    mean = (
        buffers["posterior_mean_coef1"]
        + buffers["posterior_mean_coef2"] * buffers["sqrt_alphas_cumprod"]
    )
    np.testing.assert_allclose(mean, np.sqrt(buffers["alphas_cumprod_prev"]), rtol=1e-5)
