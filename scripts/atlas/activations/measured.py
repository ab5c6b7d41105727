"""A dataset's plan beside what its jobs took. Nothing of torch here."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from atlas.activations.plan_assumptions import assumed
from atlas.activations.plan_files import Row
from atlas.basis import tables
from atlas.basis.errors import AtlasError

WITHIN = 1.5
"""A figure holds when planned and measured differ by no more than this factor."""

KINDS = ("samples", "means", "maps", "images")
"""Files of a chunk, as its record and the plan call them."""

Kind = Literal["estimate", "bound", "guess"]


@dataclass(frozen=True)
class Comparison:
    """One figure of a plan beside the measured one."""

    quantity: str
    of: str
    unit: str
    planned: float
    measured: float
    ratio: float
    """Planned over measured."""
    kind: Kind
    """
    An estimate holds within the factor to either side, a bound where it is not exceeded; a guess,
    of a time, depends on the machine and on what else runs there.
    """
    is_within: bool


COLUMNS = tuple(field.name for field in fields(Comparison))


def compared(
    plan: Iterable[Row],
    records: Sequence[Mapping[str, Any]],
    *,
    sizes: Mapping[str, int] | None = None,
    embedding_mb: float | None = None,
) -> list[Comparison]:
    """
    Return each figure of a plan that was measured.

    Parameters
    ----------
    plan
        Rows of the plan.
    records
        What the chunks tell of themselves.
    sizes
        Bytes of files made of all chunks, by name: umap.csv, ...
    embedding_mb
        Peak of the embedding's memory, `max_rss` of Snakemake's benchmark.

    Raises
    ------
    AtlasError
        The plan lacks a figure that was measured: it is another dataset's.
    """
    figures = {(row.quantity, row.of): row.value for row in plan}
    by_model: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_model.setdefault(record["model"], []).append(record)
    found = [each for model, own in by_model.items() for each in _of_model(figures, model, own)]
    seconds = sum(sum(record["seconds"].values()) for record in records)
    if records:
        found.append(_comparison(figures, "drawing", "the dataset", "s", seconds, "guess"))
    for name, size in (sizes or {}).items():
        if (name, "the dataset") in figures:
            kind: Kind = "bound" if name.startswith("viewer") else "estimate"
            found.append(_comparison(figures, name, "the dataset", "B", size, kind))
    if embedding_mb:
        held = embedding_mb * 2**20  # psutil's, which Snakemake divides by 1024 twice
        found.append(
            _comparison(figures, "RAM of the embedding", "the dataset", "B", held, "estimate")
        )
    return found


def _of_model(
    figures: Mapping[tuple[str, str], int], model: str, records: Sequence[Mapping[str, Any]]
) -> Iterator[Comparison]:
    for kind in KINDS:
        total = sum(record["bytes"][kind] for record in records)
        if total or figures.get((f"chunks: {kind}", model)):
            yield _comparison(figures, f"chunks: {kind}", model, "B", total, "estimate")
    held = max(record["peak_rss_bytes"] for record in records)
    yield _comparison(figures, "RAM of a job", model, "B", held, "estimate")
    device = max(record["peak_device_bytes"] for record in records)
    if device:
        # the device's own allocator does not count its context
        context = int(assumed()["cuda"]["device"])
        yield _comparison(figures, "VRAM of a job", model, "B", device + context, "estimate")


def _comparison(
    figures: Mapping[tuple[str, str], int],
    quantity: str,
    of: str,
    unit: str,
    measured: float,
    kind: Kind,
) -> Comparison:
    if (quantity, of) not in figures:
        raise AtlasError(
            f"plan.csv: has no {quantity} of {of}, which was measured; delete it and run again"
        )
    planned = figures[quantity, of]
    ratio = planned / measured if measured else float(planned == 0) or float("inf")
    is_within = ratio >= 1 if kind == "bound" else 1 / WITHIN <= ratio <= WITHIN
    return Comparison(
        quantity, of, unit, planned, round(measured, 1), round(ratio, 3), kind, is_within
    )


def read_record(path: Path) -> dict[str, Any]:
    """
    Return what a chunk tells of itself.

    Raises
    ------
    AtlasError
        It is not there, or no record.
    """
    needed = {"model", "seconds", "peak_rss_bytes", "peak_device_bytes", "bytes"}
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if missing := needed - set(record):
            raise ValueError(f"lacks {', '.join(sorted(missing))}")
    except (OSError, ValueError) as error:
        raise AtlasError(
            f"{path}: is no record of a chunk ({error}); delete it and run again"
        ) from error
    return record


def read_peak(path: Path) -> float | None:
    """Return the RAM in MB (2**20 bytes) that a job tells of itself; None where it told nothing."""
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    return float(told["peak_rss_bytes"]) / 2**20


def write(comparisons: Iterable[Comparison], path: Path) -> None:
    """Write plan and measurement as CSV."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(each) for each in comparisons)
    tables.write_text(text.getvalue(), path)
