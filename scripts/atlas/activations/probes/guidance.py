"""Classifier-free guidance: two branches as rows of one forward, and which of them is kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from atlas.basis.errors import AtlasError, nearest

CONDITIONAL, UNCONDITIONAL = "conditional", "unconditional"


@dataclass(frozen=True)
class Guidance:
    """
    How far outputs are led away from those without the prompt: u + s·(c − u).

    Ho and Salimans 2022, https://arxiv.org/abs/2207.12598, with s = w + 1.
    """

    scale: float | None
    """s; None where only the branch with the prompt is run."""
    is_conditional: bool = True
    """Which branch is kept: the one with the prompt, or the one without."""

    @property
    def branches(self) -> int:
        """Rows of a forward for each sample: first those without the prompt, then those with."""
        return 1 if self.scale is None else 2

    def rows(self, count: int) -> slice:
        """Return the rows that are kept, of so many samples."""
        if self.scale is None or not self.is_conditional:
            return slice(0, count)
        return slice(count, 2 * count)

    def led(self, output: torch.Tensor) -> torch.Tensor:
        """Return the output that guidance makes of all rows."""
        if self.scale is None:
            return output
        without, told = output.chunk(2)
        return without + self.scale * (told - without)


def chosen(options: Mapping[str, Any], *, usual: float | None) -> Guidance:
    """
    Return guidance as the options `guidance` and `branch` say.

    Parameters
    ----------
    usual
        The scale where the options have none; their null says that there is no guidance.

    Raises
    ------
    AtlasError
        The scale is no number, the branch none of the two, or none that is run.
    """
    scale = options.get("guidance", usual)
    if scale is not None and (type(scale) not in (int, float) or not math.isfinite(scale)):
        raise AtlasError(
            f"guidance: {scale!r} is no number; give one such as 7.5, or null for no guidance"
        )
    branch = options.get("branch", CONDITIONAL)
    if branch not in (CONDITIONAL, UNCONDITIONAL):
        raise AtlasError(
            f"branch: {branch} is none{nearest(str(branch), (CONDITIONAL, UNCONDITIONAL))} "
            f"({CONDITIONAL} or {UNCONDITIONAL})"
        )
    is_guided = scale is not None and scale > 1
    if branch == UNCONDITIONAL and not is_guided:
        raise AtlasError(
            f"branch: {UNCONDITIONAL} is run only with guidance above 1; give that, or leave the "
            "branch out"
        )
    return Guidance(float(scale) if is_guided else None, is_conditional=branch == CONDITIONAL)
