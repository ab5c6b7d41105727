"""Train the text encoder as CLIP was: pictures and their captions are to point the same way."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from atlas_demo.digits import training

EVEN_TEMPERATURE = 2.0
"""The logarithm of CLIP's logit scale at the start; it is trained, too."""


class Contrast(nn.Module):
    """
    The text encoder, and what stands beside it only while it is trained.

    Pictures are so simple that their encoder is one linear layer of the 8 × 8 pixels.
    """

    def __init__(self, encoder: nn.Module, *, width: int, pixels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.text = nn.Linear(width, width, bias=False)
        self.picture = nn.Linear(pixels, width, bias=False)
        self.scale = nn.Parameter(torch.tensor(EVEN_TEMPERATURE))

    def forward(self, tokens: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Return the likeness of each picture to each caption: (pictures, captions)."""
        captions = functional.normalize(self.text(self.encoder(tokens).pooler_output), dim=-1)
        pictures = functional.normalize(self.picture(pixels), dim=-1)
        return self.scale.exp() * pictures @ captions.T


def train(
    contrast: Contrast,
    *,
    parameters: list[nn.Parameter],
    captions: tuple[torch.Tensor, torch.Tensor],
    pictures: tuple[torch.Tensor, torch.Tensor],
    plan: dict[str, Any],
) -> None:
    """
    Train some parameters in place.

    Parameters
    ----------
    contrast
        The networks.
    parameters
        Those of them that are trained.
    captions
        Tokens int64 (captions, context), and the digit of each.
    pictures
        Pixels float32 (pictures, 64), and the digit of each.
    plan
        `batch`, `captions`, `steps`, `rate` and `warmup`, as in config/demo/digits.yaml.
    """
    (tokens, named), (pixels, shown) = captions, pictures
    tokens = tokens[:, : longest(tokens)]

    def loss() -> torch.Tensor:
        some = torch.randperm(len(tokens))[: plan["captions"]]
        seen = torch.randint(len(pixels), (plan["batch"],))
        return contrastive_loss(
            contrast(tokens[some], pixels[seen]), shown[seen][:, None] == named[some]
        )

    steps = {key: plan[key] for key in ("steps", "rate", "warmup")}
    training.minimise(loss, parameters, **steps)


def contrastive_loss(likeness: torch.Tensor, fits: torch.Tensor) -> torch.Tensor:
    """
    Return −log softmax of the fitting captions, averaged over them and the pictures.

    Parameters
    ----------
    likeness
        float (pictures, captions).
    fits
        bool of the same shape; a picture with no fitting caption is left out.
    """
    counts = fits.sum(dim=1)
    each = -(likeness.log_softmax(dim=1) * fits).sum(dim=1)
    return (each[counts > 0] / counts[counts > 0]).mean()


def agreement(
    contrast: Contrast,
    *,
    captions: tuple[torch.Tensor, torch.Tensor],
    pictures: tuple[torch.Tensor, torch.Tensor],
) -> float:
    """Return the share of pictures whose likest caption names the digit that they show."""
    (tokens, named), (pixels, shown) = captions, pictures
    with torch.no_grad():
        likest = contrast(tokens, pixels).argmax(dim=1)
    return float((named[likest] == shown).float().mean())


def longest(tokens: torch.Tensor) -> int:
    """
    Return the length of the longest caption with its end mark.

    CLIP's attention looks back only: what pads the captions behind it changes nothing before.
    """
    return int(tokens.argmax(dim=1).max()) + 1  # the end mark is the largest token
