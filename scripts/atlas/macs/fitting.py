"""Fit the formulas of one architecture to counts at a few small sizes on the meta device."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import product
from math import lcm, prod
from typing import Any

import torch

from atlas.architectures import build, inputs, memory
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import Count, count
from atlas.architectures.memory import LiveBytes
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.sizes import text_tokens
from atlas.basis.errors import AtlasError
from atlas.macs.formulas import ATTENDED, MOVED, SQUARE, Formula
from atlas.macs.polynomials import Point, Polynomial, envelope, fit, total

logger = logging.getLogger(__name__)

FITTED = ((8, 8), (16, 8), (16, 16), (24, 16), (32, 24), (24, 8))
"""Sides in multiples of what the model can make: even at every level of a UNet."""
ENOUGH = (2, 3, len(FITTED))
"""Points of the fit: few are enough where each product depends on tokens in a simple way."""
UNALIGNED = ((13, 5), (11, 3))
"""Sides of the checks, oblong and odd: 65 and 33 tokens tell all steps below apart."""
COARSER = (2, 4, 8, 16)
"""Multiples of the multiple, where a formula is exact on coarser sizes alone."""
STEPS = (1, 16, 32, 64, 128, 256)
"""Multiples of tokens that models are known to pad to."""
TEXTS = (64, 96, 32, 128, 160, 224)
ODD_TEXTS = (65, 33)
CHECKED_BATCH = 2

Entry = tuple[str, str]
"""A module's dotted path, and the kind of its products, MOVED or ATTENDED."""
Fitted = Mapping[Entry, Polynomial]


@dataclass(frozen=True)
class Place:
    """At what a call is counted."""

    point: Point
    size: tuple[int, int] | None
    """In pixels; None for a text encoder."""
    batch: int = 1

    def __str__(self) -> str:
        """Tell it in a table."""
        image, text = self.point
        shown = f"{self.size[0]} x {self.size[1]} pixels" if self.size else f"{image} tokens"
        told = f", {text} text tokens" if text else ""
        return f"{shown}{told}, batch {self.batch}"


Counted = tuple[Place, Count]
Counter = Callable[[Place], Count]


@dataclass
class Known:
    """What one architecture leaves for the next: shapes, and formulas of equal components."""

    remembered: RememberedShapes = field(default_factory=RememberedShapes)
    formulas: dict[str, Formula] = field(default_factory=dict)


def formulas(architecture: Architecture, known: Known) -> Iterator[Formula]:
    """Yield a formula for each call of an image: the denoiser's, text encoders', VAE's decode."""
    calls = [(architecture.denoiser_name, "forward")]
    calls += [(name, "forward") for name in architecture.text_encoders]
    calls += [("vae", "decode")] if "vae" in architecture.components else []
    for component, call in calls:
        key = f"{call} {architecture.described(component)}"
        if key not in known.formulas:
            known.formulas[key] = _safely(architecture, component, call, known)
        yield replace(known.formulas[key], component=component)


def _safely(architecture: Architecture, component: str, call: str, known: Known) -> Formula:
    """Return a formula, or what is in its way: models' code raises whatever it likes."""
    try:
        return _fitted(architecture, component, call, known)
    except Exception as error:
        problem = (
            str(error) if isinstance(error, AtlasError) else f"{type(error).__name__}: {error}"
        )
        logger.error("%s: no formula for %s: %s", architecture.name, component, problem)
        class_name = architecture.components[component].class_name
        return Formula(component, class_name, call, "", problem=problem)


def _fitted(architecture: Architecture, component: str, call: str, known: Known) -> Formula:
    module = build.component(architecture, component)
    places = _Places(architecture, component)
    method = None if call == "forward" else call

    def counted(place: Place) -> Count:
        made = places.arguments(place)
        return count(module, made, method=method, remembered=known.remembered)

    formula = Formula(
        component=component,
        class_name=architecture.components[component].class_name,
        call=call,
        variable=places.variable,
        parameters=build.parameters(module),
        buffers=build.buffers(module),
        largest=max(map(_own, module.modules())),
        side_multiple=places.multiple,
    )
    counts: list[Counted] = []
    problem = "no few sizes are possible that it could be fitted to"
    for wanted in ENOUGH:
        for place in places.fitted()[len(counts) : wanted]:
            counts.append((place, counted(place)))
        fitted = _fits(counts)
        if fitted is not None:
            weights = _weights(counts[0][1])
            verified = _verified(replace(formula, weights=weights), fitted, places, counted)
            if not verified.problem:
                run = partial(_live, module, method, places, known.remembered)
                return _with_memory(verified, places, run)
            problem = verified.problem
    return replace(formula, problem=problem)


