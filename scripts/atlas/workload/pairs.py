"""How many pairs of contents there are to measure: exact by fingerprints, else at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.basis import sealed
from atlas.fingerprints.renamings import Renamings
from atlas.names.components import OTHER
from atlas.tensors.tensors import FLOATING
from atlas.workload.checkpoints import Checkpoint

COLUMNS = ["name", "component", "dtype", "shape", "numel", "digest", "nonfinite"]


@dataclass(frozen=True)
class Pairs:
    """Pairs of models, and what they have to compare."""

    models: int
    contents: int
    """Pairs of distinct contents of one name and shape."""
    elements: int
    """Pairs of elements of these."""
    distinct: int
    """Distinct contents."""
    distinct_elements: int
    """Elements of these: each is read once."""
    is_exact: bool
    """False where contents, elements and distinct are upper bounds."""


def pairs_of(
    checkpoints: Mapping[str, Checkpoint],
    fingerprints: Mapping[str, Path],
    renamings: Renamings | None = None,
) -> Pairs:
    """
    Return the pairs of a roster.

    Models with a fingerprint are compared with each other exactly. A pair of models one of which
    has none shares at most as many tensors, and as many elements, as the smaller one holds.

    Parameters
    ----------
    checkpoints
        All models.
    fingerprints
        Those of the models that have one.
    renamings
        Names to go by in the place of a fingerprint's own.
    """
    exact = counted(list(fingerprints.values()), renamings)
    known = [checkpoints[model] for model in fingerprints]
    others = [each for model, each in checkpoints.items() if model not in fingerprints]
    return Pairs(
        models=len(checkpoints) * (len(checkpoints) - 1) // 2,
        contents=exact.contents + _with_others([each.tensors for each in known], others, "tensors"),
        elements=exact.elements
        + _with_others([each.elements for each in known], others, "elements"),
        distinct=exact.distinct + sum(each.tensors for each in others),
        distinct_elements=exact.distinct_elements + sum(each.elements for each in others),
        is_exact=not others,
    )


def alike(models: int, checkpoint: Checkpoint) -> Pairs:
    """Return at most how many pairs models of one size have: as if all contents differed."""
    of_all = models * (models - 1) // 2
    return Pairs(
        models=of_all,
        contents=of_all * checkpoint.tensors,
        elements=of_all * checkpoint.elements,
        distinct=models * checkpoint.tensors,
        distinct_elements=models * checkpoint.elements,
        is_exact=False,
    )


def chosen(pairs: Pairs, measured: int | None, largest: Checkpoint) -> Pairs:
    """
    Return the pairs that are measured at most, where not all pairs of models are.

    Parameters
    ----------
    measured
        Pairs of models that are measured, at most; None for all.
    largest
        What no model has more of.
    """
    if measured is None or measured >= pairs.models:
        return pairs
    return replace(
        pairs,
        models=measured,
        contents=min(pairs.contents, measured * largest.tensors),
        elements=min(pairs.elements, measured * largest.elements),
        is_exact=False,
    )


def _with_others(known: list[int], others: Sequence[Checkpoint], what: str) -> int:
    """Sum the smaller of two over all pairs that have one of the others in them."""
    unknown = [getattr(each, what) for each in others]
    return _smaller_of_all_pairs([*known, *unknown]) - _smaller_of_all_pairs(known)


def _smaller_of_all_pairs(values: Sequence[int]) -> int:
    """
    Return the sum over all pairs of the smaller value.

    >>> _smaller_of_all_pairs([3, 1, 2])
    4
    """
    last = len(values) - 1
    return sum(value * (last - place) for place, value in enumerate(sorted(values)))


def counted(fingerprints: Sequence[Path], renamings: Renamings | None = None) -> Pairs:
    """
    Return the pairs of models that have a fingerprint.

    Contents that are not measured are left out as the distances leave them out: integers, the
    component `other`, and tensors with NaN or infinities.

    Raises
    ------
    DamagedFileError
        When a fingerprint is not as it was written.
    """
    models = len(fingerprints) * (len(fingerprints) - 1) // 2
    if not fingerprints:
        return Pairs(models, 0, 0, 0, 0, is_exact=True)
    tables = [_measurable(path, renamings or Renamings()) for path in fingerprints]
    # A digest is of dtype, shape and bytes: in a name and shape, its values are the contents.
    contents = _grouped(pa.concat_tables(tables), ["name", "shape", "digest"], numel="min")
    of_names = _grouped(contents, ["name", "shape"], digest="count", numel_min="min")
    held = of_names["digest_count"].to_numpy().astype(object)  # Python's integers: none overflows
    numel = of_names["numel_min_min"].to_numpy().astype(object)
    pairs = held * (held - 1) // 2
    return Pairs(
        models=models,
        contents=int(np.sum(pairs)),
        elements=int(np.sum(pairs * numel)),
        distinct=contents.num_rows,
        distinct_elements=int(np.sum(held * numel)),
        is_exact=True,
    )


def _grouped(table: pa.Table, by: list[str], **sums: str) -> pa.Table:
    """Aggregate columns by those that are named; each is called as pyarrow calls it."""
    return table.group_by(by).aggregate(list(sums.items()))


def _measurable(path: Path, renamings: Renamings) -> pa.Table:
    """Return name, shape as a text, numel and digest of the tensors that can be measured."""
    table, _ = sealed.read(path, COLUMNS)
    if renamings.tables:
        table = _renamed(table, renamings)
    is_measured = pc.and_(
        pc.is_in(table["dtype"], pa.array(sorted(FLOATING))),
        pc.and_(pc.not_equal(table["component"], OTHER), pc.equal(table["nonfinite"], 0)),
    )
    table = table.filter(is_measured)
    extents = table["shape"].cast(pa.list_(pa.string()))
    shapes = pc.binary_join(extents, pa.scalar("x"))
    return pa.table(
        {
            "name": table["name"], "shape": shapes, "numel": table["numel"],
            "digest": table["digest"],
        }
    )  # fmt: skip


def _renamed(table: pa.Table, renamings: Renamings) -> pa.Table:
    """Put the names that tensors go by in the place of their own."""
    names, components = table["name"].to_pylist(), table["component"].to_pylist()
    held: dict[str, list[str]] = {}
    for name, component in zip(names, components, strict=True):
        held.setdefault(component, []).append(name)
    go_by = {
        own: adopted.name
        for component, inside in held.items()
        for own, adopted in renamings.of(component, inside).items()
    }
    column = table.schema.get_field_index("name")
    return table.set_column(column, "name", pa.array([go_by.get(name, name) for name in names]))
