"""
A map of points as a page to explore: samples, words or models in two dimensions, with columns.

It knows a table of points and views of it, and nothing of where they come from.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError, nearest
from atlas.pages import document, sheets
from atlas.pages.packing import Packing
from atlas.plots.style import FAR_TO_NEAR, QUALITATIVE

ENTRY = "viewer.js"
NUMBER = re.compile(r"(\d+)")
ID = "id"


@dataclass(frozen=True)
class View:
    """One map of the points, or of some of them."""

    choice: Mapping[str, str]
    """What the view is of, such as layer and timestep; the same keys in every view."""
    rows: NDArray[np.int32]
    """Which points it shows, by their row: (n,)."""
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    neighbours: NDArray[np.int32] | None = None
    """(n, k): rows of points, the nearest first; -1 for none."""
    distances: NDArray[np.float32] | None = None
    """(n, k)."""
    note: str = ""
    """What is to be known of it, in a sentence."""


def write(
    path: Path,
    *,
    title: str,
    subtitle: str,
    points: pa.Table,
    views: Sequence[View],
    thumbnails: Sequence[Path | None] | None = None,
    thumbnail_side: int = 64,
    base: NDArray[np.bool_] | None = None,
    switches: Sequence[str] = (),
    colour: str | None = None,
    titles: Mapping[str, str] | None = None,
    distance_title: str = "distance",
    neighbours_title: str = "Nearest neighbours",
    origins: NDArray[np.int32] | None = None,
    label: str | None = None,
) -> None:
    """
    Write a page of maps.

    Parameters
    ----------
    points
        A row for each point: `id`, unique texts, and columns. Texts and truth values are
        categories, numbers are drawn on a scale.
    thumbnails
        By point, an image file or None.
    base
        Points that are drawn grey beneath the others.
    switches
        Columns of categories of which one value, or all, is shown.
    colour
        The column that colours the points at first.
    titles
        What columns are called, by name.
    distance_title
        What the neighbours' distances are.
    neighbours_title
        What the neighbours are, above them.
    origins
        By point, the row of the point that it comes from, or -1: (n,). A line joins the two in
        each view that has both. An origin may have an origin itself.
    label
        The column, or the id, that is written beside points where there is room.

    Raises
    ------
    AtlasError
        What is given does not fit together, or an image can't be read.
    """
    columns = [*switches, *(name for name in (colour, label) if name is not None)]
    _check(points, views, thumbnails, base, origins, columns)
    packing = Packing()
    named = titles or {}
    facts: dict[str, Any] = {
        "title": title,
        "subtitle": subtitle,
        "distance_title": distance_title,
        "neighbours_title": neighbours_title,
        "ids": points[ID].to_pylist(),
        "columns": [
            {"name": name, "title": named.get(name, name)} | _column(points[name], packing)
            for name in points.column_names
            if name != ID
        ],
        "views": [_view(view, packing) for view in views],
        "base": None if base is None else packing.add(base.astype(np.uint8)),
        "origins": _optional(origins, np.int32, packing),
        "switches": list(switches),
        "colour": colour,
        "label": label,
        "look": {"categories": QUALITATIVE, "ramp": FAR_TO_NEAR[1:]},
        "sprites": None,
    }
    data = {}
    if thumbnails is not None and any(thumbnails):
        images = sheets.packed(thumbnails, side=thumbnail_side)
        facts["sprites"] = {
            "side": images.side,
            "columns": sheets.COLUMNS,
            "rows": sheets.COLUMNS,
            "per_sheet": sheets.COLUMNS**2,
            "cells": packing.add(images.cells),
        }
        data = {f"sheet-{number}": text for number, text in enumerate(images.sheets)}
    document.write(path, title=title, entry=ENTRY, data={"data": packing.packed(facts)} | data)


def _column(values: pa.ChunkedArray, packing: Packing) -> dict[str, Any]:
    """Return what the page is told of a column."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and _is_scale(values)):
        numbers = values.cast(pa.float64()).to_numpy()
        return {"kind": "number", "array": packing.add(numbers.astype(np.float32))}
    found = pc.unique(values.combine_chunks()).drop_null().to_pylist()
    unique = pa.array(sorted(found, key=_natural), kind)
    codes = pc.index_in(values.combine_chunks(), unique).fill_null(-1).to_numpy()
    return {
        "kind": "category",
        "categories": [str(value) for value in unique.to_pylist()],
        "array": packing.add(codes.astype(np.int32)),
    }