def _entries(found: Count) -> dict[Entry, int]:
    """Return what is fitted on its own: products by module and kind, and elements by module."""
    entries: dict[Entry, int] = {}
    for (path, kind), macs in found.macs.items():
        entries[path, kind] = macs
    entries["", ATTENDED] = found.attention_elements
    for call in found.layers:
        key = call.path, MOVED
        entries[key] = entries.get(key, 0) + prod(call.received) + prod(call.returned)
    return entries


def _weights(found: Count) -> int:
    """Return the elements of the weights that the calls of layers read."""
    return sum(_own(call.layer) for call in found.layers)


def _own(layer: torch.nn.Module) -> int:
    """Return the elements of a layer's own parameters."""
    return sum(parameter.numel() for parameter in layer.parameters(recurse=False))


def _fits(counts: Sequence[Counted]) -> dict[Entry, Polynomial] | None:
    """Return a polynomial for each entry; None where some have none."""
    points = [place.point for place, _ in counts]
    tables = [_entries(found) for _, found in counts]
    known: dict[tuple[int, ...], Polynomial | None] = {}
    fitted = {}
    for entry in dict.fromkeys(entry for table in tables for entry in table):
        values = tuple(table.get(entry, 0) for table in tables)
        if values not in known:
            known[values] = fit(points, values)
        polynomial = known[values]
        if polynomial is None:
            return None
        fitted[entry] = polynomial
    return fitted


def _verified(formula: Formula, fitted: Fitted, places: "_Places", counted: Counter) -> Formula:
    """Check a formula at sizes that were not used: padding and coarser sizes are found out."""
    odd = [(place, counted(place)) for place in places.unaligned()[:1]]
    if made := _agreeing(formula, fitted, odd):
        return made
    odd += [(place, counted(place)) for place in places.unaligned()[1:]]
    for steps in product(STEPS, STEPS):
        if made := _agreeing(replace(formula, steps=steps), fitted, odd):
            return made
    for factor in COARSER if places.multiple else ():
        coarse = [(place, counted(place)) for place in places.coarse(factor)]
        multiple = factor * places.multiple
        if made := _agreeing(replace(formula, side_multiple=multiple), fitted, coarse):
            return made
    return replace(formula, problem="its products are no polynomial of tokens")


def _agreeing(formula: Formula, fitted: Fitted, checks: Sequence[Counted]) -> Formula | None:
    """
    Return the formula where every entry has the counted value at every check; else None.

    An entry that a batch does not multiply, such as a table of positions, is shared by it.
    """
    tables = [(place, _entries(found)) for place, found in checks]
    if not tables or any(set(table) - set(fitted) for _, table in tables):
        return None
    own: dict[str, list[Polynomial]] = {}
    shared: dict[str, list[Polynomial]] = {}
    for entry, polynomial in fitted.items():
        pairs = [
            (polynomial.at(formula.padded(*place.point)), place.batch, table.get(entry, 0))
            for place, table in tables
        ]
        if all(batch * value == macs for value, batch, macs in pairs):
            own.setdefault(entry[1], []).append(polynomial)
        elif all(value == macs for value, _, macs in pairs):
            shared.setdefault(entry[1], []).append(polynomial)
        else:
            return None
    return replace(
        formula,
        image={name: total(parts) for name, parts in own.items()},
        shared={name: total(parts) for name, parts in shared.items()},
        checked=tuple(str(place) for place, _ in checks),
    )


