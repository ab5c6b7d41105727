"""The published table of MACs made again under its own assumptions, beside the right figures."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from atlas.architectures import build, catalogue, inputs
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import count
from atlas.architectures.meta import RememberedShapes
from atlas.basis.shipped import load
from atlas.macs.counters import Call, thop_macs

GUIDED = 2
"""Forwards per step with classifier-free guidance."""
TOLERANCE = 1e-3
GIGA, TERA = 1e9, 1e12


def table() -> dict[str, Any]:
    """Return the published rows and what they assume."""
    return dict(load("published/macs"))


def rows() -> list[dict[str, Any]]:
    """Return all rows: published, recomputed, right, ratio, ranks and causes."""
    facts = table()
    remembered = RememberedShapes()
    found = [_row(row, facts, remembered) for row in facts["rows"]]
    for kind in ("published", "right"):
        ordered = sorted(found, key=lambda row: -row[f"{kind}_total_tmacs"])
        for rank, row in enumerate(ordered, start=1):
            row[f"{kind}_rank"] = rank
    return found


def _row(
    row: Mapping[str, Any], facts: Mapping[str, Any], remembered: RememberedShapes
) -> dict[str, Any]:
    entry = catalogue.load(row["architecture"])
    step, total = _as_published(entry, row, facts, remembered)
    right_step, right_total = _right(entry, facts, remembered)
    published_step, published_total = float(row["step_gmacs"]), float(row["total_tmacs"])
    return {
        "model": row["model"],
        "architecture": entry.name,
        "width_pixels": facts["pixels"],
        "height_pixels": facts["pixels"],
        "steps": facts["steps"],
        "published_step_gmacs": published_step,
        "recomputed_step_gmacs": round(step / GIGA, 3),
        "right_step_gmacs": round(right_step / GIGA, 3),
        "published_total_tmacs": published_total,
        "recomputed_total_tmacs": round(total / TERA, 4),
        "right_total_tmacs": round(right_total / TERA, 4),
        "agrees": agrees(row["step_gmacs"], step / GIGA)
        and agrees(row["total_tmacs"], total / TERA),
        "published_over_right_step": round(published_step * GIGA / right_step, 4),
        "published_over_right_total": round(published_total * TERA / right_total, 4),
        "published_text_tokens": facts["text_tokens"],
        "right_text_tokens": entry.text.cap if entry.text else 0,
        "causes": "; ".join(facts["causes"][cause] for cause in row["causes"]),
    }


def agrees(printed: str, value: float) -> bool:
    """
    Say whether a value is within 0.1 % of a printed figure, or rounds to its digits.

    >>> agrees("36.5", 36.453), agrees("36.5", 36.6)
    (True, False)
    """
    digits = len(printed.partition(".")[2])
    return abs(value / float(printed) - 1) <= TOLERANCE or f"{value:.{digits}f}" == printed


def _as_published(
    entry: Architecture,
    row: Mapping[str, Any],
    facts: Mapping[str, Any],
    remembered: RememberedShapes,
) -> tuple[float, float]:
    """Return the MACs of a step and of the image as the published table counts them."""
    side, tokens = facts["latent_side"] * entry.latent.downsampling, facts["text_tokens"]
    denoiser = build.component(entry, entry.denoiser_name)
    arguments = inputs.denoiser(entry, width=side, height=side, text_length=tokens)
    with torch.no_grad(), remembered, QuadraticAttention() as attention:
        layers = thop_macs(Call(denoiser, None, arguments))
    step = GUIDED * layers + row.get("attention_times", GUIDED) * attention.macs
    total = facts["steps"] * step
    with torch.no_grad(), remembered:
        for name in entry.text_encoders:
            text = inputs.text_encoder(entry, name, tokens=tokens)
            total += GUIDED * thop_macs(Call(build.component(entry, name), None, text))
        if row.get("vae", True):
            latent = inputs.vae_decode(entry, width=side, height=side)
            total += thop_macs(Call(build.component(entry, "vae"), "decode", latent))
    return step, total


def _right(
    entry: Architecture, facts: Mapping[str, Any], remembered: RememberedShapes
) -> tuple[float, float]:
    """Return the right MACs of a guided step and of an image of the size that is claimed."""
    size = {"width": facts["pixels"], "height": facts["pixels"]}
    denoiser = build.component(entry, entry.denoiser_name)
    arguments = inputs.denoiser(entry, **size)
    forwards = entry.sampling.forwards_per_step
    step = forwards * count(denoiser, arguments, remembered=remembered).total
    total = facts["steps"] * step
    for name in entry.text_encoders:
        encoder = build.component(entry, name)
        text = inputs.text_encoder(entry, name)
        total += forwards * count(encoder, text, remembered=remembered).total
    decoder = build.component(entry, "vae")
    latent = inputs.vae_decode(entry, **size)
    return step, total + count(decoder, latent, method="decode", remembered=remembered).total


class QuadraticAttention(TorchFunctionMode):
    """Adds up 2 B H Nq^2 D + B H Nq^2 for every call of attention, whatever its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run a function, and add it up if it is attention."""
        kwargs = kwargs or {}
        if function is scaled_dot_product_attention:
            query = kwargs["query"] if "query" in kwargs else args[0]
            batch, heads, queries, width = query.shape
            self.macs += batch * heads * queries**2 * (2 * width + 1)
        return function(*args, **kwargs)