def _natural(value: object) -> list[tuple[int, int, str]]:
    """Return what sorts numbers within texts as numbers."""
    parts = NUMBER.split(str(value))
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


FEW = 60
"""Whole numbers of no more values are categories, such as labels."""


def _is_scale(values: pa.ChunkedArray) -> bool:
    return bool(pc.count_distinct(values).as_py() > FEW)


def _view(view: View, packing: Packing) -> dict[str, Any]:
    return {
        "choice": [[name, value] for name, value in view.choice.items()],
        "note": view.note,
        "rows": packing.add(view.rows.astype(np.int32)),
        "x": packing.add(view.x.astype(np.float32)),
        "y": packing.add(view.y.astype(np.float32)),
        "k": 0 if view.neighbours is None else view.neighbours.shape[1],
        "neighbours": _optional(view.neighbours, np.int32, packing),
        "distances": _optional(view.distances, np.float32, packing),
    }


def _optional(values: NDArray[Any] | None, kind: type, packing: Packing) -> str | None:
    return None if values is None else packing.add(values.astype(kind))


def _check(
    points: pa.Table,
    views: Sequence[View],
    thumbnails: Sequence[Path | None] | None,
    base: NDArray[np.bool_] | None,
    origins: NDArray[np.int32] | None,
    columns: Sequence[str],
) -> None:
    faults = [*_table_faults(points, columns), *_length_faults(len(points), thumbnails, base)]
    if origins is not None:
        faults += _origin_faults(np.asarray(origins), len(points))
    if not views:
        faults.append("there is no view")
    for view in views:
        faults += [
            f"view {dict(view.choice)}: {fault}" for fault in _view_faults(view, len(points))
        ]
        if list(view.choice) != list(views[0].choice):
            faults.append(f"view {dict(view.choice)}: its choices are not those of the first view")
    if faults:
        raise AtlasError("the map can't be shown: " + "; ".join(faults))


def _table_faults(points: pa.Table, columns: Sequence[str]) -> Iterator[str]:
    if ID not in points.column_names:
        yield "its points have no column id"
        return
    ids = points[ID].to_pylist()
    if None in ids or len(set(ids)) < len(ids):
        yield f"{len(ids) - len(set(ids))} ids are there twice"
    for name in columns:
        if name not in points.column_names:
            yield f"there is no column {name}{nearest(name, points.column_names)}"


def _length_faults(
    count: int, thumbnails: Sequence[Path | None] | None, base: NDArray[np.bool_] | None
) -> Iterator[str]:
    if thumbnails is not None and len(thumbnails) != count:
        yield f"there are {len(thumbnails)} thumbnails of {count} points"
    if base is not None and len(base) != count:
        yield f"base is told of {len(base)} of {count} points"


def _origin_faults(origins: NDArray[np.int32], count: int) -> Iterator[str]:
    if origins.shape != (count,):
        yield f"origins are told of {len(origins)} of {count} points"
        return
    if count and not (origins.min() >= -1 and origins.max() < count):
        yield f"an origin is a point that there is not (of {count})"
        return
    first = np.where(origins < 0, np.arange(count), origins)
    for _ in range(count.bit_length()):  # each time twice as far back
        first = first[first]
    if (origins[first] >= 0).any():
        yield "origins lead round in a circle"


def _view_faults(view: View, count: int) -> Iterator[str]:
    rows = np.asarray(view.rows)
    if not len(view.x) == len(view.y) == len(rows):
        yield "rows, x and y are of unequal lengths"
    elif not (np.isfinite(view.x).all() and np.isfinite(view.y).all()):
        yield "a place is NaN or infinite"
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        yield f"it names points that there are not (of {count})"
    if len(np.unique(rows)) < len(rows):
        yield "it names a point twice"
    if (view.neighbours is None) != (view.distances is None):
        yield "neighbours and distances come together"
    elif view.neighbours is not None and view.distances is not None:
        if view.neighbours.shape != view.distances.shape or len(view.neighbours) != len(rows):
            yield "neighbours and distances do not fit its points"
        elif view.neighbours.size and not (
            view.neighbours.min() >= -1 and view.neighbours.max() < count
        ):
            yield f"a neighbour is a point that there is not (of {count})"