class _Places:
    """Which sizes and texts one call is counted at."""

    def __init__(self, architecture: Architecture, component: str) -> None:
        self._entry, self._component = architecture, component
        self._is_text = component in architecture.text_encoders
        self._is_denoiser = component == architecture.denoiser_name
        self.multiple = 0 if self._is_text else architecture.latent.pixel_multiple
        levels = architecture.denoiser.config.get("down_block_types")
        if self._is_denoiser and levels:
            # Sides that do not halve evenly at every level are rounded on the way.
            even = architecture.latent.downsampling * 2 ** (len(levels) - 1)
            self.multiple = lcm(self.multiple, even)
        self.variable = (
            "text tokens"
            if self._is_text
            else "image tokens"
            if self._is_denoiser and architecture.latent.patch > 1
            else "latent pixels"
        )

    def fitted(self) -> list[Place]:
        """Return the places of the fit, first those that mostly are enough."""
        if self._is_text:
            return self._encoder(TEXTS)
        sizes = [(self.multiple * one, self.multiple * other) for one, other in FITTED]
        return self._images(sizes, TEXTS, batch=1)

    def unaligned(self) -> list[Place]:
        """Return the places of the checks: the first with a batch."""
        if self._is_text:
            return [replace(place, batch=CHECKED_BATCH) for place in self._encoder(ODD_TEXTS)]
        return self.scaled(UNALIGNED, 1)

    def coarse(self, factor: int) -> list[Place]:
        """Return places of sides that are odd multiples of a coarser multiple."""
        return self.scaled(((3, 5), (7, 1)), factor)

    def scaled(self, sides: Sequence[tuple[int, int]], factor: int) -> list[Place]:
        """Return places at sides in multiples, those that are possible, the first with a batch."""
        unit = self.multiple * factor
        return self._images(
            [(unit * one, unit * other) for one, other in sides], ODD_TEXTS, CHECKED_BATCH
        )

    def _images(
        self, sizes: Sequence[tuple[int, int]], texts: Sequence[int], batch: int
    ) -> list[Place]:
        largest = self._entry.largest
        if self._is_denoiser and self._entry.denoiser.class_name in SQUARE:
            sizes = [(side, side) for side in dict.fromkeys(max(size) for size in sizes)]
        if self._is_denoiser:
            # The model's own size is left out: it alone needs no new table of positions.
            sizes = [size for size in sizes if size != self._entry.native_size]
        possible = [size for size in sizes if largest is None or max(size) <= largest]
        found = []
        for size, text in zip(possible, texts, strict=False):
            columns, rows = self._entry.latent_size(*size)
            image = self._entry.image_tokens(*size) if self._is_denoiser else columns * rows
            found.append(Place((image, self._text(text)), size, batch))
        return found

    def _text(self, wanted: int) -> int:
        text = self._entry.text
        if text is None or not self._is_denoiser:
            return 0
        return max(text.least, min(wanted, text.most or wanted))

    def _encoder(self, lengths: Sequence[int]) -> list[Place]:
        most = self._entry.components[self._component].most_tokens
        fitting = (
            lengths if most is None else [min(n, most - 3 * at) for at, n in enumerate(lengths)]
        )
        return [Place((length, 0), None) for length in dict.fromkeys(fitting) if length > 0]

    def arguments(self, place: Place) -> dict[str, Any]:
        """Return the keyword arguments of the call at a place."""
        if place.size is None:
            return inputs.text_encoder(
                self._entry, self._component, batch=place.batch, tokens=place.point[0]
            )
        width, height = place.size
        size: dict[str, Any] = {"width": width, "height": height, "batch": place.batch}
        if self._is_denoiser:
            return inputs.denoiser(self._entry, **size, text_length=place.point[1] or None)
        return inputs.vae_decode(self._entry, **size)

    def usual(self, places: Sequence[Place]) -> list[Place]:
        """Return places with the usual text, for memory."""
        text = text_tokens(self._entry, None) if self._is_denoiser else 0
        return [replace(place, point=(place.point[0], text)) for place in places]


def _live(
    module: torch.nn.Module,
    method: str | None,
    places: _Places,
    remembered: RememberedShapes,
    place: Place,
) -> LiveBytes:
    call = module if method is None else getattr(module, method)
    return memory.live_bytes(
        call, places.arguments(place), pixels=place.point[0], remembered=remembered
    )


def _with_memory(formula: Formula, places: _Places, run: Callable[[Place], LiveBytes]) -> Formula:
    """Add the lines of the peaks: from two sizes, checked at a third."""
    small, large, *_ = places.usual([places.fitted()[0], places.fitted()[1]])
    few, many = run(small), run(large)
    if (len(few.half), len(few.single)) != (len(many.half), len(many.single)):
        # No number at all beats memory without these activations.
        return replace(formula, problem="its memory has no formula: events differ by size")
    half, single = (
        _lines((small.point[0], one), (large.point[0], other))
        for one, other in ((few.half, many.half), (few.single, many.single))
    )
    made = replace(formula, half=half, single=single)
    factor = formula.side_multiple // places.multiple if places.multiple else 1
    checks = places.unaligned()[:1] if places.multiple == 0 else places.scaled(((10, 6),), factor)
    for check in (replace(place, batch=1) for place in places.usual(checks)):
        live = run(check)
        for is_single, events in ((False, live.half), (True, live.single)):
            found = made.peak(check.point[0], check.batch, is_single=is_single)
            if found != max(events, default=0):
                told = f"at {check} it is {100 * (found / max(events) - 1):+.1f} % off"
                return replace(made, memory_problem=told)
    return made


def _lines(
    small: tuple[int, Sequence[int]], large: tuple[int, Sequence[int]]
) -> list[tuple[Fraction, Fraction]]:
    (few, low), (many, high) = small, large
    pairs = dict.fromkeys(zip(low, high, strict=True))
    lines = []
    for one, other in pairs:
        slope = Fraction(other - one, many - few)
        lines.append((one - slope * few, slope))
    return envelope(lines)
