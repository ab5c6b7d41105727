"""The table of claims: a row for each model, source, kind, component, block and parent."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from atlas.basis.errors import AtlasError, printable
from atlas.claims.claim import Claim, Kind, Parent

COLUMNS = (
    "model",
    "source",
    "kind",
    "component",
    "block",
    "parent",
    "parent_model",
    "how",
    "weight",
    "inherited",
    "order",
    "detail",
)


def as_csv(claims: Mapping[str, Sequence[Claim]]) -> str:
    """Return claims by model as a table with a header; a claim without parents has one row."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for model, said in claims.items():
        for claim in said:
            rows.writerows(_row(model, claim, parent) for parent in claim.parents or (None,))
    return text.getvalue()


def read(path: Path) -> dict[str, list[Claim]]:
    """
    Return the claims of each model that has any, as `as_csv` wrote them.

    Raises
    ------
    AtlasError
        Where the file is no such table.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise AtlasError(f"{path}: no table of claims; delete it, and run again")
        parts: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in rows:
            of = tuple(row[name] for name in ("model", "source", "kind", "component", "block"))
            parts.setdefault(of, []).append(row)
    claims: dict[str, list[Claim]] = {}
    for (model, *_), members in parts.items():
        claims.setdefault(model, []).append(_claim(members))
    return claims


def _row(model: str, claim: Claim, parent: Parent | None) -> list[str]:
    return [
        model,
        claim.source,
        claim.kind,
        claim.component,
        claim.block,
        printable(parent.name) if parent else "",
        parent.model if parent else "",
        parent.how if parent else "",
        _number(parent.weight if parent else None),
        "true" if claim.inherited else "false",
        _number(claim.order),
        printable(claim.detail),
    ]


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _claim(rows: Iterable[Mapping[str, str]]) -> Claim:
    members = list(rows)
    first = members[0]
    return Claim(
        source=first["source"],
        kind=Kind(first["kind"]),
        component=first["component"],
        block=first["block"],
        parents=tuple(
            Parent(
                name=row["parent"],
                weight=float(row["weight"]) if row["weight"] else None,
                model=row["parent_model"],
                how=row["how"],
            )
            for row in members
            if row["parent"]
        ),
        order=float(first["order"]) if first["order"] else None,
        detail=first["detail"],
        inherited=first["inherited"] == "true",
    )
