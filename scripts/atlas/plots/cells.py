"""The cells of a heatmap: what is known of each pair, and how it is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from atlas.plots import style
from atlas.plots.marks import Mark
from atlas.plots.spread import Spread
from atlas.plots.style import ACCENT, FAINT, IDENTICAL, INK, PALE, SMALL
from atlas.plots.words import distances_of, partly_compared, shared_in_part, significant
from atlas.relations.matrices import Matrix
from atlas.relations.moved import Grid

VECTOR_MARKS = 3000
"""More signs than this go into the SVG as an image: it would have megabytes of them."""
EQUAL_VALUES = "0: equal values, stored differently"
"""What a 0 means where digests were compared."""
SIGN = 26**0.5
"""Points that a sign is wide, where its cell has room for it."""
LEAST_SIGN = 3.0
"""Narrower signs are dots: cells that have no more room go without."""
SEPARATED = 0.15
"""Cells wider than this, in inches, stand apart by a white line."""


def _digit(text: str) -> Path:
    """Return a digit as a marker around its middle."""
    outline = TextPath((0, 0), text, size=1, prop=FontProperties(weight="bold"))
    middle = (outline.vertices.min(axis=0) + outline.vertices.max(axis=0)) / 2
    return Path(outline.vertices - middle, outline.codes)


EQUALS = Path(
    [
        (x, y)
        for bar in (0.25, -0.5)
        for x, y in ((-1, bar), (1, bar), (1, bar + 0.25), (-1, bar + 0.25), (-1, bar))
    ],
    [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * 2,
)
"""The sign on cells of identical models, as a marker: two bars."""
UPPER_RIGHT = Path(
    [(1, 1), (-1, 1), (1, -1), (1, 1)], [Path.MOVETO, *[Path.LINETO] * 2, Path.CLOSEPOLY]
)
"""The mark in the corner of a cell that rests on some of the parameters."""
CORNER = 0.32
"""Its side as a share of the narrower side of a cell."""
ZERO = _digit("0")
"""The sign on cells that are 0 without being known as identical."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells in drawing order, by what is known of them."""

    values: NDArray[np.float64]
    """Shape (rows, columns), of a matrix (N, N): positive distances, NaN elsewhere."""
    identical: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    """At distance 0 without being known as identical."""
    missing: NDArray[np.bool_]
    shared: NDArray[np.bool_]
    """Without a distance, as all that could be compared of them is identical."""
    partial: NDArray[np.bool_]
    """With a distance that does not cover all parameters."""


def cells_of(matrix: Matrix, order: tuple[int, ...]) -> Cells:
    """Sort the matrix's pairs into cells, rows and columns in the given order."""
    at = np.ix_(order, order)
    distances, identical = distances_of(matrix)[at], matrix.identical[at]
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    shared = shared_in_part(matrix)[at]
    return Cells(
        values=np.where(distances > 0, distances, np.nan),
        identical=identical & off_diagonal,
        zero=(distances == 0) & ~identical & off_diagonal,
        missing=np.isnan(distances) & ~shared,
        shared=shared,
        partial=partly_compared(matrix)[at] | shared,
    )


def grid_cells(grid: Grid) -> Cells:
    """Sort a grid into cells; what neither side has is none of them."""
    return Cells(
        values=np.where(grid.values > 0, grid.values, np.nan),
        identical=grid.identical,
        zero=(grid.values == 0) & ~grid.identical,
        missing=grid.missing,
        shared=grid.shared,
        partial=grid.partial,
    )


def cell_marks(cells: Sequence[Cells], zero: str) -> list[Mark]:
    """
    Return what the signs on some cells mean.

    Parameters
    ----------
    zero
        The meaning of a 0.
    """
    signs = {
        "identical": Mark("identical weights", IDENTICAL, "="),
        "zero": Mark(zero, IDENTICAL, "0"),
        "shared": Mark("the compared part is identical", "white", "="),
        "missing": Mark("not compared", shape="hatched"),
        "partial": Mark("compared in part", ACCENT, "corner"),
    }
    return [mark for sign, mark in signs.items() if any(getattr(one, sign).any() for one in cells)]


