"""The contents of a group's models side by side: which tensor holds which weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.basis import sealed
from atlas.fingerprints import matching
from atlas.fingerprints.renamings import Renamings
from atlas.names.components import OTHER
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import ROUNDED

IndexArray = npt.NDArray[np.int32]
FORETOLD = [f"digest_{dtype}" for dtype in ROUNDED]
"""Columns of the digests that a tensor has once rounded."""
DIGESTS = ["digest", *FORETOLD]
UNREAD = "unread "
"""What the digest of a stand-in for a component begins with: it is nobody else's."""
COLUMNS = [
    "key", "name", "component", "block", "role", "dtype", "shape", "numel",
    *DIGESTS, "norm", "rounding", "nonfinite",
]  # fmt: skip


class Status(IntEnum):
    """How the tensors of one name in two models stand to each other."""

    ABSENT = -1
    """In neither model."""
    IDENTICAL = 0
    CAST = 1
    """One is the other rounded to its dtype."""
    DIFFERENT = 2
    SHAPE = 3
    ONLY_A = 4
    ONLY_B = 5
    NONFINITE = 6
    REFUSED = 7
    """Stands for a whole component that one of the two has and that was not read."""

    @property
    def label(self) -> str:
        """The word that tables use."""
        return self.name.lower()


REFUSED = Status.REFUSED.label
"""Block, and last part of the name, of what stands for a component that was not read."""

COMPARED = (Status.IDENTICAL, Status.CAST, Status.DIFFERENT)


def compared(status: npt.NDArray[np.int8]) -> npt.NDArray[np.bool_]:
    """Return where the status is one of COMPARED, which are the lowest but ABSENT."""
    return (status >= 0) & (status <= max(COMPARED))


@dataclass(frozen=True)
class Contents:
    """
    Names × models, each cell pointing to one distinct content.

    `tensors` has a row per name (name, component, block, role), `contents` a row per distinct
    content of a name (digest, dtype, numel, norm and so on); `index` is int32 (names, models)
    and points into `contents`, -1 where the model has no such tensor. `keys` has the same
    shape and holds the names in the files; `adopted` tells where a model's tensor goes by the
    name that another model has for the same weights. `unread` has, per model, the components that
    it has and that were not read, with the reason: each stands as one tensor of that name in
    `tensors`, whose content equals nothing.
    """

    models: tuple[str, ...]
    tensors: pd.DataFrame
    contents: pd.DataFrame
    index: IndexArray
    keys: npt.NDArray[np.object_]
    adopted: npt.NDArray[np.bool_]
    unread: tuple[Mapping[str, str], ...]

    def status(self, first: IndexArray, second: IndexArray) -> npt.NDArray[np.int8]:
        """Return the Status of contents against contents of the same names, elementwise."""
        table = self.codes
        a, b = np.maximum(first, 0), np.maximum(second, 0)
        same = table["digest"][a] == table["digest"][b]
        cast = self.gives(first, second) | self.gives(second, first)
        nonfinite = (table["nonfinite"][a] | table["nonfinite"][b]).astype(bool)
        shape = table["shape"][a] != table["shape"][b]
        refused = table["refused"].astype(bool)
        refused = (refused[a] & (first >= 0)) | (refused[b] & (second >= 0))
        status = np.select(
            [
                (first < 0) & (second < 0), refused, second < 0, first < 0,
                same, shape, cast & ~nonfinite, nonfinite,
            ],
            [
                np.int8(Status.ABSENT), np.int8(Status.REFUSED),
                np.int8(Status.ONLY_A), np.int8(Status.ONLY_B),
                np.int8(Status.IDENTICAL), np.int8(Status.SHAPE), np.int8(Status.CAST),
                np.int8(Status.NONFINITE),
            ],
            np.int8(Status.DIFFERENT),
        )  # fmt: skip
        return np.asarray(status, dtype=np.int8)

    def gives(self, source: IndexArray, copy: IndexArray) -> npt.NDArray[np.bool_]:
        """Return where a copy is its source, or the source rounded to the copy's dtype."""
        table = self.codes
        of, wanted = np.maximum(source, 0), table["digest"][np.maximum(copy, 0)]
        found = table["digest"][of] == wanted
        for rounded in FORETOLD:
            found |= table[rounded][of] == wanted
        return np.asarray(found & (source >= 0) & (copy >= 0))

    @cached_property
    def is_rounding(self) -> npt.NDArray[np.bool_]:
        """Which contents have the digest that some other content has once rounded."""
        table = self.codes
        roundings = [table[column][table[column] != table["digest"]] for column in FORETOLD]
        return np.isin(table["digest"], np.concatenate(roundings))

    def numel(self, first: IndexArray, second: IndexArray) -> npt.NDArray[np.int64]:
        """Return the parameters of the pair's tensor: of two shapes those of the larger one."""
        numel = self.codes["numel"]
        a, b = (np.where(side < 0, 0, numel[np.maximum(side, 0)]) for side in (first, second))
        return np.maximum(a, b)

    @cached_property
    def codes(self) -> dict[str, npt.NDArray[np.int64]]:
        """The contents' columns as integers that are equal where the values are."""
        return _codes(self.contents)


def _codes(contents: pd.DataFrame) -> dict[str, npt.NDArray[np.int64]]:
    codes, _ = pd.factorize(np.concatenate([contents[column] for column in DIGESTS]))
    table = dict(zip(DIGESTS, codes.astype(np.int64).reshape(len(DIGESTS), -1), strict=True))
    # A missing rounding (integers) must equal no digest: factorize gives -1 to null.
    return table | {
        "shape": pd.factorize(contents["shape"])[0].astype(np.int64),
        "numel": contents["numel"].to_numpy(np.int64),
        "nonfinite": (contents["nonfinite"].to_numpy() > 0).astype(bool),
        "refused": contents["digest"].str.startswith(UNREAD).to_numpy(bool),
    }


