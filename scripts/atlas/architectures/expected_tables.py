"""
Write config/layouts/expected from the catalogue.

Run `PYTHONPATH=scripts python -m atlas.architectures.expected_tables`.

Every component is built on torch's meta device and its tensors are given canonical names as
those of a diffusers folder are. Equal structures share one file.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from atlas.architectures import build, catalogue
from atlas.basis.shipped import CONFIG
from atlas.names.components import part_of
from atlas.names.expected import FOLDER, INDEX, digest, shortened
from atlas.names.naming import Item, plan
from atlas.names.views import Shape

logger = logging.getLogger(__name__)


def canonical_shapes(architecture: str, component: str) -> dict[str, Shape]:
    """Return canonical names (without the component) and shapes of a catalogue's component."""
    return canonical_component(architecture, component)[1]


def canonical_component(architecture: str, component: str) -> tuple[str, dict[str, Shape]]:
    """
    Return what a catalogue's component is called in checkpoints, and its canonical shapes.

    That is its own name, but for an encoder that is known as another's second one: the only one
    of SDXL's refiner is SDXL's text_encoder_2.
    """
    module = build.component(catalogue.load(architecture), component)
    items = tuple(
        Item(name, component, tuple(tensor.shape), "f32" if tensor.is_floating_point() else "i64")
        for name, tensor in module.state_dict().items()
    )
    planned = [each for several in plan(items).tensors for each in several]
    called = component
    if component not in (names := {each.component for each in planned}):
        called = next(name for name in sorted(names) if part_of(name) == part_of(component))
    return called, {
        each.name.partition("/")[2]: each.shape for each in planned if each.component == called
    }


def tables() -> dict[str, Any]:
    """Return the contents of all files, by their paths within config."""
    structures: dict[str, dict[str, Any]] = {}
    for architecture in sorted(catalogue.names(), key=lambda name: (len(name), name)):
        for component in catalogue.load(architecture).components:
            called, shapes = canonical_component(architecture, component)
            known = structures.setdefault(digest(shapes), {"fits": {}, "shapes": shapes})
            known["fits"].setdefault(called, []).append(architecture)
            logger.info("%s: %s has %d tensors", architecture, component, len(shapes))
    files = {_file(known["fits"]): _table(known) for known in structures.values()}
    return files | {INDEX: {"digests": {key: known["fits"] for key, known in structures.items()}}}


def _file(fits: Mapping[str, list[str]]) -> str:
    component = min(fits, key=lambda name: (len(name), name))
    return f"{FOLDER}/{part_of(component)}.{fits[component][0]}.{component}"


def _table(known: Mapping[str, Any]) -> dict[str, Any]:
    fits: Mapping[str, list[str]] = known["fits"]
    component = min(fits, key=lambda name: (len(name), name))
    names = {name for several in fits.values() for name in several}
    return {
        "component": component,
        "architectures": sorted(names, key=lambda name: (len(name), name)),
        "shapes": shortened(known["shapes"]),
    }


def write(folder: Path = CONFIG) -> None:
    """Write all tables anew; the old ones are read until the new ones are made."""
    written = tables()
    for old in (folder / FOLDER).glob("*.yaml"):
        old.unlink()
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, table in written.items():
        text = yaml.safe_dump(table, sort_keys=False, default_flow_style=None, width=10_000)
        header = "# Written by python -m atlas.architectures.expected_tables\n"
        (folder / f"{name}.yaml").write_text(header + text, encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write()
