"""Tables of fits, proofs and low ranks written by hand: the truth of the demo's roster."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from atlas.basis import tables
from atlas.names.block_order import in_order
from atlas.recipes.tables import FITS, WHOLE

ROSTER = Path(__file__).parents[1] / "config" / "roster.yaml"
NOTHING: dict[str, Any] = {
    "form": None, "parents": [], "weights": None, "errors": None, "alike": [], "residual": None,
    "floor": None, "nearest": None, "distance": None, "tensors": 100, "parameters": 10_000,
    "deviating": [],
}  # fmt: skip

Row = dict[str, Any]


def row(target: str, component: str, block: str, verdict: str, **facts: Any) -> Row:
    """Return a row of the table of fits, of a part of which no more is known than is given."""
    told: Row = {"target": target, "component": component, "block": block, "verdict": verdict}
    given: Row = NOTHING | facts
    if given["parents"] and not given["alike"]:
        given["alike"] = [[] for _ in given["parents"]]
    return told | given


def summed(
    target: str,
    component: str,
    block: str,
    weights: Mapping[str, float],
    error: float = 1e-6,
    **facts: Any,
) -> Row:
    """Return a recovered part: a weighted sum that leaves 0.99 of what rounding would."""
    told = sorted(weights.items(), key=lambda each: (-abs(each[1]), each[0]))
    values = [weight for _, weight in told]
    is_whole = abs(sum(values) - 1) < 1e-9
    form = "convex" if min(values) >= 0 and is_whole else "signed" if is_whole else "scaled"
    given: Row = {
        "form": form, "parents": [parent for parent, _ in told],
        "weights": [weight + error / 3 for weight in values], "errors": [error] * len(told),
        "residual": 0.00099, "floor": 0.001, "nearest": told[0][0], "distance": 1.5,
    }  # fmt: skip
    return row(target, component, block, **({"verdict": "recovered"} | given | facts))


def taken(target: str, component: str, of: Sequence[str], *, cast: bool = False) -> Row:
    """Return a component that is another's: the first of some that hold the same."""
    alike = [list(of[1:])]
    verdict = "cast" if cast else "copy"
    facts = {"parents": [of[0]], "alike": alike, "nearest": of[0], "distance": 0.001 * cast}
    return row(target, component, WHOLE, verdict, **facts)


def by_block(
    target: str, component: str, ratios: Mapping[str, float], first: str, second: str, **facts: Any
) -> list[Row]:
    """Return the rows of a merge of two by block, with the second one's share of each."""
    rows = [row(target, component, WHOLE, "recovered", parents=[first, second], **facts)]
    for block in in_order(ratios):
        share = float(ratios[block])
        if share in (0.0, 1.0):
            whose = first if share == 0.0 else second
            rows.append(row(target, component, block, "copy", parents=[whose], nearest=whose))
        else:
            rows.append(summed(target, component, block, {first: 1 - share, second: share}))
    return rows


def roster() -> dict[str, Any]:
    """Return the demo's roster."""
    text: dict[str, Any] = yaml.safe_load(ROSTER.read_text(encoding="utf-8"))
    return text


def labels(models: Iterable[str]) -> dict[str, str]:
    """Return what the demo's roster calls models."""
    known = roster()["models"]
    return {model: str(known[model].get("label", model)) for model in models}


def tagged(tag: str) -> list[str]:
    """Return the demo's models of a tag, in the roster's order."""
    return [model for model, facts in roster()["models"].items() if tag in facts["tags"]]


