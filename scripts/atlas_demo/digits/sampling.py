"""Draw digits: from captions to latents to pictures."""

from typing import Any

import torch
from torch import nn

from atlas_demo.digits.denoiser import DIGITS, Conditions


@torch.no_grad()
def draw_latents(
    unet: nn.Module,
    scheduler: Any,
    conditions: Conditions,
    *,
    shape: tuple[int, int, int],
    plan: dict[str, Any],
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Draw latents of each digit, guided away from the answer to no caption.

    Parameters
    ----------
    unet
        diffusers' UNet2DConditionModel.
    scheduler
        One of diffusers', of the noise that the UNet was trained on.
    conditions
        Of all captions; those of a digit take turns.
    shape
        Channels, height and width of the latents.
    plan
        `per_digit`, `steps`, `guidance` and `seed`, as in config/demo/digits.yaml.

    Returns
    -------
    latents
        float32 (10 × per_digit, *shape), of deviation about 1, digit by digit.
    digits
        int64 (10 × per_digit,): which digit was asked for.
    """
    digits = torch.arange(DIGITS).repeat_interleave(plan["per_digit"])
    text = conditions.of(digits, torch.arange(plan["per_digit"]).repeat(DIGITS))
    both = torch.cat([conditions.blank.expand_as(text), text])
    generator = torch.Generator().manual_seed(plan["seed"])
    latents = torch.randn((len(digits), *shape), generator=generator)
    scheduler.set_timesteps(plan["steps"])
    for time in scheduler.timesteps:
        blank, told = unet(torch.cat([latents, latents]), time, both).sample.chunk(2)
        noise = blank + plan["guidance"] * (told - blank)
        latents = scheduler.step(noise, time, latents).prev_sample
    return latents, digits
