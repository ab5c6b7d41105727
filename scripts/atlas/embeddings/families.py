"""Kinds of text encoders: how each is known by its tensors, configured and read."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from atlas.basis.shipped import load
from atlas.networks.fitting import POSITIONS

NAMING = frozenset(
    {
        "_class_name",
        "_name_or_path",
        "architectures",
        "dtype",
        "torch_dtype",
        "transformers_version",
    }
)
"""Keys of a configuration that change nothing of what a network computes."""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Family:
    """One kind; config/embeddings/families.yaml tells what each key means."""

    name: str
    title: str
    embedding: str
    """The tensor of token embeddings, (vocabulary, width), without the component's name."""
    numbers: Mapping[str, tuple[str, int]]
    layers: tuple[str, str]
    forms: tuple[str, ...]
    pads: bool
    beside: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    projection: str | None = None
    padding: Mapping[str, Any] | None = None
    tokenizer: str | None = None

    def has(self, name: str) -> bool:
        """Tell whether a tensor is of the text half, and no numbers that follow from its length."""
        return POSITIONS not in name and not name.startswith(self.beside)

    def misfit(self, config: Mapping[str, Any], shapes: Shapes) -> str | None:
        """
        Return in what a configuration and the shapes of tensors differ, or None.

        What the configuration is silent of fits.
        """
        for key, value in self.numbers_of(shapes).items():
            if key in config and config[key] != value:
                return f"{key} is {config[key]}, and the weights have {value}"
        return None

    def borrowed(self, config: Mapping[str, Any], shapes: Shapes) -> Mapping[str, Any] | None:
        """Return another model's configuration, made to fit in what is counted, or None."""
        numbers = self.numbers_of(shapes)
        made = {**config, **{key: numbers[key] for key in self.counted if key in numbers}}
        return made if self.misfit(made, shapes) is None else None

    def numbers_of(self, shapes: Shapes) -> dict[str, int]:
        """Return the numbers of a configuration that shapes bear out."""
        told = {
            key: shapes[name][axis] for key, (name, axis) in self.numbers.items() if name in shapes
        }
        return told | {self.layers[0]: self.count_layers(shapes)}

    def count_layers(self, names: Collection[str]) -> int:
        """Return the number of layers that tensors are of."""
        start = self.layers[1]
        return len({name[len(start) :].split(".")[0] for name in names if name.startswith(start)})

    def state_of(self, config: Mapping[str, Any]) -> str:
        """Return a digest of what a configuration decides beyond the weights."""
        if self.settings is None:
            kept = {key: value for key, value in config.items() if key not in NAMING}
        else:
            kept = {key: config.get(key, usual) for key, usual in self.settings.items()}
        told = json.dumps(kept, sort_keys=True)
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


@cache
def families() -> tuple[Family, ...]:
    """Return all kinds that there are."""
    return tuple(_family(name, facts) for name, facts in load("embeddings/families").items())


def _family(name: str, facts: Mapping[str, Any]) -> Family:
    shaped = {
        "numbers": {key: (tensor, axis) for key, (tensor, axis) in facts["numbers"].items()},
        "layers": tuple(facts["layers"]),
        "forms": tuple(facts["forms"]),
        "beside": tuple(facts.get("beside", ())),
        "counted": tuple(facts.get("counted", ())),
    }
    return Family(name=name, **{**facts, **shaped})


def family_of(names: Collection[str]) -> Family | None:
    """Return the kind that a component's tensors are of, by their names; None for no known one."""
    return next((family for family in families() if family.embedding in names), None)


def family(name: str) -> Family:
    """Return the kind of a name."""
    return next(each for each in families() if each.name == name)


def settings_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a configuration says of its text encoder: where it sees too, of that half."""
    nested = config.get("text_config")
    return nested if isinstance(nested, Mapping) else config
