"""Pages of made-up groups, from a few models to a thousand, with what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pages import atlas_page
from atlas.pages.atlas_page import Card, Facet, Group, Holding, Step
from atlas.relations.matrices import Matrix

HURTING = '</script><script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">'
MEASURES = ("l2", "relative_l2", "cosine", "changed_fraction")
DTYPES = ("F16", "BF16", "F32")
TAGS = ("anime", "photo", "paint")


@dataclass(frozen=True, eq=False)
class Made:
    """A page, and the matrices that it was made of."""

    path: Path
    ids: Sequence[str]
    labels: Sequence[str]
    matrices: dict[str, list[Matrix]]


def walk(size: int, rng: np.random.Generator, width: int = 40) -> NDArray[np.float64]:
    """Return distances of models that descend from each other by steps of unlike sizes."""
    points = np.zeros((size, width))
    for row in range(1, size):
        step = rng.normal(size=width) * rng.choice([0.02, 0.2, 1.0])
        points[row] = points[rng.integers(0, row)] + step
    squared = (points**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squared[:, None] + squared - 2 * points @ points.T, 0))
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    return distances


def component(
    name: str,
    ids: Sequence[str],
    labels: Sequence[str],
    rng: np.random.Generator,
    distinct: int,
    **facts: Any,
) -> list[Matrix]:
    """Return a component's matrices; of so many distinct weights each model holds one."""
    size = len(ids)
    held = np.concatenate([np.arange(distinct), rng.integers(0, distinct, size - distinct)])
    between = walk(distinct, rng)
    identical = held[:, None] == held
    lacks = np.zeros(size, bool)
    if name.startswith("text") and size > 3:
        lacks[size - 1] = True
    values = between[np.ix_(held, held)]
    values[lacks] = values[:, lacks] = np.nan
    identical = identical & ~lacks[:, None] & ~lacks
    coverage = np.where(np.isnan(values), 0.0, 1.0)
    if size > 4:
        is_part = (held[:, None] == held[0]) & (held == held[1]) & ~np.isnan(values)
        coverage[is_part | is_part.T] = 0.93 if held[0] != held[1] else 1.0
    scaled = {
        "l2": 278.0 * values,
        "relative_l2": 0.0123 * values,
        "cosine": 1 - (0.0123 * values) ** 2 / 2,
        "changed_fraction": np.minimum(values / 30, 1.0),
    }
    return [
        Matrix(
            ids=tuple(ids),
            labels=tuple(labels),
            values=scaled[measure],
            identical=identical,
            component=name,
            measure=measure,
            coverage=coverage,
            **facts,
        )
        for measure in MEASURES
    ]


def made(
    path: Path,
    size: int,
    *,
    distinct: dict[str, int] | None = None,
    base: bool = True,
    ordered: bool = False,
    hurting: bool = False,
    parts: dict[str, str] | None = None,
    pairs: dict[str, Any] | None = None,
    **facts: Any,
) -> Made:
    """Write the page of a made-up group."""
    rng = np.random.default_rng(size)
    ids = [f"m{number:04}" for number in range(size)]
    labels = [f"Model {number} of the {TAGS[number % 3]} kind" for number in range(size)]
    if hurting:
        labels[1], labels[2] = HURTING, '\u202e\u0007evil, "quoted"\nlabel'
    wanted = distinct or {"unet": size, "vae": max(size // 9, 2), "text_encoder": max(size // 3, 2)}
    told = {"group": "made-up", "base": ids[0] if base else None, "ordered": ordered}
    matrices = {
        name: component(name, ids, labels, rng, count, **told) for name, count in wanted.items()
    }
    cards = {
        model: Card(
            path=f"models/{HURTING if hurting and row == 1 else model}.safetensors",
            tags=(TAGS[row % 3],),
            claim="fine-tune of m0000" if row == 3 else "",
            file_bytes=6_938_040_682 + row,
            bytes=6_938_000_000,
            problem="models/broken: the header ends early" if row == size - 1 and size > 4 else "",
            findings=(HURTING,)
            if hurting and row == 1
            else ("holds a UNet, but no VAE",)
            if row % 7 == 5
            else (),
            parts=[
                Holding(name, DTYPES[row % 3], 686, 859_520_964, "A" if row % 2 else "own")
                for name in wanted
            ],
            page=f"../../models/{model}.html",
        )
        for row, model in enumerate(ids)
    }
    facets = [
        Facet("tag", "tag", {model: cards[model].tags for model in ids}, is_colour=True),
        Facet(
            "dtype",
            "dtype",
            {model: [cards[model].parts[0].dtype] for model in ids},
            is_colour=True,
        ),
        Facet("component", "component", {model: list(wanted) for model in ids}),
    ]
    paths = None
    if ordered:
        paths = {
            name: [
                Step(at, at + 1, 1.5 + at, None if at == 0 else 30.0, 2.0 + at, 0.9)
                for at in range(size - 1)
            ]
            for name in wanted
        }
    atlas_page.write(
        path,
        Group(
            matrices=matrices,
            cards=cards,
            title=f"UNet: {size} made-up models",
            subtitle="made-up · for tests",
            measure="relative_l2",
            facets=facets,
            paths=paths,
            findings=["the VAE of 12 models is the same", HURTING if hurting else "nothing else"],
            links=[("identity", "identity.html")],
            parts=parts or {},
            pairs=pairs,
            **facts,
        ),
    )
    return Made(path, ids, labels, matrices)
