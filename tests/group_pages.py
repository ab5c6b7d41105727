"""Pages of made-up groups, from a few models to a thousand, with what is true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from atlas.pages import atlas_page, group_files, identity_part, pair_parts
from atlas.pages.atlas_page import Card, Claimed, Facet, Group, Holding, Recipe, Step
from atlas.pages.cards import recipe_facet
from atlas.pages.packing import Packing
from atlas.relations.block_values import Blocks, Cell
from atlas.relations.matrices import Matrix
from atlas.relations.near_pairs import NearPairs, near_pairs
from atlas.relations.ranking import BESIDE, EDGES

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
            recipe=recipe(row, hurting=hurting),
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
        recipe_facet(cards),
    ]
    paths = None
    if ordered:
        paths = {
            name: [
                Step(
                    at,
                    at + 1,
                    1.5 + at,
                    None if at == 0 else 30.0,
                    2.0 + at,
                    3.0 + at,
                    2.5 + at,
                    0.9,
                )
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
            recipes=[f"Model 3 = 0.7 × Model 1 + 0.3 × {HURTING if hurting else 'Model 2'}."],
            recipe_links=group_files.RECIPE_LINKS,
            parts=parts or {},
            pairs=pairs,
            **facts,
        ),
    )
    return Made(path, ids, labels, matrices)


def recipe(row: int, *, hurting: bool) -> Recipe | None:
    """Return what a made-up model was made from; of the first nothing is known."""
    if row == 0:
        return None
    if row % 3:
        return Recipe("no recipe", [("UNet", "no recipe found (nearest: Model 0)")])
    parent = HURTING if hurting else "Model 2"
    return Recipe(
        "merge",
        [("UNet", f"0.7 × Model 1 + 0.3 × {parent}, proved bit for bit"), ("VAE", "the same")],
        baked=[f"LoRA of rank 8 baked into the VAE of {parent}"],
        claims=[Claimed("roster recipe", "weighted sum of m0001", "contradicted", "m0002 0.3")],
    )


UNET = [*(f"IN{n:02}" for n in range(9)), "MID", *(f"OUT{n:02}" for n in range(9)), "outside"]
ENCODERS = {"text_encoder": 12, "text_encoder_2": 32}
ROLES = {
    "unet": ("self_attention", "cross_attention", "feed_forward", "norm", "convolution"),
    "vae": ("norm", "convolution"),
    "text_encoder": ("self_attention", "feed_forward", "norm"),
    "text_encoder_2": ("self_attention", "feed_forward", "norm"),
}
MOST_TENSORS = 20


def blocks_of(component: str) -> list[str]:
    """Return the blocks of SDXL's components."""
    if component == "unet":
        return UNET
    layers = ENCODERS.get(component, 9)
    return [*(f"layers.{number}" for number in range(layers)), "embeddings"]


def sdxl(path: Path, size: int, most: int) -> Made:
    """
    Write the page of a group of SDXL models that share no component but the VAE.

    All that a page of real models has is there: matrices of five components in four measures,
    verdicts with their words, and blocks, tensors and histograms of at most so many pairs.
    """
    rng = np.random.default_rng(size)
    distinct = {"unet": size, "text_encoder": size, "text_encoder_2": size, "vae": 20, "all": size}
    ids = tuple(f"m{number:04}" for number in range(size))
    told = {
        name: component(name, ids, ids, rng, count)[1] for name, count in {"unet": size}.items()
    }
    pairs = near_pairs(told, ids[0], most)
    parts = {
        f"blocks-{place}": pair_parts.blocks_part(_made_up_blocks(name, pairs, rng, distinct[name]))
        for place, name in enumerate(distinct)
        if name in ROLES
    }
    parts["tensors"] = pair_parts.tensors_part(_made_up_tensors(pairs, rng), pairs)
    parts["spread"] = pair_parts.spread_part(_made_up_spread(pairs, rng), pairs)
    parts["identity"] = identity_part.packed(*_made_up_identity(ids, pairs, rng))
    packing = Packing()
    facts: dict[str, Any] = {"is_all": pairs.are_all, "linked": False, "said": "not these"}
    if not pairs.are_all:
        facts |= {"one": packing.add(pairs.first), "other": packing.add(pairs.second)}
    return made(path, size, distinct=distinct, parts=parts, pairs=facts, packing=packing)


