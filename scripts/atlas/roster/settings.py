"""The workflow's settings: found, and checked against their schema."""

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.paths import unusable
from atlas.basis.validation import (
    MOST_VALUES,
    TOO_MUCH,
    Fault,
    FaultyFileError,
    schema,
    schema_faults,
    show,
    unfolded,
)
from atlas.measures import DRAWABLE, SHOWN

OWN_ROSTER = Path("roster.yaml")
"""Taken where the settings name no roster, and it is in the working directory."""
NO_ROSTER = """\
There is no roster. Of your own checkpoints: make roster DIR=/path/to/checkpoints
Of small real models, with the demo's: make demo"""
NAME = "the configuration (config/config.yaml, --config)"


def typed(config: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the settings with numbers and truth values as such.

    Snakemake hands on what `--config` nests, as in 'distances={shards: 4}', as text alone.

    Raises
    ------
    AtlasError
        The settings unfold to too much.
    """
    if unfolded(config, _inside) > MOST_VALUES:
        raise AtlasError(f"{NAME}: {TOO_MUCH}")
    return {
        key: _typed(value) if isinstance(value, dict) else value for key, value in config.items()
    }


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if isinstance(value, str):
        plain = yaml.safe_load(value) if value.strip() else value
        return plain if isinstance(plain, int | float) or plain is None else value
    return value


def check(config: Mapping[str, Any]) -> None:
    """
    Check all settings.

    Raises
    ------
    AtlasError
        Every unknown key and every illegal value, each with the nearest valid name.
    """
    faults = schema_faults(dict(config), _rules())
    if not faults and config["plots"]["measure"] not in config["groups"]["matrices"]:
        found = config["plots"]["measure"]
        faults = [Fault(("plots", "measure"), found, "add it to groups › matrices")]
    if faults:
        raise FaultyFileError(NAME, faults)


def check_reference(config: Mapping[str, Any], models: Collection[str]) -> None:
    """
    Check that the model from which pictures are drawn is one of the roster's.

    Raises
    ------
    AtlasError
        It is none, with the nearest.
    """
    named = config["plots"]["reference"]
    if named is not None and models and named not in models:
        problem = f"no such model in the roster{nearest(named, models)}"
        raise FaultyFileError(NAME, [Fault(("plots", "reference"), show(named), problem)])


def _rules() -> dict[str, Any]:
    """Return the schema of the settings, with the measures that there are as legal values."""
    rules = schema("config")
    rules["$defs"] |= {
        "shown_measure": {"enum": list(SHOWN)},
        "drawable_measure": {"enum": DRAWABLE},
    }
    return rules


def roster_place(config: Mapping[str, Any], *, home: Path) -> Path | None:
    """
    Return the roster that the settings name, else the working directory's own, or None.

    Raises
    ------
    AtlasError
        The settings name one that is not there.
    """
    if config["roster"] is not None:
        return find(config["roster"], home=home)
    return OWN_ROSTER if OWN_ROSTER.is_file() else None


def find(path: str, *, home: Path) -> Path:
    """
    Return a configured file: below the working directory, else below the workflow's folder.

    Raises
    ------
    AtlasError
        The file is in neither.
    """
    places = (Path(path), home / path)
    for place in places:
        if os.path.isfile(place):  # noqa: PTH113 - False also of a name that is too long
            return place
    for place in places:
        if os.path.lexists(place):
            raise AtlasError(f"{path}: {unusable(place)}")
    folder = Path(path).parent
    hint = nearest(Path(path).name, (file.name for file in folder.glob("*.y*ml")))
    raise AtlasError(f"{path}: no such file here or in {home}{hint}")
