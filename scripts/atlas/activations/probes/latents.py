"""Pictures as latents and back, by the autoencoder of Stable Diffusion, in float32."""

from typing import Any

import numpy as np
import torch
from torch import nn

from atlas.activations.probes.probe import Images


class Autoencoder:
    """
    An `AutoencoderKL` with the scale of the latents that the UNet works on.

    A latent z stands for scaling factor · (z − mean) / deviation; most autoencoders have neither
    mean nor deviation.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network: Any = network

    def latents(self, images: Images) -> torch.Tensor:
        """Return float32 latents of images: the mean of the posterior, scaled."""
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2).to(self._network.device)
        posterior = self._network.encode(pixels.float() / 127.5 - 1).latent_dist
        latents: torch.Tensor = posterior.mean
        mean, deviation = self._statistics(latents)
        return self._scale * (latents - mean) / deviation

    def pixels(self, latents: torch.Tensor) -> torch.Tensor:
        """Return float32 (samples, 3, height, width), -1 to 1 but for what lies beyond."""
        mean, deviation = self._statistics(latents)
        unscaled = latents / self._scale * deviation + mean
        pixels: torch.Tensor = self._network.decode(unscaled, return_dict=False)[0]
        return pixels

    @property
    def _scale(self) -> float:
        return float(self._network.config["scaling_factor"])

    def _statistics(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and deviation of each channel, of (1, channels, 1, 1); 0 and 1 by default."""
        config = self._network.config
        means, deviations = config.get("latents_mean"), config.get("latents_std")
        shape = (1, -1, 1, 1)
        mean = latents.new_tensor(means or [0.0]).view(shape)
        return mean, latents.new_tensor(deviations or [1.0]).view(shape)


def rounded(pixels: torch.Tensor) -> Images:
    """
    Return images of pixels, -1 to 1: rounded to the nearest of 256 levels, as diffusers does.

    What is not a number is black.
    """
    levels = (pixels / 2 + 0.5).nan_to_num(0).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    images: Images = np.round(levels * 255).astype(np.uint8)
    return images