def load(
    fingerprints: Sequence[Path], models: Sequence[str], renamings: Renamings | None = None
) -> Contents:
    """
    Lay the fingerprints of models side by side, leaving counters and schedules out.

    An adapter (LoRA) or an embedding has no tensors here: it is no model to compare with one.

    Parameters
    ----------
    renamings
        Names to go by, as distances were measured under them; None finds those of these models.

    Raises
    ------
    DamagedFileError
        A fingerprint is not as it was written.
    """
    if renamings is None:
        renamings = matching.find(fingerprints)
    laid = _Laid()
    for path, _ in zip(fingerprints, models, strict=True):
        rows, unread = _read(path)
        laid.add(_adopt_names(rows[rows["component"] != OTHER].reset_index(drop=True), renamings))
        laid.unread.append(unread)
    return laid.contents(models)


class _Laid:
    """Fingerprints laid side by side one by one; of each content its first row is kept."""

    def __init__(self) -> None:
        self.unread: list[dict[str, str]] = []
        self._rows: list[pd.DataFrame] = []
        self._names: dict[str, int] = {}
        self._digests: dict[str, int] = {}
        self._contents: dict[tuple[int, int], int] = {}
        self._keys: dict[str, str] = {}
        self._models: list[tuple[list[int], list[int], list[str], npt.NDArray[np.bool_]]] = []

    def add(self, rows: pd.DataFrame) -> None:
        """Take in a model's rows."""
        known = len(self._contents)
        names = [self._names.setdefault(each, len(self._names)) for each in rows["name"]]
        digests = [self._digests.setdefault(each, len(self._digests)) for each in rows["digest"]]
        contents = [
            self._contents.setdefault(pair, len(self._contents))
            for pair in zip(names, digests, strict=True)
        ]
        keys = [self._keys.setdefault(key, key) for key in rows["key"]]
        self._models.append((names, contents, keys, rows["adopted"].to_numpy(bool)))
        places, first = np.unique(contents, return_index=True)
        self._rows.append(rows.iloc[first[places >= known]])

    def contents(self, models: Sequence[str]) -> Contents:
        """Return all of it, names and contents sorted."""
        rows = pd.concat(self._rows, ignore_index=True)
        self._rows.clear()
        order = np.lexsort((_ranks(rows["digest"]), _ranks(rows["name"])))
        tensors = rows[["name", "component", "block", "role"]].drop_duplicates("name")
        kept = [each for each in COLUMNS if each not in ("key", "component", "block", "role")]
        rows = rows[kept].iloc[order].reset_index(drop=True)
        content, row = np.empty(len(order), np.int32), np.empty(len(tensors), np.int32)
        content[order] = np.arange(len(order))
        row[np.argsort(tensors["name"].to_numpy(object))] = np.arange(len(tensors))
        index = np.full((len(tensors), len(models)), -1, dtype=np.int32)
        keys = np.full(index.shape, None, dtype=object)
        adopted = np.zeros(index.shape, dtype=bool)
        for column, (names, contents, own_keys, own_adopted) in enumerate(self._models):
            index[row[names], column] = content[contents]
            keys[row[names], column] = own_keys
            adopted[row[names], column] = own_adopted
        return Contents(
            models=tuple(models),
            tensors=tensors.sort_values("name").reset_index(drop=True),
            contents=rows,
            index=index,
            keys=keys,
            adopted=adopted,
            unread=tuple(self.unread),
        )


def _ranks(words: pd.Series) -> npt.NDArray[np.int64]:
    """Return the places of words in their sorted order, equal where they are."""
    codes, _ = pd.factorize(words, sort=True)
    return codes.astype(np.int64)


def _adopt_names(rows: pd.DataFrame, renamings: Renamings) -> pd.DataFrame:
    """Let components go by the names that others have for the same weights."""
    rows["adopted"] = False
    if not renamings.tables:
        return rows
    for component, part in rows.groupby("component", sort=False):
        if named := renamings.of(str(component), part["name"].to_list()):
            adopted = [named[name] for name in part["name"]]
            rows.loc[part.index, ["name", "component", "block", "role"]] = [
                [one.name, one.component, one.block, one.role] for one in adopted
            ]
            rows.loc[part.index, "adopted"] = True
    return rows


def _read(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a fingerprint's rows, and the components that were not read with the reason."""
    table, notes = sealed.read(path, COLUMNS)
    noted = notes.get("unread", {})
    if notes.get("kind", MODEL) != MODEL:
        table = table.schema.empty_table()
    frame: pd.DataFrame = table.to_pandas()
    frame["shape"] = [str(list(shape)) if shape is not None else "" for shape in frame["shape"]]
    stands_for = [
        {
            "key": "",
            "name": f"{component}/{REFUSED}",
            "component": component,
            "block": REFUSED,
            "role": "other",
            "dtype": "",
            "shape": "",
            "numel": unread["numel"],
            "digest": f"{UNREAD}{path.stem} {component}",
            "norm": 0.0,
            "rounding": None,
            "nonfinite": 0,
        }
        for component, unread in noted.items()
    ]
    whole = pd.concat([frame, pd.DataFrame(stands_for)]) if stands_for else frame
    return whole, {component: each["reason"] for component, each in noted.items()}
