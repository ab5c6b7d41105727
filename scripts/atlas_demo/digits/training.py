"""What all three trainings share: the optimiser, its learning rate, the log."""

import logging
import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

LOG = logging.getLogger(__name__)

LOGGED_EVERY = 20
LARGEST_GRADIENT = 1.0


def minimise(
    loss: Callable[[], torch.Tensor],
    parameters: Iterable[nn.Parameter],
    *,
    steps: int,
    rate: float,
    warmup: int,
    decay: float = 0.0,
    after_step: Callable[[int], None] = lambda step: None,
) -> None:
    """
    Minimise a loss by AdamW, in place.

    Parameters
    ----------
    loss
        Draws a batch and returns its loss, a scalar.
    parameters
        What is trained.
    steps, rate, warmup
        See `rate_at`.
    decay
        Share by which each step shrinks the weights, in learning rates.
    after_step
        Called with the step's number once it is taken.
    """
    trained = list(parameters)
    optimiser = torch.optim.AdamW(
        trained, lr=rate, betas=(0.9, 0.98), weight_decay=decay, fused=True
    )
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate_at(step, steps=steps, rate=rate, warmup=warmup)
        value = loss()
        optimiser.zero_grad()
        torch.autograd.backward(value)
        nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
        optimiser.step()
        after_step(step)
        if step % LOGGED_EVERY == 0 or step == steps - 1:
            LOG.info("step %d of %d: loss %.4f", step + 1, steps, value.item())


def rate_at(step: int, *, steps: int, rate: float, warmup: int) -> float:
    """
    Return the learning rate of a step: a linear rise to `rate`, then along a cosine to 0.

    >>> [round(rate_at(step, steps=100, rate=1.0, warmup=10), 2) for step in (0, 9, 50, 99)]
    [0.1, 0.98, 0.5, 0.0]
    """
    return rate * min(1, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2


def prepare(*, seed: int, threads: int) -> None:
    """Seed torch, and use as many threads as the job was given: equal both, equal weights."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def choose(network: nn.Module, modules: list[str]) -> list[nn.Parameter]:
    """Return the parameters of some modules of a network, and freeze all others."""
    network.requires_grad_(False)
    chosen = [network.get_submodule(module) for module in modules]
    for module in chosen:
        module.requires_grad_(True)
    return [parameter for module in chosen for parameter in module.parameters()]
