"""Train the autoencoder, and give its latents the scale that Stable Diffusion 1 expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from atlas_demo.digits import training

if TYPE_CHECKING:
    from diffusers import AutoencoderKL


def train(
    vae: AutoencoderKL,
    pictures: torch.Tensor,
    *,
    parameters: list[nn.Parameter],
    plan: dict[str, Any],
) -> None:
    """
    Train some parameters in place on squared errors and the latents' divergence from N(0, 1).

    Parameters
    ----------
    vae
        The network.
    pictures
        float32 (pictures, 3, side, side), −1 to 1.
    parameters
        Those of the network that are trained.
    plan
        `batch`, `divergence` (its share in the loss, per value of a picture), `steps`, `rate` and
        `warmup`, as in config/demo/digits.yaml.
    """
    share: float = plan["divergence"]

    def loss() -> torch.Tensor:
        batch = pictures[torch.randint(len(pictures), (plan["batch"],))]
        posterior = vae.encode(batch).latent_dist
        decoded = vae.decode(posterior.sample()).sample
        error: torch.Tensor = functional.mse_loss(decoded, batch)
        divergence: torch.Tensor = posterior.kl().mean() / batch[0].numel()
        return error + share * divergence

    steps = {key: plan[key] for key in ("steps", "rate", "warmup")}
    training.minimise(loss, parameters, **steps)


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: torch.Tensor, *, batch: int = 100) -> torch.Tensor:
    """Return the latents' means, float32 (pictures, 4, side / 8, side / 8), not yet scaled."""
    parts = [
        vae.encode(some.contiguous()).latent_dist.mean for some in torch.split(pictures, batch)
    ]
    return torch.cat(parts)


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: torch.Tensor, *, batch: int = 50) -> torch.Tensor:
    """Return the pictures of latents that are not scaled, float32 (pictures, 3, side, side)."""
    return torch.cat([vae.decode(some).sample for some in torch.split(latents, batch)])


@torch.no_grad()
def standardise(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    """
    Give each latent channel mean 0 and deviation 1 / scaling_factor, and change no picture.

    The two 1 × 1 convolutions around the latents take it up: quant_conv gives the moments
    (mean, log variance) of z' = s·(z − m), post_quant_conv undoes it. So the single file needs no
    other scaling factor than Stable Diffusion 1's own.

    Parameters
    ----------
    vae
        Changed in place.
    latents
        Its latents of the training pictures (pictures, channels, height, width).
    """
    mean = latents.mean(dim=(0, 2, 3))
    scale = 1 / (vae.config.scaling_factor * latents.std(dim=(0, 2, 3)))
    after, before = vae.quant_conv, vae.post_quant_conv
    channels = len(mean)
    after.weight[:channels] *= scale[:, None, None, None]
    after.bias[:channels] = scale * (after.bias[:channels] - mean)
    after.bias[channels:] += 2 * scale.log()
    before.bias += before.weight[:, :, 0, 0] @ mean
    before.weight /= scale[None, :, None, None]
