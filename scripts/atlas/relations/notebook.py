"""The "mega similarity check" notebook's result file: `{ml, cm, dm}` in JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.tables import replacing
from atlas.relations.matrices import Matrix

COMPONENTS = {"te": "text_encoder", "te0": "text_encoder", "te1": "text_encoder_2"}
"""The notebook's names of components that diffusers names otherwise."""

FILE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
"""What a component may be called, as ids and groups are: it names files."""

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Notebook:
    """What the file holds, under the notebook's own names."""

    models: tuple[str, ...]
    """`ml`: file names in the order of the matrices' rows."""
    comparisons: tuple[tuple[str, tuple[tuple[tuple[int, str], tuple[int, str]], ...]], ...]
    """`cm`: per folder its name and the compared pairs, each model as (row, path)."""
    distances: dict[str, NDArray[np.float64]]
    """`dm`: component to its (N, N) matrix of L2; NaN where not compared."""

    @property
    def compared(self) -> frozenset[Pair]:
        """Rows of the pairs that were compared, the smaller first."""
        return frozenset(
            (min(a, b), max(a, b)) for _, pairs in self.comparisons for (a, _), (b, _) in pairs
        )


def read(path: Path) -> Notebook:
    """Read a result file; raise AtlasError naming the file, the place and what is expected."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AtlasError(f"{path}: cannot be read as the notebook's JSON ({error})") from error
    _require(path, isinstance(content, dict), "expected an object with ml, cm and dm")
    for key in ("ml", "cm", "dm"):
        hint = nearest(key, content)
        _require(
            path,
            key in content,
            f"key {key} is missing (ml: models, cm: pairs, dm: distances){hint}",
        )
    models = _models(path, content["ml"])
    return Notebook(
        models=models,
        comparisons=_comparisons(path, content["cm"], models),
        distances=_distances(path, content["dm"], models),
    )


def write(notebook: Notebook, path: Path, note: str = "") -> None:
    """
    Write the result file as the notebook does: keys sorted, four spaces, floats that round-trip.

    A pair that was not compared is NaN, which Python's json writes and reads as `NaN`. A note
    stands beside the notebook's own keys.
    """
    content: dict[str, Any] = {"note": note} if note else {}
    content |= {
        "ml": list(notebook.models),
        "cm": [
            [name, [[[f"m{row}", file] for row, file in pair] for pair in pairs]]
            for name, pairs in notebook.comparisons
        ],
        "dm": {component: matrix.tolist() for component, matrix in notebook.distances.items()},
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=4, sort_keys=True), encoding="utf-8")


def matrices(
    notebook: Notebook, *, group: str, base: str | None = None, ordered: bool = False
) -> dict[str, Matrix]:
    """
    Return the notebook's matrices by component, under the atlas's names.

    A model's id is its file name, with #2, #3 behind it where the name comes again. Pairs that
    `cm` does not list were not compared. A 0 between two models stays ambiguous: the notebook
    writes it for identical models and for those without a key in common.
    """
    ids = _ids(notebook.models)
    apart = _apart(len(ids), notebook.compared)
    return {
        _component(name, notebook.distances): Matrix(
            ids=ids,
            labels=notebook.models,
            values=np.where(apart, np.nan, values),
            identical=np.eye(len(ids), dtype=bool),
            component=_component(name, notebook.distances),
            group=group,
            base=base,
            ordered=ordered,
            ambiguous_zeros=True,
        )
        for name, values in notebook.distances.items()
    }


def from_matrices(matrices: Sequence[Matrix], files: Mapping[str, str], group: str) -> Notebook:
    """
    Return L2 matrices of one group in the notebook's form; files gives each model's path by id.

    Raises ValueError for another measure than l2 or for matrices of different models.
    """
    first = matrices[0]
    if any(matrix.ids != first.ids or matrix.measure != "l2" for matrix in matrices):
        raise ValueError("the notebook's form holds L2 matrices of the same models")
    compared = np.any([~np.isnan(matrix.values) for matrix in matrices], axis=0)
    pairs = tuple(
        ((a, files[first.ids[a]]), (b, files[first.ids[b]]))
        for a, b in combinations(range(len(first)), 2)
        if compared[a, b]
    )
    several = any(matrix.component == "text_encoder_2" for matrix in matrices)
    names = {"text_encoder": "te0" if several else "te", "text_encoder_2": "te1"}
    return Notebook(
        models=tuple(PureWindowsPath(files[model]).name for model in first.ids),
        comparisons=((group, pairs),),
        distances={names.get(m.component, m.component): m.values for m in matrices},
    )


def without_distances(files: Mapping[str, str], group: str) -> Notebook:
    """Return the form of a group without a component to compare; files gives each model's path."""
    return Notebook(
        models=tuple(PureWindowsPath(file).name for file in files.values()),
        comparisons=((group, ()),),
        distances={},
    )


