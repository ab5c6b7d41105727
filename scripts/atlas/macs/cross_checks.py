"""Single figures that others have published, counted again by the counter that they used."""

from collections.abc import Mapping
from typing import Any

import torch

from atlas.architectures import build, catalogue, inputs
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import count
from atlas.architectures.meta import RememberedShapes
from atlas.basis.shipped import load
from atlas.macs.counters import Call, thop_macs

UNITS = {"G": 1e9, "T": 1e12}
PER_MAC = {"macs": 1, "flops": 2}
BYTES = 2
"""Of a parameter in half precision."""


def rows() -> list[dict[str, Any]]:
    """Return all figures: published, counted again, of record, and why they differ."""
    facts = load("published/cross_checks")
    remembered = RememberedShapes()
    return [_row(row, facts["differences"], remembered) for row in facts["rows"]]


def _row(
    row: Mapping[str, Any], differences: Mapping[str, str], remembered: RememberedShapes
) -> dict[str, Any]:
    entry = catalogue.load(row["architecture"])
    figures = _bytes if row["quantity"] == "bytes" else _products
    ours, record = (value / UNITS[row["unit"]] for value in figures(entry, row, remembered))
    ratio = ours / float(row["value"])
    return {
        "who": row["who"],
        "source": row["source"],
        "what": row["what"],
        "architecture": entry.name,
        "width_pixels": row.get("pixels"),
        "height_pixels": row.get("pixels"),
        "component": row.get("component", entry.denoiser_name),
        "quantity": row["quantity"],
        "unit": row["unit"],
        "counter": row["counter"],
        "forwards": row.get("forwards"),
        "published": row["value"],
        "recounted": round(ours, 4),
        "ratio": round(ratio, 5),
        "agrees": abs(ratio - 1) <= row["within"],
        "record": round(record, 4),
        "difference": differences[row["difference"]],
    }


def _products(
    entry: Architecture, row: Mapping[str, Any], remembered: RememberedShapes
) -> tuple[float, float]:
    """Return the MACs or FLOPs of forwards by the row's counter and by the figure of record."""
    module = build.component(entry, entry.denoiser_name)
    arguments = inputs.denoiser(entry, width=row["pixels"], height=row["pixels"])
    record = count(module, arguments, remembered=remembered).total
    macs = record
    if row["counter"] == "thop":
        with torch.no_grad(), remembered:
            macs = thop_macs(Call(module, None, arguments))
    times = row["forwards"] * PER_MAC[row["quantity"]]
    return times * macs, times * record


def _bytes(entry: Architecture, row: Mapping[str, Any], _: RememberedShapes) -> tuple[float, float]:
    """Return the bytes of a component's weights in half precision, or of all, twice."""
    names = [*entry.components] if row["component"] == "all" else [row["component"]]
    found = BYTES * sum(build.parameters(build.component(entry, name)) for name in names)
    return found, found
