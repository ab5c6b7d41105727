"""Recognise the architecture of each component, or say what comes nearest and what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import load
from atlas.names import expected
from atlas.names.components import CONTROLNET, DENOISERS, EMA, part_of
from atlas.names.expected import Expected
from atlas.names.views import Shape

ALIKE = 0.5
"""Share of names in common from which a component is called a variant of an architecture."""

SAME_BLOCKS = 0.9
"""Share of patterns in common from which only the numbers of blocks are called different."""

CANDIDATES = 3
"""Nearest architectures that a finding names."""

Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class Likeness:
    """A component held against what is expected of an architecture's."""

    table: Expected
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    reshaped: tuple[str, ...]
    common: int
    pattern_share: float
    """Names in common among all names of both, whatever the numbers in them."""

    @property
    def share(self) -> float:
        """Names in common among all names of both."""
        return self.common / (self.common + len(self.missing) + len(self.surplus))


def check_architecture(name: str | None) -> None:
    """Raise AtlasError where a roster's architecture is none of the catalogue."""
    if name is not None and name not in (known := expected.architectures()):
        raise AtlasError(
            f"{name}: no architecture of this name{nearest(name, known)} "
            f"(generic, or one of {', '.join(known)})"
        )


def recognised(
    components: Mapping[str, Shapes], architecture: str | None = None
) -> tuple[dict[str, str], list[str]]:
    """
    Return the architecture of each component that fits one, and findings about the others.

    Parameters
    ----------
    components
        Canonical names (without the component) and shapes, by component.
    architecture
        What the roster says; components are then held against that one alone.
    """
    found: dict[str, str] = {}
    findings = []
    weighed = [c for c in components if part_of(c) not in (None, CONTROLNET)]
    for component in sorted(weighed, key=lambda name: name not in DENOISERS):
        fits = fitting(components[component])
        preferred = [architecture] if architecture else [*found.values(), *fits]
        chosen = next((name for name in preferred if name in fits), None)
        if chosen:
            found[component] = chosen
        elif not _is_plain_copy(component, components):
            findings.append(_finding(component, components[component], architecture))
    # What is recognised is known to take what it takes: the name says so.
    unknown = [name for name in DENOISERS if name in components and name not in found]
    findings += [each for name in unknown for each in _takes(name, components)]
    return found, findings


def _takes(component: str, components: Mapping[str, Shapes]) -> list[str]:
    """Say what a denoiser takes beside the latent, where its channels tell."""
    shapes = components[component]
    return [
        f"{component}: {fact['what']}"
        for fact in load("names/inputs")["inputs"]
        if fact["component"] == component and _is_matrix(shapes, fact["first"], fact["last"])
        if shapes[fact["first"]][1] == fact["times"] * shapes[fact["last"]][0] + fact["plus"]
    ]


def _is_matrix(shapes: Shapes, *names: str) -> bool:
    return all(len(shapes.get(name, ())) > 1 for name in names)


def _is_plain_copy(component: str, components: Mapping[str, Shapes]) -> bool:
    """Tell whether a training copy has just the tensors of its network, of which all is said."""
    return component == EMA and any(
        shapes == components[EMA] for other, shapes in components.items() if other != EMA
    )


def fitting(shapes: Shapes) -> list[str]:
    """Return the architectures of which a component has just these names and shapes."""
    fits = expected.exact(shapes)
    return [name for names in fits.values() for name in names]


def likenesses(shapes: Shapes, tables: Iterable[Expected]) -> list[Likeness]:
    """
    Return how near a component comes to each table, the nearest first.

    Among equally near ones that of the shortest name comes first: the one that others are made of.
    """
    alike = [_likeness(shapes, table) for table in tables]
    return sorted(alike, key=_rank)


def _rank(alike: Likeness) -> tuple[float, float, int, int, str]:
    name = alike.table.architectures[0]
    share = -round(alike.pattern_share, 2)
    return share, -alike.share, len(alike.reshaped), len(name), name


def _likeness(shapes: Shapes, table: Expected) -> Likeness:
    common = [name for name in shapes if name in table.shapes]
    here, there = expected.patterns(shapes), expected.patterns(table.shapes)
    return Likeness(
        table=table,
        missing=tuple(sorted(name for name in table.shapes if name not in shapes)),
        surplus=tuple(sorted(name for name in shapes if name not in table.shapes)),
        reshaped=tuple(name for name in common if shapes[name] != table.shapes[name]),
        common=len(common),
        pattern_share=len(here & there) / len(here | there),
    )


def _finding(component: str, shapes: Shapes, architecture: str | None) -> str:
    part = part_of(component)
    tables = expected.tables(part) if part else ()
    if architecture:
        tables = tuple(table for table in tables if architecture in table.architectures)
    ranked = likenesses(shapes, tables)
    if not ranked or not ranked[0].common:
        return f"{component}: fits no known architecture"
    if ranked[0].share >= ALIKE or ranked[0].pattern_share >= SAME_BLOCKS:
        return f"{component}: {_difference(ranked[0], shapes, architecture)}"
    if architecture:
        return f"{component}: not that of {architecture} ({ranked[0].common} names in common)"
    names = ", ".join(
        f"{each.table.architectures[0]} ({each.common} of {len(each.table.shapes)} names)"
        for each in ranked[:CANDIDATES]
    )
    return f"{component}: fits no known architecture; nearest are {names}"


def _difference(nearest_one: Likeness, shapes: Shapes, architecture: str | None) -> str:
    table = nearest_one.table
    name = architecture or table.architectures[0]
    total = len(table.shapes)
    if nearest_one.common == total == len(shapes) and len(nearest_one.reshaped) > total / 2:
        return f"built like {name} ({total} of {total} names), at other widths"
    if nearest_one.share < ALIKE:
        return (
            f"built like {name}, with other numbers of blocks ({len(shapes)} tensors, not {total})"
        )
    told = []
    if nearest_one.missing:
        told.append(f"{len(nearest_one.missing)} of {total} missing ({_some(nearest_one.missing)})")
    if nearest_one.surplus:
        told.append(f"{len(nearest_one.surplus)} besides ({_some(nearest_one.surplus)})")
    if nearest_one.reshaped:
        first = nearest_one.reshaped[0]
        told.append(
            f"{len(nearest_one.reshaped)} of other shape ({first} is {list(shapes[first])} "
            f"instead of {list(table.shapes[first])})"
        )
    return f"nearly {name}: {'; '.join(told)}"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")
