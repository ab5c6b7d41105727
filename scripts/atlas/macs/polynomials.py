"""Exact polynomials of tokens, from values at a few sizes: rational arithmetic, no rounding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

Term = tuple[int, int]
"""Powers of the image's tokens n and of the text's tokens t."""
Point = tuple[int, int]
"""Numbers of tokens: of the image and of the text."""

TERMS: tuple[Term, ...] = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
"""Layers are affine in tokens, attention is of the second degree."""
NAMES: Mapping[Term, str] = {
    (0, 0): "1", (1, 0): "n", (0, 1): "t", (2, 0): "n²", (1, 1): "n·t", (0, 2): "t²",
}  # fmt: skip
JOINED: tuple[Mapping[Term, int], ...] = (
    {(1, 0): 1, (0, 1): 1},
    {(2, 0): 1, (1, 1): 2, (0, 2): 1},
    {(2, 0): 1, (1, 1): 1},
    {(1, 1): 1, (0, 2): 1},
)
"""n + t, (n + t)², n (n + t) and t (n + t): layers and attention of both streams as one."""
REGISTERS = range(1, 17)
"""Further tokens of their own that models append, such as AuraFlow's 8."""


@dataclass(frozen=True)
class Polynomial:
    """Σ coefficient · n^i · t^j."""

    coefficients: Mapping[Term, Fraction] = field(default_factory=dict)
    """Without zeros."""

    def at(self, point: Point) -> Fraction:
        """Return the value at a number of image and of text tokens."""
        return sum(
            (factor * _power(term, point) for term, factor in self.coefficients.items()),
            start=Fraction(0),
        )

    def __add__(self, other: Polynomial) -> Polynomial:
        """Add two polynomials."""
        terms = [*self.coefficients, *other.coefficients]
        return made(
            {
                term: self.coefficients.get(term, Fraction(0))
                + other.coefficients.get(term, Fraction(0))
                for term in terms
            }
        )

    def ordered(self) -> Iterator[tuple[Term, Fraction]]:
        """Yield terms and coefficients in the order of TERMS."""
        for term in TERMS:
            if term in self.coefficients:
                yield term, self.coefficients[term]

    def __str__(self) -> str:
        """
        Write it as people do.

        >>> str(made({(1, 0): Fraction(3), (0, 0): Fraction(7, 2)}))
        '7/2 + 3 n'
        """
        told = [
            f"{factor}" if term == (0, 0) else f"{factor} {NAMES[term]}"
            for term, factor in self.ordered()
        ]
        return " + ".join(told).replace("+ -", "− ") or "0"


def made(coefficients: Mapping[Term, Fraction]) -> Polynomial:
    """Return a polynomial without terms that are zero."""
    return Polynomial({term: factor for term, factor in coefficients.items() if factor})


def total(polynomials: Iterable[Polynomial]) -> Polynomial:
    """Return the sum."""
    return sum(polynomials, start=Polynomial())


def fit(points: Sequence[Point], values: Sequence[int]) -> Polynomial | None:
    """
    Return the simplest polynomial that has these values exactly; None if there is none.

    One multiple of one term, or of layers and attention over both streams, is tried first: with
    one unknown, each further point is a check. Then come sums of two terms, then affine ones, then
    the whole second degree, for which six points are needed. Sums with as many unknowns as points
    always fit: check them at points that were not used.

    Parameters
    ----------
    points
        Distinct pairs of tokens; where the second is the same everywhere, it is no variable.
    values
        One for each point.
    """
    has_text = len({text for _, text in points}) > 1
    terms = [term for term in TERMS if has_text or not term[1]]
    shapes: list[Mapping[Term, int]] = [{term: 1} for term in terms]
    shapes += JOINED if has_text else ()
    shapes += [_with_registers(count, has_text=has_text) for count in REGISTERS]
    for shape in shapes:
        if (found := _multiple(shape, points, values)) is not None:
            return found
    affine = tuple(term for term in terms if sum(term) < 2)
    pairs = [pair for pair in combinations(terms, 2) if len(points) > len(pair)]
    for basis in dict.fromkeys([*pairs, affine, tuple(terms)]):
        if len(basis) <= len(points):
            found = _solved(basis, points, values)
            if found is not None:
                return found
    return None


def _with_registers(count: int, *, has_text: bool) -> Mapping[Term, int]:
    """Return (n + t + count)², or (n + count)² without text."""
    own = {(2, 0): 1, (1, 0): 2 * count, (0, 0): count**2}
    return own | ({(1, 1): 2, (0, 2): 1, (0, 1): 2 * count} if has_text else {})


def _power(term: Term, point: Point) -> int:
    return int(point[0] ** term[0] * point[1] ** term[1])


def _multiple(
    shape: Mapping[Term, int], points: Sequence[Point], values: Sequence[int]
) -> Polynomial | None:
    """Return the multiple of a sum of terms that has the values; None if there is none."""
    sizes = [
        sum(factor * _power(term, point) for term, factor in shape.items()) for point in points
    ]
    if not sizes[0]:
        return None
    ratio = Fraction(values[0], sizes[0])
    if any(ratio * size != value for size, value in zip(sizes, values, strict=True)):
        return None
    return made({term: ratio * factor for term, factor in shape.items()})


def _solved(
    basis: Sequence[Term], points: Sequence[Point], values: Sequence[int]
) -> Polynomial | None:
    """Solve for the coefficients by elimination; None if no or many solutions have all values."""
    rows = [
        [*(Fraction(_power(term, point)) for term in basis), Fraction(value)]
        for point, value in zip(points, values, strict=True)
    ]
    size = len(basis)
    for column in range(size):
        pivot = next((at for at in range(column, len(rows)) if rows[at][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        lead = rows[column][column]
        rows[column] = [entry / lead for entry in rows[column]]
        for at, row in enumerate(rows):
            if at != column and row[column]:
                factor = row[column]
                rows[at] = [
                    one - factor * other for one, other in zip(row, rows[column], strict=True)
                ]
    if any(row[size] for row in rows[size:]):
        return None
    return made({term: rows[at][size] for at, term in enumerate(basis)})


def envelope(lines: Iterable[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
    """
    Return the lines (a, b) of which a + b·n is the largest for some n ≥ 0, by growing b.

    Their maximum at any n ≥ 0 is the maximum of all lines: the upper hull, in one sorted pass.
    """
    best: dict[Fraction, Fraction] = {}
    for start, slope in lines:
        best[slope] = max(start, best.get(slope, start))
    hull: list[tuple[Fraction, Fraction]] = []
    for slope in sorted(best):
        start = best[slope]
        while hull and hull[-1][0] <= start:
            hull.pop()  # below the new line from 0 on
        while len(hull) > 1 and _crossing(hull[-2], (start, slope)) <= _crossing(
            hull[-2], hull[-1]
        ):
            hull.pop()
        hull.append((start, slope))
    return hull


def _crossing(one: tuple[Fraction, Fraction], other: tuple[Fraction, Fraction]) -> Fraction:
    """Return where a steeper line meets another."""
    return (one[0] - other[0]) / (other[1] - one[1])
