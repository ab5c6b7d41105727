"""Stable Diffusion 1's schedule of noise, and the buffers in which LDM keeps it."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def betas(scheduler: Mapping[str, Any]) -> np.ndarray:
    """Return β of each of the steps, float64: the square of an even rise of √β."""
    low, high = scheduler["beta_start"] ** 0.5, scheduler["beta_end"] ** 0.5
    squares: np.ndarray = np.linspace(low, high, scheduler["num_train_timesteps"]) ** 2
    return squares


def signal_shares(scheduler: Mapping[str, Any]) -> np.ndarray:
    """Return ᾱ of each of the steps, float64: the signal's share of the variance."""
    shares: np.ndarray = np.cumprod(1 - betas(scheduler))
    return shares


def buffers(scheduler: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """
    Return the twelve buffers of LDM's DDPM under their names, float32.

    Computed in float64 and rounded, as in CompVis/latent-diffusion ldm/models/diffusion/ddpm.py
    (register_schedule, with v_posterior 0).
    """
    beta, share = betas(scheduler), signal_shares(scheduler)
    before = np.append(1.0, share[:-1])
    posterior = beta * (1 - before) / (1 - share)
    exact = {
        "betas": beta,
        "alphas_cumprod": share,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": np.sqrt(share),
        "sqrt_one_minus_alphas_cumprod": np.sqrt(1 - share),
        "log_one_minus_alphas_cumprod": np.log(1 - share),
        "sqrt_recip_alphas_cumprod": np.sqrt(1 / share),
        "sqrt_recipm1_alphas_cumprod": np.sqrt(1 / share - 1),
        "posterior_variance": posterior,
        "posterior_log_variance_clipped": np.log(np.maximum(posterior, 1e-20)),
        "posterior_mean_coef1": beta * np.sqrt(before) / (1 - share),
        "posterior_mean_coef2": (1 - before) * np.sqrt(1 - beta) / (1 - share),
    }
    return {name: values.astype(np.float32) for name, values in exact.items()}
