"""What one call costs as an exact formula of its tokens: plain values, no torch here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from atlas.macs.polynomials import NAMES, Polynomial, total

Row = dict[str, Any]
COLUMNS = [
    "architecture", "component", "class", "call", "quantity", "term", "numerator", "denominator",
    "per", "variable", "side_multiple", "image_step", "text_step", "checked_at", "problem",
]  # fmt: skip
KINDS = ("convolution", "linear", "attention", "other matmul")
MOVED, ATTENDED = "layer elements", "attention elements"
"""Elements of activations that layers read and write, and fused attention."""
QUANTITIES = (*KINDS, MOVED, ATTENDED)
HALF, SINGLE = "peak bytes in 16 bit", "peak bytes in 32 bit"
"""Peaks of activations: the largest of lines a + b·n."""
WEIGHTS, PARAMETERS, BUFFERS = "weight elements", "parameters", "buffers"
LARGEST = "largest layer"
CONSTANTS = (WEIGHTS, PARAMETERS, BUFFERS, LARGEST)
"""Elements: of the weights that a forward reads, all of them, buffers, of the largest layer."""
SQUARE = frozenset({"DiTTransformer2DModel"})
"""Denoisers that make squares alone: they fold their tokens back by the root of their number."""
IMAGE, FORWARD = "image", "forward"
"""A cost is for each image of a batch, or once a forward whatever the batch."""


@dataclass(frozen=True)
class Formula:
    """One call of one component; `problem` is empty where it is exact."""

    component: str
    class_name: str
    call: str
    variable: str
    """What n counts: image tokens, latent pixels, or text tokens."""
    image: Mapping[str, Polynomial] = field(default_factory=dict)
    """For each image of a batch: MACs by kind, and elements read and written (MOVED, ATTENDED)."""
    shared: Mapping[str, Polynomial] = field(default_factory=dict)
    """The same once a forward: tables of positions that the batch shares."""
    weights: int = 0
    """Elements of weights that a forward reads."""
    parameters: int = 0
    buffers: int = 0
    largest: int = 0
    """Elements of the parameters of the largest layer."""
    half: Sequence[tuple[Fraction, Fraction]] = ()
    """Lines (a, b): the peak of activations in 16 bit is the largest a + b·n, in bytes an image."""
    single: Sequence[tuple[Fraction, Fraction]] = ()
    side_multiple: int = 1
    """Pixels that sides must be a multiple of for it to be exact."""
    steps: tuple[int, int] = (1, 1)
    """Multiples that the model pads n and t to."""
    checked: tuple[str, ...] = ()
    """Sizes that were not used in the fit."""
    problem: str = ""
    memory_problem: str = ""

    def padded(self, image: int, text: int) -> tuple[int, int]:
        """Return the tokens that the model computes with."""
        return _up(image, self.steps[0]), _up(text, self.steps[1])

    def kinds(self, image: int, text: int, batch: int) -> dict[str, int]:
        """Return the MACs of a forward by kind."""
        return {kind: self._of(kind, image, text, batch) for kind in KINDS}

    def _of(self, quantity: str, image: int, text: int, batch: int) -> int:
        point = self.padded(image, text)
        own, shared = (
            table.get(quantity, Polynomial()).at(point) for table in (self.image, self.shared)
        )
        return int(batch * own + shared)

    def elements(self, image: int, text: int, batch: int) -> int:
        """Return the elements that layers must move: weights once, the rest for each image."""
        return self.weights + self._of(MOVED, image, text, batch)

    def attended(self, image: int, text: int, batch: int) -> int:
        """Return the elements of queries, keys, values and results of fused attention."""
        return self._of(ATTENDED, image, text, batch)

    def peak(self, image: int, batch: int, *, is_single: bool) -> int:
        """Return the bytes of activations alive at one time, at most."""
        count = self.padded(image, 0)[0]
        lines = self.single if is_single else self.half
        return int(batch * max((start + slope * count for start, slope in lines), default=0))

    def told(self) -> str:
        """Return the formula as people write it."""
        tables = (self.image, self.shared)
        return str(total(table[kind] for table in tables for kind in KINDS if kind in table))


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


def rows(architecture: str, formula: Formula) -> Iterator[Row]:
    """Yield a row per coefficient; one with the problem where there is no formula."""
    head = {
        "architecture": architecture,
        "component": formula.component,
        "class": formula.class_name,
        "call": formula.call,
        "variable": formula.variable,
        "side_multiple": formula.side_multiple,
        "image_step": formula.steps[0],
        "text_step": formula.steps[1],
        "checked_at": "; ".join(formula.checked),
        "problem": formula.problem,
    }
    if formula.problem:
        yield head | {"quantity": "macs"}
    for per, table in ((IMAGE, formula.image), (FORWARD, formula.shared)):
        for quantity, polynomial in table.items():
            yield from (head | row for row in _terms(quantity, per, polynomial))
    for name, value in zip(
        CONSTANTS,
        (formula.weights, formula.parameters, formula.buffers, formula.largest),
        strict=True,
    ):
        yield head | _term(name, FORWARD, "1", Fraction(value))
    for name, lines in ((HALF, formula.half), (SINGLE, formula.single)):
        for number, (start, slope) in enumerate(lines, start=1):
            line = f"{name}, line {number}"
            yield head | _term(line, IMAGE, "1", start) | {"problem": formula.memory_problem}
            yield head | _term(line, IMAGE, "n", slope) | {"problem": formula.memory_problem}
    if formula.memory_problem and not formula.half:
        yield head | {"quantity": HALF, "problem": formula.memory_problem}


def failed(architecture: str, problem: str) -> Row:
    """Return the row of an architecture that can't be read."""
    return dict.fromkeys(COLUMNS, "") | {"architecture": architecture, "problem": problem}


