"""Key layouts: which one a file has, and what it makes of each key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from atlas.basis.shipped import CONFIG, load
from atlas.names import openai_unet
from atlas.names.rules import Rules
from atlas.names.views import Shape, View


@dataclass(frozen=True)
class Layout:
    """One way in which published checkpoints name the tensors of a component."""

    name: str
    part: str
    """denoiser, vae, text_encoder or controlnet."""
    component: str
    marks: tuple[frozenset[str], ...]
    lacks: frozenset[str]
    keeps_names: bool
    stands_alone: bool
    """Whether a file without prefixes or folders may be in it."""
    modules: Mapping[str, Any]
    where: Mapping[str, list[str]]
    elements: Mapping[str, str]

    def fits(self, keys: Mapping[str, Shape]) -> bool:
        """Tell whether keys are in this layout."""
        if any(key in keys for key in self.lacks):
            return False
        return any(all(key in keys for key in marks) for marks in self.marks)

    def views(self, shapes: Mapping[str, Shape]) -> dict[str, list[View] | None]:
        """
        Return the canonical tensors of each key.

        An empty list is a tensor of no component, None a key that the layout does not know.
        """
        modules = self.modules
        if openai_unet.INNER[0] in self.modules:
            modules = openai_unet.modules(shapes, self.modules)
        rules = _rules(self.name) if modules is self.modules else Rules(modules, {}, {})
        last = _last_numbers(shapes)
        found = {key: rules.views(key, shapes, last) for key in shapes}
        if self.keeps_names:
            return {k: [View(k)] if views is None else views for k, views in found.items()}
        return found


@cache
def layouts() -> tuple[Layout, ...]:
    """Return all layouts, in order of their names."""
    files = sorted((CONFIG / "layouts").glob("*.yaml"))
    return tuple(layout(file.stem) for file in files)


@cache
def layout(name: str) -> Layout:
    """Return one layout by its file's name."""
    facts = load(f"layouts/{name}")
    inherited = layout(facts["extends"]) if "extends" in facts else None
    return Layout(
        name=name,
        part=facts["part"],
        component=facts["component"],
        marks=tuple(frozenset(marks) for marks in facts["marks"]),
        lacks=frozenset(facts.get("lacks", ())),
        keeps_names=bool(facts.get("keep", False)),
        stands_alone=bool(facts.get("alone", True)),
        modules=(inherited.modules if inherited else {}) | facts["modules"],
        where=(inherited.where if inherited else {}) | facts.get("where", {}),
        elements=(inherited.elements if inherited else {}) | facts.get("elements", {}),
    )


def find(keys: Mapping[str, Shape], part: str | None = None) -> Layout | None:
    """Return the layout that keys are in, of one part if that is known."""
    candidates = (k for k in layouts() if k.part == part or (part is None and k.stands_alone))
    return next((known for known in candidates if known.fits(keys)), None)


@cache
def _rules(name: str) -> Rules:
    known = layout(name)
    return Rules(known.modules, known.where, known.elements)


def _last_numbers(keys: Iterable[str]) -> dict[str, int]:
    """Return the highest number that follows each stem, as in {"decoder.up": 3}."""
    last: dict[str, int] = {}
    for key in keys:
        parts = key.split(".")
        for view, part in enumerate(parts):
            if part.isdigit():
                stem = ".".join(parts[:view])
                last[stem] = max(last.get(stem, 0), int(part))
    return last
