"""The table of recipes: a row for each target, component, block and parent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from atlas.basis.page import listed
from atlas.claims.comparing import told
from atlas.lineage import proved, said
from atlas.lineage.fitted import Fitted, Part
from atlas.lineage.proved import Proof
from atlas.lineage.telling import Told
from atlas.recipes.tables import WHOLE

COLUMNS = (
    "target", "component", "block", "parent", "weight", "error", "residual", "floor", "verdict",
    "proof", "claim", "form", "alike", "deviating", "nearest", "distance",
)  # fmt: skip


def as_csv(told: Told) -> str:
    """Return a group's table, a header and rows in the order of the fits."""
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    for components in told.fits.values():
        for fitted in components.values():
            rows.writerows(_rows(fitted, told))
    return text.getvalue()


def _rows(fitted: Fitted, group: Told) -> Iterator[dict[str, Any]]:
    own = group.proofs.get((fitted.whole.target, fitted.component), {})
    for part in (fitted.whole, *fitted.blocks):
        claims = said.judged(group.claims, part, group.models, group.sums)
        facts = {
            "target": part.target,
            "component": part.component,
            "block": part.block,
            "residual": _share(part.relative(part.residual)),
            "floor": _share(part.relative(part.floor)),
            "verdict": part.verdict,
            "proof": _proof(part, own),
            "claim": told(claims),
            "form": part.form or "",
            "deviating": len(part.deviating) or "",
            "nearest": part.nearest or "",
            "distance": _share(part.distance),
        }
        for place, parent in enumerate(part.parents or ("",)):
            yield facts | {
                "parent": parent,
                "weight": _at(part.weights, place, 6),
                "error": _at(part.errors, place, 2),
                "alike": listed(part.alike[place]) if place < len(part.alike) else "",
            }


def _proof(part: Part, own: Mapping[str, Proof]) -> str:
    """Return the verdict of a part's own proof, of a component's parts the worst."""
    if part.block == WHOLE:
        return proved.verdict_of(own.values())
    found = own.get(part.block) or own.get(WHOLE)
    return found.verdict if found and part.is_sum else ""


def _at(values: tuple[float, ...] | None, place: int, digits: int) -> str:
    """Return one of some numbers to so many significant digits, or "" where there are none."""
    if values is None or place >= len(values):
        return ""
    return f"{values[place]:.{digits}g}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
