"""The files of a group, read for its page."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from atlas.names.components import DENOISERS, NETWORK
from atlas.pages.atlas_page import Step
from atlas.plots.words import COMPONENT_TITLES, counted, titled
from atlas.relations import matrices as matrix_files
from atlas.relations.group_matrices import COVERAGE
from atlas.relations.groups import ALL
from atlas.relations.matrices import Matrix

NO_FACTS: Mapping[str, Any] = {"path": "", "tags": (), "base": None, "recipe": None}
"""Of a model that is in published matrices alone."""
LINKS = (
    ("what is the same, in words", "identity.html"),
    ("which files could go", "duplicates.html"),
    ("plots for print", "plots"),
    ("matrices as CSV", "matrices"),
)
"""What lies beside the page of a group with weights."""
RECIPE_LINKS = (
    ("what was made from what", "recipes.html"),
    ("the lineage as a picture", "lineage.svg"),
    ("pictures of recipes", "recipes"),
)
"""What lies beside the page of any group, of its recipes."""
PUBLISHED = (
    "Published matrices: a 0 between two models can mean that they are identical, or that they were"
    " never compared.",
)
"""What is to be known of a group without weights."""
FIRST = (*DENOISERS, NETWORK)
"""Components that are shown first."""


def matrices(
    folder: Path,
    measures: Sequence[str],
    *,
    group: str,
    models: Sequence[str],
    labels: Mapping[str, str],
    base: str | None,
    ordered: bool,
    imported: bool,
) -> dict[str, list[Matrix]]:
    """
    Return a group's matrices by component, those of its denoiser first.

    Where no two models can be compared, there is one component of which nothing was compared.

    Raises
    ------
    AtlasError
        A file is no matrix.
    """
    found: dict[str, list[Matrix]] = {}
    facts: dict[str, Any] = {
        "group": group, "labels": labels, "base": base, "ordered": ordered,
        "ambiguous_zeros": imported,
    }  # fmt: skip
    stems = sorted(file.name.removesuffix(".l2.csv") for file in folder.glob("*.l2.csv"))
    for component in sorted(map(matrix_files.component_of, stems), key=_rank):
        stem = matrix_files.stem_of(component)
        cover = _coverage(folder / f"{stem}.{COVERAGE}.csv", component)
        read = [
            matrix_files.read(file, component=component, measure=measure, **facts)
            for measure in measures
            if (file := folder / f"{stem}.{measure}.csv").is_file()
        ]
        found[component] = [
            replace(matrix, coverage=None if cover is None else cover.values) for matrix in read
        ]
    return found or {ALL: [_nothing(measure, models, facts) for measure in measures]}


def _coverage(file: Path, component: str) -> Matrix | None:
    """Return which share of the parameters each number rests on; published matrices don't tell."""
    return (
        matrix_files.read(file, component=component, measure=COVERAGE) if file.is_file() else None
    )


def _rank(component: str) -> tuple[int, int, str]:
    """Return what sorts components: the denoiser, the others as in a pipeline, all together."""
    known = list(COMPONENT_TITLES)
    if component in FIRST:
        return 0, FIRST.index(component), component
    if component == ALL:
        return 2, 0, component
    return 1, known.index(component) if component in known else len(known), component


def _nothing(measure: str, models: Sequence[str], facts: Mapping[str, Any]) -> Matrix:
    size = len(models)
    return Matrix(
        ids=tuple(models),
        labels=tuple(facts["labels"].get(model, model) for model in models),
        values=np.full((size, size), np.nan),
        identical=np.zeros((size, size), dtype=bool),
        component=ALL,
        measure=measure,
        group=facts["group"],
        base=facts["base"],
        ordered=facts["ordered"],
    )


def title(group: str, count: int) -> str:
    """Return the title of a group's page."""
    return f"{group}: {counted(count, 'model')}"


def subtitle(found: Mapping[str, Sequence[Matrix]], *, base: str | None, ordered: bool) -> str:
    """Return what the page is of, in a line."""
    parts = [titled(component) for component in found if component != ALL]
    told = [", ".join(parts)] if parts else []
    told += [f"base: {base}"] if base else []
    told += ["in the order of making"] if ordered else []
    return " · ".join(told)


def recipes(file: Path) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Return what was found of recipes, and what is told of each model, as write_recipes has it."""
    told = json.loads(file.read_text(encoding="utf-8"))
    return told["findings"], told["models"]


def models(table: Path) -> pd.DataFrame:
    """Return a group's table of models; names stay names, as `null` may be one."""
    words = {"model": str, "component": str}
    return pd.read_csv(table, dtype=words, keep_default_na=False, na_values=[""])


def identity(table: Path) -> pd.DataFrame:
    """Return what pages need of an identity table; names stay names, as `null` may be one."""
    needed = [
        "a", "b", "component", "verdict", "what", "identical_tensors", "cast_tensors", "tensors",
        "only_a_tensors", "only_b_tensors", "raw_is_ema",
    ]  # fmt: skip
    words = dict.fromkeys(("a", "b", "component", "verdict", "what", "raw_is_ema"), "str")
    return pd.read_csv(table, dtype=words, keep_default_na=False)[needed]


def paths(file: Path, ids: Sequence[str]) -> dict[str, list[Step]]:
    """Return the steps of a group in the order of its making, by component."""
    place = {model: number for number, model in enumerate(ids)}
    found: dict[str, list[Step]] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            step = Step(
                before=place[row["from"]],
                after=place[row["to"]],
                l2=_number(row["l2"]),
                angle=_number(row["angle"]),
                from_first=_number(row["from_first"]),
                path=_number(row["path"]),
                root_sum_of_squares=_number(row["root_sum_of_squares"]),
                straightness=_number(row["straightness"]),
            )
            found.setdefault(row["component"], []).append(step)
    return found


def _number(text: str) -> float | None:
    return float(text) if text else None
