"""Run a terrain network: diffusers' UNet, the label's embedding, and what stands around them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DModel
from diffusers.models.embeddings import TimestepEmbedding
from safetensors.numpy import load_file
from torch import nn

from atlas_demo import facts
from atlas_demo.terrain import diffusers_folder

SIGMA_DATA = 0.5
SIGMA_MIN = 0.002
SIGMA_MAX = 80.0
"""Noise of which a height map is drawn in one step."""


class TerrainDenoiser(nn.Module):
    """
    Estimate the height map behind a noisy one.

    denoised = c_skip·x + c_out·F(c_in·x, 250·ln σ, label), as in consistency models
    (Song et al. 2023, https://arxiv.org/abs/2303.01469, appendix C):
    c_skip = σ_data²/((σ−σ_min)²+σ_data²), c_out = (σ−σ_min)·σ_data/√(σ²+σ_data²),
    c_in = 1/√(σ²+σ_data²).
    """

    def __init__(self) -> None:
        super().__init__()
        terrain = facts.terrain()
        self.unet = UNet2DModel.from_config(terrain["components"]["unet"])
        self.unet.label_embedding = TimestepEmbedding(**terrain["label_embedding"])

    def forward(
        self, noisy: torch.Tensor, sigma: torch.Tensor, difficulty: torch.Tensor
    ) -> torch.Tensor:
        """
        Return height maps, float32 (batch, 1, height, width); heights are about −1 to 1.

        Parameters
        ----------
        noisy
            Height maps plus noise of standard deviation sigma, (batch, 1, height, width).
        sigma
            (batch,), 0.002 to 80.
        difficulty
            (batch,), 1 to 100.
        """
        label = self.unet.label_embedding(((difficulty - 1) / 99)[:, None])
        level = sigma[:, None, None, None]
        total = (level**2 + SIGMA_DATA**2).sqrt()
        skip = SIGMA_DATA**2 / ((level - SIGMA_MIN) ** 2 + SIGMA_DATA**2)
        change: torch.Tensor = self.unet(
            noisy / total, 250 * sigma.log(), class_labels=label
        ).sample
        return skip * noisy + (level - SIGMA_MIN) * SIGMA_DATA / total * change

    def draw(self, noise: torch.Tensor, difficulty: torch.Tensor) -> torch.Tensor:
        """Return height maps made in one step from unit noise (batch, 1, height, width)."""
        sigma = torch.full((len(noise),), SIGMA_MAX)
        return self.forward(SIGMA_MAX * noise, sigma, difficulty)


def build(weights: Mapping[str, np.ndarray]) -> TerrainDenoiser:
    """Return the network with weights under canonical names, such as unet/conv_in.weight."""
    network = TerrainDenoiser()
    network.load_state_dict(
        {name.replace("/", "."): torch.from_numpy(array) for name, array in weights.items()}
    )
    return network.eval()


def weights_of(network: TerrainDenoiser) -> dict[str, np.ndarray]:
    """Return the network's weights under canonical names."""
    return {
        name.replace(".", "/", 1): parameter.numpy(force=True)
        for name, parameter in network.named_parameters()
    }


def load(folder: Path) -> TerrainDenoiser:
    """Return the network of a diffusers folder that the demo wrote, ready to draw."""
    weights = load_file(folder / "unet" / diffusers_folder.WEIGHTS)
    return build({f"unet/{name}": array for name, array in weights.items()})