def _terms(quantity: str, per: str, polynomial: Polynomial) -> Iterator[Row]:
    for term, factor in polynomial.ordered():
        yield _term(quantity, per, NAMES[term], factor)


def _term(quantity: str, per: str, term: str, factor: Fraction) -> Row:
    return {
        "quantity": quantity,
        "term": term,
        "numerator": factor.numerator,
        "denominator": factor.denominator,
        "per": per,
    }


def read(table: Iterable[Mapping[str, Any]]) -> dict[str, list[Formula]]:
    """Return the formulas of each architecture, from rows as `rows` yields them."""
    grouped: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in table:
        if not row["component"]:
            continue  # could not be read
        key = row["architecture"], row["component"], row["call"]
        grouped.setdefault(key, []).append(row)
    found: dict[str, list[Formula]] = {}
    for (name, _, _), own in grouped.items():
        found.setdefault(name, []).append(_formula(own))
    return found


def _formula(own: Sequence[Mapping[str, Any]]) -> Formula:
    terms = {text: term for term, text in NAMES.items()}
    tables: dict[tuple[str, str], dict[Any, Fraction]] = {}
    memory_problem, problem = "", ""
    for row in own:
        if row["quantity"].startswith(HALF) or row["quantity"].startswith(SINGLE):
            memory_problem = row["problem"]
        else:
            problem = row["problem"]
        if row["term"]:
            table = tables.setdefault((row["quantity"], row["per"]), {})
            table[terms[row["term"]]] = Fraction(row["numerator"], row["denominator"])
    first = own[0]

    def by_kind(per: str) -> dict[str, Polynomial]:
        named = {quantity: tables.get((quantity, per)) for quantity in QUANTITIES}
        return {quantity: Polynomial(table) for quantity, table in named.items() if table}

    def lines(name: str) -> list[tuple[Fraction, Fraction]]:
        chosen = [table for (quantity, _), table in tables.items() if quantity.startswith(name)]
        return [(table[0, 0], table[1, 0]) for table in chosen]

    weights, parameters, buffers, largest = (
        int(tables.get((name, FORWARD), {}).get((0, 0), 0)) for name in CONSTANTS
    )
    made = Formula(
        component=first["component"],
        class_name=first["class"],
        call=first["call"],
        variable=first["variable"],
        image=by_kind(IMAGE),
        shared=by_kind(FORWARD),
        weights=weights,
        parameters=parameters,
        buffers=buffers,
        largest=largest,
        half=lines(HALF),
        single=lines(SINGLE),
        side_multiple=first["side_multiple"],
        steps=(first["image_step"], first["text_step"]),
        checked=tuple(filter(None, str(first["checked_at"]).split("; "))),
    )
    return replace(made, problem=problem, memory_problem=memory_problem)