def colour_map() -> LinearSegmentedColormap:
    """Return the colours from close, dark, to far, light."""
    return LinearSegmentedColormap.from_list("near", style.FAR_TO_NEAR[::-1])


def draw_cells(
    axes: Any, cells: Cells, scale: Spread | None, *, width: float, height: float
) -> None:
    """
    Draw all cells on axes that are theirs alone.

    Parameters
    ----------
    scale
        Of the cells' values; None where there are none.
    width, height
        Of a cell in inches.
    """
    narrower = min(width, height)
    rows, columns = cells.values.shape
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.set(xticks=[], yticks=[], facecolor=PALE)
    axes.spines[:].set_visible(False)
    if cells.missing.any():
        _draw_missing(axes, cells.missing)
    if scale is not None:
        places = scale.place(cells.values)
        axes.imshow(
            np.ma.masked_invalid(places),
            cmap=colour_map(),
            vmin=0.0,
            vmax=1.0,
            extent=(0, columns, rows, 0),
            interpolation="none",
            aspect="auto",
        )
    _draw_signs(axes, cells, min(SIGN, 0.5 * narrower * 72))
    side = CORNER * narrower
    _draw_corners(axes, cells.partial, side * 72, side / width, side / height)
    if narrower > SEPARATED:
        lines = [((0, k), (columns, k)) for k in range(rows + 1)]
        lines += [((k, 0), (k, rows)) for k in range(columns + 1)]
        axes.add_collection(LineCollection(lines, colors="white", linewidths=0.8))


def print_values(axes: Any, cells: Cells, scale: Spread) -> None:
    """Write the distances into their cells."""
    places = scale.place(cells.values)
    for row, column in np.argwhere(np.isfinite(cells.values)):
        near = places[row, column] < 0.45
        axes.text(
            column + 0.5,
            row + 0.5,
            significant(cells.values[row, column], 3),
            fontsize=SMALL,
            color="white" if near else INK,
            ha="center",
            va="center",
        )


def _draw_missing(axes: Any, missing: NDArray[np.bool_]) -> None:
    """Hatch the cells that were not compared: one patch, and what is compared on top of it."""
    rows, columns = missing.shape
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": FAINT, "hatch": "/////", "lw": 0.0}
    axes.add_patch(Rectangle((0, 0), columns, rows, zorder=-1, **look))
    _fill(axes, ~missing, PALE)


def _fill(axes: Any, mask: NDArray[np.bool_], colour: str) -> None:
    """Fill some of the cells with a colour."""
    rows, columns = mask.shape
    axes.imshow(
        np.ma.masked_array(np.ones(mask.shape), ~mask),
        cmap=_one_colour(colour),
        extent=(0, columns, rows, 0),
        interpolation="none",
        aspect="auto",
    )


def _draw_signs(axes: Any, cells: Cells, points: float) -> None:
    """Fill the cells of identical models, with = on them, of other zeros, and of equal parts."""
    for mask, marker, face, ink in (
        (cells.identical, EQUALS, IDENTICAL, "white"),
        (cells.zero, ZERO, IDENTICAL, "white"),
        (cells.shared, EQUALS, "white", IDENTICAL),
    ):
        if not mask.any():
            continue
        rows, columns = np.nonzero(mask)
        _fill(axes, mask, face)
        if points < LEAST_SIGN:
            continue
        axes.scatter(
            columns + 0.5,
            rows + 0.5,
            marker=marker,
            s=points**2,
            c=ink,
            linewidths=0,
            rasterized=len(rows) > VECTOR_MARKS,
        )


def _draw_corners(
    axes: Any, partial: NDArray[np.bool_], points: float, across: float, down: float
) -> None:
    """
    Mark distances that do not cover all parameters in the cell's corner.

    Parameters
    ----------
    points
        Side of the mark.
    across, down
        The same as shares of a cell's width and height.
    """
    rows, columns = np.nonzero(partial)
    if len(rows):
        axes.scatter(
            columns + 1 - across / 2,
            rows + down / 2,
            marker=UPPER_RIGHT,
            s=points**2,
            c=ACCENT,
            linewidths=0,
            rasterized=len(rows) > VECTOR_MARKS,
        )


def _one_colour(colour: str) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list("one", [colour, colour])