def _component(name: str, present: Mapping[str, object]) -> str:
    if name == "te" and "te0" in present:  # the two would share a name; te is SD1's, te0 is SDXL's
        return name
    return COMPONENTS.get(name, name)


def _ids(models: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    ids = []
    for model in models:
        seen[model] = seen.get(model, 0) + 1
        ids.append(model if seen[model] == 1 else f"{model}#{seen[model]}")
    return tuple(ids)


def _apart(size: int, compared: frozenset[Pair]) -> NDArray[np.bool_]:
    apart = ~np.eye(size, dtype=bool)
    for a, b in compared:
        apart[a, b] = apart[b, a] = False
    return apart


def _require(path: Path, holds: bool, problem: str) -> None:
    if not holds:
        raise AtlasError(f"{path}: not the notebook's form: {problem}")


def _models(path: Path, names: Any) -> tuple[str, ...]:
    fits = isinstance(names, list) and len(names) > 0 and all(isinstance(n, str) for n in names)
    _require(path, fits, "ml must be a list of file names")
    return tuple(names)


def _comparisons(
    path: Path, folders: Any, models: tuple[str, ...]
) -> tuple[tuple[str, tuple[tuple[tuple[int, str], tuple[int, str]], ...]], ...]:
    shape = "cm must be a list of [folder, list of pairs]"
    _require(path, isinstance(folders, list), shape)
    result = []
    for folder in folders:
        _require(path, isinstance(folder, list) and len(folder) == 2, shape)
        name, pairs = folder
        _require(path, isinstance(name, str) and isinstance(pairs, list), shape)
        result.append((name, tuple(_pair(path, pair, models) for pair in pairs)))
    return tuple(result)


def _pair(
    path: Path, pair: Any, models: tuple[str, ...]
) -> tuple[tuple[int, str], tuple[int, str]]:
    fits = isinstance(pair, list) and len(pair) == 2
    _require(path, fits, f"a pair in cm must be two of ['m<row>', path], not {pair!r}")
    return _member(path, pair[0], models), _member(path, pair[1], models)


def _member(path: Path, member: Any, models: tuple[str, ...]) -> tuple[int, str]:
    fits = (
        isinstance(member, list)
        and len(member) == 2
        and all(isinstance(part, str) for part in member)
        and member[0][:1] == "m"
        and member[0][1:].isdecimal()
    )
    _require(path, fits, f"a model in cm must be ['m<row>', path], not {member!r}")
    row, file = int(member[0][1:]), member[1]
    _require(path, row < len(models), f"cm names row {member[0]}, but ml has {len(models)} models")
    name = PureWindowsPath(file).name  # splits at / and at \, so files from Windows fit too
    _require(
        path, name == models[row], f"cm calls {member[0]} {name}, but ml has {models[row]} there"
    )
    return row, file


def _distances(
    path: Path, components: Any, models: tuple[str, ...]
) -> dict[str, NDArray[np.float64]]:
    _require(
        path,
        isinstance(components, dict) and components != {},
        "dm must map components to matrices",
    )
    for name in components:
        _require(
            path,
            bool(FILE_NAME.fullmatch(name)),
            f"dm › {name!r} names files: letters, digits, and . _ - inside",
        )
    return {name: _square(path, name, rows, models) for name, rows in components.items()}


def _square(path: Path, name: str, rows: Any, models: tuple[str, ...]) -> NDArray[np.float64]:
    size = len(models)
    fits = isinstance(rows, list) and len(rows) == size
    fits = fits and all(isinstance(row, list) and len(row) == size for row in rows)
    _require(
        path, fits, f"dm › {name} must be {size} rows of {size} numbers, as ml has {size} models"
    )
    numbers = all(type(cell) in (int, float) for row in rows for cell in row)
    _require(path, numbers, f"dm › {name} holds something that is no number")
    values = np.array(rows, dtype=np.float64)
    usable = np.isnan(values) | (np.isfinite(values) & (values >= 0))
    for a, b in np.argwhere(~usable)[:1]:
        _require(path, False, f"dm › {name}: {models[a]} to {models[b]} is {values[a, b]}")
    differ = (values != values.T) & ~(np.isnan(values) & np.isnan(values.T))
    for a, b in np.argwhere(differ)[:1]:
        found = f"{values[a, b]} one way and {values[b, a]} the other"
        _require(path, False, f"dm › {name}: {models[a]} to {models[b]} is {found}")
    _require(path, not np.diag(values).any(), f"dm › {name}: a model's distance to itself is not 0")
    return values
