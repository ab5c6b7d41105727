"""A roster of models that are not there, for the plan of a run of so many."""

from __future__ import annotations

import copy
from collections.abc import Collection
from pathlib import Path
from typing import Any

from atlas.roster.reading import Group, Model, Roster

FOLDER = Path("resources") / "imagined_for_snakemake_plan"
"""Where the models are said to be: no rule makes it, so nothing but a plan can be made of them."""
GROUP = "all"


def roster(models: int, *, group: int | None = None) -> Roster:
    """
    Return a roster of so many models with one group, of the first so many or of all.

    >>> list(roster(3, group=2).models), roster(3, group=2).groups["all"].models
    (['m00000', 'm00001', 'm00002'], ('m00000', 'm00001'))
    """
    names = [f"m{number:05d}" for number in range(models)]
    entries = {name: Model(name, FOLDER / f"{name}.safetensors", label=name) for name in names}
    members = tuple(names[:group])
    groups = {GROUP: Group(GROUP, members)} if len(members) > 1 else {}
    return Roster(FOLDER / "roster.yaml", entries, groups, {})


def is_imagined(path: Path) -> bool:
    """Return whether a checkpoint is one of an imagined roster's."""
    return path.parent == FOLDER


def settings(config: dict[str, Any], *, present: Collection[str]) -> dict[str, Any]:
    """
    Return the settings as they can be without the roster's own models.

    Datasets and architectures that are made of its models are left out, and all groups embedded.
    """
    told = copy.deepcopy(config)
    told["activations"] = {}
    told["embeddings"]["groups"] = "all"
    told["embeddings"]["configurations"] = []
    for part, key in (("architectures", "names"), ("macs", "architectures")):
        if told[part][key] != "all" and set(told[part][key]) & set(present):
            told[part][key] = "all"
    return told
