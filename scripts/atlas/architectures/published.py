"""A published table of sizes made again: under its own inputs, and right."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import torch

from atlas.architectures import build, catalogue, inputs, torchinfo_sizes, units
from atlas.architectures.architecture import Architecture
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.sizes import text_tokens
from atlas.basis.shipped import load

DTYPES = {"f16": torch.float16, "f32": torch.float32}

MEGA, GIGA_OF_TABLE = 1e6, 1e6 * 1024
"""Bytes of the table's MB, and of what it calls GB: such MB divided by 1024."""


def table() -> dict[str, Any]:
    """Return the published rows with their inputs, and the causes of differences."""
    return dict(load("published/sizes"))


def reproduce(row: Mapping[str, Any], causes: Mapping[str, str]) -> dict[str, Any]:
    """
    Return one row of the published table: as printed, as made again, and right.

    The right figures are of one image in float16 at the same resolution and text length, with
    activations as diffusers makes them now.
    """
    entry = catalogue.load(row["architecture"])
    given = row["inputs"]
    as_made = _figures(
        entry,
        side=given["side"],
        batch=given["batch"],
        tokens=given["text_tokens"],
        dtype=given["dtype"],
        shared=given["shared_activations"],
    )
    is_right = (given["batch"], given["dtype"]) == (1, "f16") and not given["shared_activations"]
    right = (
        as_made
        if is_right
        else _figures(
            entry,
            side=given["side"],
            batch=1,
            tokens=given["text_tokens"],
            dtype="f16",
            shared=False,
        )
    )
    return {
        "model": row["model"],
        "architecture": entry.name,
        "width_pixels": given["side"],
        "height_pixels": given["side"],
        "batch": given["batch"],
        "text_tokens": given["text_tokens"],
        "dtype": given["dtype"],
        "shared_activations": given["shared_activations"],
        **_three(row["published"], as_made, right),
        "pipeline_text_tokens": text_tokens(entry, None),
        "right_batch": 1,
        "right_dtype": "f16",
        "causes": "; ".join(causes[cause] for cause in row["causes"]) or "none: it is right",
        "note": _note(given["text_tokens"], text_tokens(entry, None)),
    }


def _note(given: int, usual: int) -> str:
    """Say where the text that the row was made with is not what the pipeline gives."""
    if given == usual:
        return ""
    return f"all figures are with {given} text tokens, where the pipeline gives {usual}"


def _three(
    published: Mapping[str, str], as_made: Mapping[str, Any], right: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the three figures of each column side by side, and whether the first two agree."""
    found: dict[str, Any] = {}
    for column, printed in published.items():
        found[f"{column}_published"] = printed
        found[f"{column}_reproduced"] = as_made[column]
        found[f"{column}_agrees"] = agrees(printed, as_made[column])
        found[f"{column}_right"] = right[column]
    return found


def agrees(printed: str, value: float) -> bool:
    """
    Say whether a value has the printed digits, rounded or cut off.

    >>> agrees("2837", 2837.61), agrees("11.91", 11.9014)
    (True, False)
    """
    last = Decimal(printed).as_tuple().exponent
    step = Decimal(1).scaleb(int(last))
    exact = Decimal(repr(value))
    return Decimal(printed) in {
        exact.quantize(step, rounding=rounding) for rounding in (ROUND_HALF_UP, ROUND_DOWN)
    }


def _figures(
    entry: Architecture, *, side: int, batch: int, tokens: int, dtype: str, shared: bool
) -> dict[str, Any]:
    """Return the table's figures, in its units, for one choice of inputs."""
    module = build.component(entry, entry.denoiser_name, DTYPES[dtype])
    parameters = build.parameters(module)
    if shared:
        torchinfo_sizes.share_activations(module)
    arguments = inputs.denoiser(
        entry, width=side, height=side, batch=batch, text_length=tokens, dtype=DTYPES[dtype]
    )
    told = torchinfo_sizes.of_forward(module, arguments, RememberedShapes())
    return {
        "units": len(units.of(module)),
        "torchinfo_b": told.parameters / 1e9,
        "diffusers_b": parameters / 1e9,
        "forward_backward_mb": told.forward_backward_bytes / MEGA,
        "total_gb": told.total_bytes / GIGA_OF_TABLE,
    }
