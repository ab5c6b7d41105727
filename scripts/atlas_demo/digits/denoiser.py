"""Train the UNet to tell noise from latents, by the captions of their pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from atlas_demo.digits import training

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

DIGITS = 10


@dataclass(frozen=True)
class Conditions:
    """The text encoder's answers to all captions."""

    states: torch.Tensor
    """float32 (captions, context, width), digit by digit, as many captions for each."""
    blank: torch.Tensor
    """float32 (context, width): the answer to no caption."""

    def of(self, digits: torch.Tensor, choices: torch.Tensor) -> torch.Tensor:
        """Return the states of one caption for each digit (n,), by the number of the choice."""
        each = len(self.states) // DIGITS
        return self.states[digits * each + choices % each]


class Average:
    """A moving average of a network's weights, as LDM keeps one: its short past weighs less."""

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.weights = {
            name: parameter.detach().clone() for name, parameter in network.named_parameters()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the network by 1 − min(decay, (1 + step) / (10 + step))."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        now = [parameter.detach() for parameter in self.network.parameters()]
        torch._foreach_lerp_(list(self.weights.values()), now, share)


def train(
    unet: UNet2DConditionModel,
    *,
    latents: torch.Tensor,
    digits: torch.Tensor,
    conditions: Conditions,
    signal: torch.Tensor,
    plan: dict[str, Any],
    after_step: Callable[[int], None] = lambda step: None,
) -> None:
    """
    Train the whole network in place.

    Parameters
    ----------
    unet
        The network.
    latents
        float32 (pictures, channels, height, width), of deviation 1.
    digits
        int64 (pictures,): which digit each is.
    conditions
        Of all captions; one that fits is drawn for each picture.
    signal
        ᾱ of each step of the schedule, float32.
    plan
        `batch`, `blank_share` (of pictures whose caption is left out), `steps`, `rate` and
        `warmup`, as in config/demo/digits.yaml.
    after_step
        Called with the step's number once it is taken.
    """
    order = _Order(len(latents), plan["batch"])

    def loss() -> torch.Tensor:
        batch = order.next()
        choices = torch.randint(len(conditions.states), batch.shape)
        text = conditions.of(digits[batch], choices)
        is_blank = torch.rand(len(batch)) < plan["blank_share"]
        text = torch.where(is_blank[:, None, None], conditions.blank, text)
        return velocity_loss(unet, latents[batch], text, signal)

    steps = {key: plan[key] for key in ("steps", "rate", "warmup")}
    training.minimise(loss, unet.parameters(), **steps, after_step=after_step)


def velocity_loss(
    unet: UNet2DConditionModel, latents: torch.Tensor, text: torch.Tensor, signal: torch.Tensor
) -> torch.Tensor:
    """
    Return the mean squared error of the velocity that the UNet tells, at times drawn at random.

    velocity = √ᾱ·noise − √(1−ᾱ)·latents (Salimans and Ho 2022, https://arxiv.org/abs/2202.00512),
    as in Stable Diffusion 2.1. Stable Diffusion 1 tells the noise; with the few steps that there
    are here that comes out far worse, for where nearly all is noise, and a picture's rough form is
    decided, the error of the noise hardly shows it.
    """
    times = _spread_times(len(latents), len(signal))
    share = signal[times][:, None, None, None]
    noise = torch.randn_like(latents)
    noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
    velocity = share.sqrt() * noise - (1 - share).sqrt() * latents
    return functional.mse_loss(unet(noisy, times, text).sample, velocity)


@torch.no_grad()
def silence(unet: UNet2DConditionModel) -> None:
    """Set the last layer to 0, as LDM does before training: the first answer is 0 everywhere."""
    unet.conv_out.weight.zero_()
    unet.conv_out.bias.zero_()


def _spread_times(count: int, steps: int) -> torch.Tensor:
    """Draw one time from each of `count` equal parts of the schedule: less noise in the loss."""
    return ((torch.arange(count) + torch.rand(count)) / count * steps).long()


class _Order:
    """Batches that show every picture once before any is shown again."""

    def __init__(self, count: int, batch: int) -> None:
        self.count, self.batch = count, batch
        self.left = torch.empty(0, dtype=torch.int64)

    def next(self) -> torch.Tensor:
        """Return the next batch's numbers, int64 (batch,)."""
        if len(self.left) < self.batch:
            self.left = torch.randperm(self.count)
        batch, self.left = self.left[: self.batch], self.left[self.batch :]
        return batch