def terrain() -> list[Row]:
    """Return the fits of the demo's terrain, as they should come out."""
    ratios = roster()["models"]["terrain-block-merge"]["recipe"]["ratios"]
    none = {"nearest": "terrain-merge", "distance": 0.74}
    return [
        taken("terrain-041", "unet", ["terrain-copy"]),
        taken("terrain-042", "unet", ["terrain-renamed"]),
        row("terrain-tuned", "unet", WHOLE, "none", **none),
        row("terrain-tuned", "unet", "IN00", "none", **none),
        summed("terrain-merge", "unet", WHOLE, {"terrain-041": 0.7, "terrain-042": 0.3},
               alike=[["terrain-copy"], ["terrain-half", "terrain-renamed"]]),
        *by_block("terrain-block-merge", "unet", ratios, "terrain-041", "terrain-042"),
        summed("terrain-add-difference", "unet", WHOLE,
               {"terrain-042": 1.0, "terrain-tuned": 0.8, "terrain-041": -0.8}),
        taken("terrain-half", "unet", ["terrain-042", "terrain-renamed"], cast=True),
        taken("terrain-copy", "unet", ["terrain-041"]),
        taken("terrain-renamed", "unet", ["terrain-042"]),
    ]  # fmt: skip


BASES = ["digits", "digits-diffusers", "digits-novel"]
"""Of the digits: the same weights in all components."""


def digits() -> list[Row]:
    """Return the fits of some of the demo's digits, as they should come out."""
    ratios = roster()["models"]["digits-block-merge"]["recipe"]["ratios"]
    unets = [*BASES[1:], "digits-captioned", "digits-decoder"]
    texts = [*BASES[1:], "digits-mirrored", "digits-decoder", "digits-block-merge"]
    vaes = [*BASES, "digits-mirrored", "digits-captioned", "digits-block-merge"]
    lone = {"nearest": "digits", "distance": 3.0}
    return [
        row("digits-mirrored", "unet", WHOLE, "none", **lone),
        taken("digits-mirrored", "text_encoder", [*BASES, "digits-decoder", "digits-block-merge"]),
        taken("digits-mirrored", "vae", [*BASES, "digits-captioned"]),
        summed("digits-merge", "unet", WHOLE, {"digits-mirrored": 0.6, "digits": 0.4},
               alike=[[], unets]),
        summed("digits-merge", "text_encoder", WHOLE, {"digits": 0.6, "digits-captioned": 0.4},
               alike=[texts, []]),
        taken("digits-merge", "vae", vaes),
        *by_block("digits-block-merge", "unet", ratios, "digits", "digits-mirrored"),
        taken("digits-block-merge", "text_encoder",
              [*BASES, "digits-mirrored", "digits-decoder"]),
        taken("digits-block-merge", "vae", [*BASES, "digits-mirrored", "digits-captioned"]),
    ]  # fmt: skip


def write_fits(rows: Sequence[Row], path: Path) -> Path:
    """Write a table of fits."""
    columns = {
        field.name: pa.array([each[field.name] for each in rows], _plain(field.type))
        for field in FITS
    }
    tables.write(pa.table(columns).cast(FITS), path)
    return path


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


PROOFS = (
    "target", "component", "block", "parents", "weights", "arithmetic", "casts", "elements",
    "equal", "share", "turned", "verdict", "ambiguous", "own_weights", "left_out", "problem",
)  # fmt: skip
LOW_RANK = (
    "child", "base", "component", "role", "tensors", "low", "rank", "largest", "full", "verdict",
    "detail",
)  # fmt: skip


def proof(
    target: str,
    component: str,
    block: str,
    weights: Mapping[str, float],
    verdict: str = "proved",
    **facts: Any,
) -> Row:
    """Return a row of the table of proofs."""
    told: Row = {
        "target": target, "component": component, "block": block,
        "parents": " + ".join(weights), "weights": " ".join(map(str, weights.values())),
        "arithmetic": "float64 sum, rounded once", "casts": "", "elements": 1000,
        "equal": 1000, "share": 1.0, "turned": 0.64, "verdict": verdict, "ambiguous": "",
    }  # fmt: skip
    return told | facts


def write_csv(rows: Sequence[Row], columns: Sequence[str], path: Path) -> Path:
    """Write a table of named columns; what a row lacks is empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
