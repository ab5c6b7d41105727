"""The digits as pictures that a Stable Diffusion takes, and back."""

import numpy as np
import torch
from torch.nn import functional

SIDE = 8
BRIGHTEST = 16
"""Side in pixels and largest value of scikit-learn's digits, whose least is 0."""


def load(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return scikit-learn's 1797 digits, enlarged, and which digit each is.

    Returns
    -------
    pictures
        float32 (1797, 3, side, side), black −1 to white 1, all channels alike.
    digits
        int64 (1797,), 0 to 9.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = torch.from_numpy(bunch.images).float()[:, None] / (BRIGHTEST / 2) - 1
    large = functional.interpolate(small, size=(side, side), mode="bicubic")
    return large.clamp(-1, 1).expand(-1, 3, -1, -1), torch.from_numpy(bunch.target)


def shrink(pictures: torch.Tensor) -> np.ndarray:
    """Return pictures (n, 3, side, side) as scikit-learn has digits: float64 (n, 64), 0 to 16."""
    grey = pictures.mean(dim=1, keepdim=True)
    small = functional.adaptive_avg_pool2d(grey, SIDE).clamp(-1, 1)
    values: np.ndarray = ((small + 1) * (BRIGHTEST / 2)).flatten(1).double().numpy()
    return values