def _made_up_blocks(name: str, pairs: NearPairs, rng: np.random.Generator, distinct: int) -> Blocks:
    roles = ("*", *ROLES[name])
    parts = tuple((block, role) for block in ("*", *blocks_of(name)) for role in roles)
    held = np.minimum(np.arange(len(pairs.ids)), distinct - 1)
    one, other = held[pairs.first], held[pairs.second]
    columns = distinct * (distinct + 1) // 2
    values = 0.01 * rng.lognormal(sigma=0.7, size=(len(parts), columns))
    at = np.minimum(one, other) * distinct - np.minimum(one, other) + np.maximum(one, other)
    at = np.minimum(at, columns - 1)
    status = np.full((len(parts), columns), Cell.MEASURED, np.uint8)
    same = one == other
    told = np.where(same, np.nan, values[:, at])
    return Blocks(parts, told, np.where(same, Cell.IDENTICAL, status[:, at]).astype(np.uint8))


def _made_up_tensors(pairs: NearPairs, rng: np.random.Generator) -> pa.Table:
    rows = np.repeat(np.arange(len(pairs)), MOST_TENSORS)
    names = [f"unet/down_blocks.{number}.attentions.0.to_q.weight" for number in range(2500)]
    words = {
        "component": pa.array(["unet"]),
        "block": pa.array(["IN04"]),
        "role": pa.array(["norm"]),
    }
    columns = {
        **_made_up_ends(pairs, rows),
        "rank": pa.array(np.tile(np.arange(1, MOST_TENSORS + 1, dtype=np.int32), len(pairs))),
        "name": pa.DictionaryArray.from_arrays(
            pa.array(rng.integers(0, len(names), len(rows)), pa.int32()), pa.array(names)
        ),
        **{
            name: pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), np.int32)), held)
            for name, held in words.items()
        },
        "relative_l2": pa.array(0.01 * rng.lognormal(size=len(rows))),
    }
    return pa.table(columns)


def _made_up_spread(pairs: NearPairs, rng: np.random.Generator) -> pa.Table:
    names = list(ROLES)
    rows = np.repeat(np.arange(len(pairs)), len(names))
    bins = rng.multinomial(600, rng.dirichlet(np.ones(6), len(rows))).astype(np.int32)
    counts = np.zeros((len(rows), len(EDGES) - 1), np.int32)
    counts[:, 6:12] = bins
    starts = np.arange(len(rows) + 1, dtype=np.int32) * counts.shape[1]
    return pa.table(
        {
            **_made_up_ends(pairs, rows),
            "component": pa.DictionaryArray.from_arrays(
                pa.array(np.tile(np.arange(len(names), dtype=np.int32), len(pairs))),
                pa.array(names),
            ),
            **{name: pa.array(np.full(len(rows), 3, np.int32)) for name in BESIDE},
            "bins": pa.ListArray.from_arrays(pa.array(starts), pa.array(counts.ravel())),
        }
    )


def _made_up_ends(pairs: NearPairs, rows: NDArray[np.intp]) -> dict[str, pa.Array]:
    models = pa.array(pairs.ids)
    return {
        side: pa.DictionaryArray.from_arrays(pa.array(places[rows]), models)
        for side, places in (("a", pairs.first), ("b", pairs.second))
    }


def _made_up_identity(
    ids: Sequence[str], pairs: NearPairs, rng: np.random.Generator
) -> tuple[pd.DataFrame, Sequence[str], NDArray[np.int32]]:
    first, second = np.triu_indices(len(ids), 1)
    names = list(ROLES)
    count = len(first) * len(names)
    changed = rng.integers(1, 700, count)
    frame = pd.DataFrame(
        {
            "a": np.repeat(np.array(ids)[first], len(names)),
            "b": np.repeat(np.array(ids)[second], len(names)),
            "component": np.tile(names, len(first)),
            "verdict": "changed",
            "what": [f"{number} of 700 tensors changed" for number in changed],
        }
    )
    size = len(ids)
    told = np.full(len(first), -1, np.int32)
    one = pairs.first.astype(np.int64)
    told[one * size - one * (one + 1) // 2 + pairs.second - one - 1] = np.arange(len(pairs))
    return frame, ids, told
