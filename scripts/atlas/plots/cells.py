"""The cells of a heatmap: what is known of each pair, and how it is drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from atlas.plots import style
from atlas.plots.spread import Spread
from atlas.plots.style import ACCENT, FAINT, IDENTICAL, INK, PALE, SMALL
from atlas.plots.words import distances_of, partly_compared, shared_in_part, significant
from atlas.relations.matrices import Matrix

PRINTED = 16
"""Up to so many models the distances are printed in the cells."""
VECTOR_MARKS = 3000
"""More signs than this go into the SVG as an image: it would have megabytes of them."""
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
ZERO = _digit("0")
"""The sign on cells that are 0 without being known as identical."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells in drawing order, by what is known of them."""

    values: NDArray[np.float64]
    """Shape (N, N): positive distances, NaN elsewhere."""
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


def colour_map() -> LinearSegmentedColormap:
    """Return the colours from close, dark, to far, light."""
    return LinearSegmentedColormap.from_list("near", style.FAR_TO_NEAR[::-1])


def draw_cells(axes: Any, cells: Cells, scale: Spread | None, cell: float) -> None:
    """
    Draw all cells, each so many inches wide, on axes that are theirs alone.

    The scale is that of the cells' values, None where there are none.
    """
    size = len(cells.values)
    axes.set_xlim(0, size)
    axes.set_ylim(size, 0)
    axes.set(xticks=[], yticks=[], facecolor=PALE)
    axes.spines[:].set_visible(False)
    extent = (0, size, size, 0)
    if cells.missing.any():
        _draw_missing(axes, cells.missing)
    if scale is not None:
        places = scale.place(cells.values)
        axes.imshow(
            np.ma.masked_invalid(places),
            cmap=colour_map(),
            vmin=0.0,
            vmax=1.0,
            extent=extent,
            interpolation="none",
            aspect="auto",
        )
        if size <= PRINTED:
            _print_values(axes, cells.values, places)
    _draw_signs(axes, cells)
    _draw_corners(axes, cells.partial)
    if cell > SEPARATED:
        lines = [((0, k), (size, k)) for k in range(size + 1)]
        lines += [((k, 0), (k, size)) for k in range(size + 1)]
        axes.add_collection(LineCollection(lines, colors="white", linewidths=0.8))


def _draw_missing(axes: Any, missing: NDArray[np.bool_]) -> None:
    """Hatch each row's runs of cells that were not compared."""
    for row, cells in enumerate(missing):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], cells.astype(int), [0]))))
        for start, end in edges.reshape(-1, 2):
            axes.add_patch(
                Rectangle(
                    (start, row),
                    end - start,
                    1,
                    facecolor="white",
                    edgecolor=FAINT,
                    hatch="/////",
                    lw=0.0,
                )
            )


def _draw_signs(axes: Any, cells: Cells) -> None:
    """Fill the cells of identical models, with = on them, of other zeros, and of equal parts."""
    for mask, marker, face, ink in (
        (cells.identical, EQUALS, IDENTICAL, "white"),
        (cells.zero, ZERO, IDENTICAL, "white"),
        (cells.shared, EQUALS, "white", IDENTICAL),
    ):
        if not mask.any():
            continue
        rows, columns = np.nonzero(mask)
        size = len(mask)
        axes.imshow(
            np.ma.masked_array(np.ones(mask.shape), ~mask),
            cmap=_one_colour(face),
            extent=(0, size, size, 0),
            interpolation="none",
            aspect="auto",
        )
        axes.scatter(
            columns + 0.5,
            rows + 0.5,
            marker=marker,
            s=26,
            c=ink,
            linewidths=0,
            rasterized=len(rows) > VECTOR_MARKS,
        )


def _draw_corners(axes: Any, partial: NDArray[np.bool_]) -> None:
    """Mark distances that do not cover all parameters in the cell's corner."""
    rows, columns = np.nonzero(partial)
    triangles = PolyCollection(
        [
            [(x + 0.68, y), (x + 1, y), (x + 1, y + 0.32)]
            for x, y in zip(columns, rows, strict=True)
        ],
        facecolors=ACCENT,
        linewidths=0,
        rasterized=len(rows) > VECTOR_MARKS,
    )
    axes.add_collection(triangles)


def _one_colour(colour: str) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list("one", [colour, colour])


def _print_values(axes: Any, values: NDArray[np.float64], places: NDArray[np.float64]) -> None:
    for row, column in np.argwhere(np.isfinite(values)):
        near = places[row, column] < 0.45
        axes.text(
            column + 0.5,
            row + 0.5,
            significant(values[row, column], 3),
            fontsize=SMALL,
            color="white" if near else INK,
            ha="center",
            va="center",
        )
