"""Labelled square matrices of one measure between the models of a group, and their CSV form."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.tables import replacing
from atlas.measures import SHOWN
from atlas.relations.classes import Classes

CORNER = "model"
"""What the first cell of a matrix's CSV holds."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """One measure of one component between every two models of a group, in roster order."""

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    values: NDArray[np.float64]
    """Shape (N, N), symmetric; NaN where the two models were not compared."""
    identical: NDArray[np.bool_]
    """Shape (N, N), symmetric; True where the two are known to hold the same weights."""
    component: str
    measure: str = "l2"
    group: str = ""
    base: str | None = None
    """Id of the model that the others are believed to come from."""
    reference: str | None = None
    """Id of the model that others' distances are drawn from; None for the base, else the first."""
    ordered: bool = False
    """True where the roster lists the models in the order of their making."""
    order: tuple[str, ...] | None = None
    """Ids in the order to draw them clustered; None for the matrix's own leaf order."""
    coverage: NDArray[np.float64] | None = None
    """Shape (N, N): share of the parameters that were compared, 0 to 1; None if not known."""
    ambiguous_zeros: bool = False
    """True where a 0 may mean identical or never compared, as in the notebook's files."""
    classes: tuple[Classes, ...] = ()
    """What the models are sorted by: tags, families of other components."""

    def __post_init__(self) -> None:
        size = len(self.ids)
        for array in (self.values, self.identical, self.coverage):
            if array is not None and array.shape != (size, size):
                raise ValueError(f"{size} models need a square of {size}, not {array.shape}")
        if len(self.labels) != size:
            raise ValueError(f"{size} models have {len(self.labels)} labels")
        for model in (self.base, self.reference):
            if model is not None:
                self.index(model)
        if self.order is not None and sorted(self.order) != sorted(self.ids):
            raise ValueError("the drawing order must name every model once")

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, model: str) -> int:
        """Return the model's place in the roster's order; raise AtlasError if it is absent."""
        if model not in self.ids:
            hint = nearest(model, self.ids)
            raise AtlasError(f"group {self.group}: no model {model} among {len(self)}{hint}")
        return self.ids.index(model)

    @property
    def origin(self) -> str:
        """Id of the model that others' distances are drawn from."""
        return self.reference or self.base or self.ids[0]

    def compared(self) -> NDArray[np.bool_]:
        """Return, per model, whether it was compared with any other: shape (N,)."""
        found = ~np.isnan(self.values) | self.identical
        np.fill_diagonal(found, False)
        return np.asarray(found.any(axis=1))


def stem_of(component: str) -> str:
    """
    Return a component's name in names of files: signs are in hexadecimal, as in an address.

    >>> stem_of("text_encoder"), stem_of("<x>"), component_of("%3Cx%3E")
    ('text_encoder', '%3Cx%3E', '<x>')
    """
    return quote(component, safe=" ")


def component_of(stem: str) -> str:
    """Return the component that a file's name stands for."""
    return unquote(stem)


def identical_value(measure: str) -> int:
    """Return what two models of the same weights have in this measure."""
    return 1 if measure in SHOWN and SHOWN[measure].is_similarity else 0


def write(matrix: Matrix, path: Path) -> None:
    """
    Write the matrix as CSV, so that `read` gives back every bit of it.

    An empty cell was not compared. Identical models have the bare digit 0 (1 for a similarity);
    a measured value always has a point or an exponent, so a measured 0.0 (equal values stored
    in two types) is told apart from it.
    """
    same = str(identical_value(matrix.measure))
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([CORNER, *matrix.ids])
        for model, row, equal in zip(matrix.ids, matrix.values, matrix.identical, strict=True):
            cells = (
                _cell(value, same if known else None)
                for value, known in zip(row, equal, strict=True)
            )
            writer.writerow([model, *cells])


def _cell(value: float, identical: str | None) -> str:
    if identical is not None:
        return identical
    return "" if np.isnan(value) else repr(float(value))


def read(
    path: Path,
    *,
    component: str,
    measure: str,
    group: str = "",
    labels: Mapping[str, str] | None = None,
    base: str | None = None,
    reference: str | None = None,
    ordered: bool = False,
    ambiguous_zeros: bool = False,
) -> Matrix:
    """Read a matrix from its CSV; raise AtlasError naming the file, the cell and the remedy."""
    ids, cells = _read_cells(path)
    same = str(identical_value(measure))
    values = np.array([[_number(path, cell) for cell in row] for row in cells]).reshape(
        len(ids), -1
    )
    _check_symmetric(path, ids, values)
    return Matrix(
        ids=ids,
        labels=tuple((labels or {}).get(model, model) for model in ids),
        values=values,
        identical=np.array([[cell == same for cell in row] for row in cells]),
        component=component,
        measure=measure,
        group=group,
        base=base,
        reference=reference,
        ordered=ordered,
        ambiguous_zeros=ambiguous_zeros,
    )


def _read_cells(path: Path) -> tuple[tuple[str, ...], list[list[str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise AtlasError(f"{path}: cannot be read as a matrix ({error})") from error
    if not rows or len(rows[0]) < 2:
        raise AtlasError(
            f"{path}: no matrix; expected a first line '{CORNER},' and the models' ids"
        )
    ids = tuple(rows[0][1:])
    _check_unique(path, ids)
    if tuple(row[0] if row else "" for row in rows[1:]) != ids:
        raise AtlasError(f"{path}: the rows must name the same models in the same order as line 1")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise AtlasError(f"{path}, line {line}: {len(row) - 1} cells for {len(ids)} models")
    return ids, [row[1:] for row in rows[1:]]


def _check_unique(path: Path, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for model in ids:
        if model in seen:
            raise AtlasError(f"{path}: model {model} is listed twice; give each model its own id")
        seen.add(model)


def _number(path: Path, cell: str) -> float:
    if not cell.strip():
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        raise AtlasError(
            f"{path}: {cell!r} is no number; leave a cell empty if not compared"
        ) from None
    if not np.isfinite(value):
        raise AtlasError(f"{path}: {cell!r} is no distance; leave a cell empty if not compared")
    return value


def _check_symmetric(path: Path, ids: tuple[str, ...], values: NDArray[np.float64]) -> None:
    differ = (values != values.T) & ~(np.isnan(values) & np.isnan(values.T))
    for a, b in np.argwhere(differ)[:1]:
        raise AtlasError(
            f"{path}: {ids[a]} to {ids[b]} is {values[a, b]}, but back it is {values[b, a]};"
            " a matrix of distances is symmetric"
        )
