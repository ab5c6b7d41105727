"""A table of the checkpoints below a folder, by headers alone, that goes on where it ended."""

import csv
import io
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from atlas.basis import tables
from atlas.basis.errors import AtlasError
from atlas.basis.page import one_line
from atlas.checkpoint import files_of
from atlas.library.entries import Entry
from atlas.library.headers import BROKEN, Header, Headers, stat_of
from atlas.roster.searching import candidates

TOGETHER = 200
"""Rows that are appended at once: as many are looked at again after a run that was killed."""

REPORTED_SECONDS = 10.0
"""Between two words of how far it is."""


@dataclass(frozen=True)
class Row:
    """One checkpoint, as the table has it: all texts."""

    path: str
    """Relative to the folder."""
    format: str
    """`safetensors`, `pytorch`, `diffusers` (a folder), or "" where it is none of them."""
    kind: str
    """`model`, `vae`, `text encoder`, `controlnet`, `lora`, `embedding` or `broken`."""
    architecture: str
    components: str
    dtype: str
    """The commonest first."""
    parameters: str
    bytes: str
    mtime_ns: str
    """Of the file changed last."""
    claims: str
    """Who wrote its metadata."""
    like: str
    """A model of the library that has components of the same names and shapes."""
    alike: str
    """Which components, of how many models of the library all of these."""
    library: str
    """Digest of the library that `like` is of."""
    problem: str

    @property
    def state(self) -> tuple[str, str, str]:
        """What tells whether it is to be looked at again."""
        return self.bytes, self.mtime_ns, self.library


COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True)
class Summary:
    """What a run has done."""

    rows: tuple[Row, ...]
    """All that is below the folder now, in order of path."""
    looked_at: int
    """Of these, the new and changed ones."""


class Shelves:
    """A library's components by the names and shapes of their tensors."""

    def __init__(self, entries: Sequence[Entry], state: str) -> None:
        self.state = state
        self._models: dict[tuple[str, str], set[str]] = {}
        for entry in entries:
            for part in entry.parts:
                self._models.setdefault((part.component, part.layout), set()).add(entry.model)

    def like(self, header: Header) -> tuple[str, str]:
        """Return the first model that has the most components alike, and which these are."""
        held = {
            component: self._models.get((component, layout), set())
            for component, layout in (header.layouts or {}).items()
        }
        counts = Counter(model for models in held.values() for model in models)
        if not counts:
            return "", ""
        best = min(counts, key=lambda model: (-counts[model], model))
        same = [component for component, models in held.items() if best in models]
        others = sum(count == counts[best] for count in counts.values())
        return best, f"{' '.join(same)}, {others} model{'s' * (others != 1)}"


def triage(folder: Path, table: Path, shelves: Shelves) -> Summary:
    """
    Bring the table of a folder's checkpoints up to date: only new and changed ones are looked at.

    Rows are appended as they come, so that a run that was killed loses little. In the end the table
    is written anew, in order of path, with what is there now.

    Raises
    ------
    AtlasError
        The folder does not exist, or the table is none of this kind.
    """
    patterns, left_out = candidates(folder)
    known = _known(table)
    rows: dict[str, Row] = {}
    fresh: list[Row] = []
    looked_at = 0
    headers, told_at = Headers(), time.monotonic()
    seen: set[frozenset[Path]] = set()
    # what lies there itself comes before links to it
    for path in sorted(patterns, key=lambda path: (path.is_symlink(), path)):
        name = _name(path, folder)
        try:
            files = files_of(patterns[path])
            real = frozenset(file.resolve() for file in files)
            size, changed = stat_of(files)
        except (AtlasError, OSError) as error:
            rows[name] = _unreadable(name, str(error).removeprefix(f"{path}: "), shelves)
            continue
        if real in seen:
            continue
        seen.add(real)
        row = known.get(name)
        if row is None or row.state != (str(size), str(changed), shelves.state):
            row = _row(name, headers.of(patterns[path]), size, changed, shelves)
            looked_at += 1
            fresh.append(row)
        rows[name] = row
        if len(fresh) >= TOGETHER:
            _append(table, fresh)
            fresh.clear()
        if time.monotonic() - told_at > REPORTED_SECONDS:
            told_at = time.monotonic()
            logging.info("%d of %d", len(rows), len(patterns))
    for each in left_out:
        name = _name(each.path, folder)
        rows[name] = _unreadable(name, each.reason, shelves)
    ordered = tuple(rows[name] for name in sorted(rows))
    tables.write_text(_text([COLUMNS, *map(_cells, ordered)]), table)
    return Summary(ordered, looked_at)


def _row(
    name: str,
    told: tuple[Header, str, tuple[str, ...]],
    size: int,
    changed: int,
    shelves: Shelves,
) -> Row:
    header, form, writers = told
    like, alike = shelves.like(header)
    return Row(
        path=name,
        format=form,
        kind=header.kind,
        architecture=" ".join(header.architectures),
        components=" ".join(map(one_line, header.components)),
        dtype=" ".join(header.dtypes),
        parameters=str(header.parameters) if header.kind != BROKEN else "",
        bytes=str(size),
        mtime_ns=str(changed),
        claims=" ".join(writers),
        like=like,
        alike=alike,
        library=shelves.state,
        problem=header.problem,
    )


def _unreadable(name: str, problem: str, shelves: Shelves) -> Row:
    empty = dict.fromkeys(COLUMNS, "")
    told = {"path": name, "kind": BROKEN, "library": shelves.state, "problem": one_line(problem)}
    return Row(**(empty | told))


def _name(path: Path, folder: Path) -> str:
    return one_line(path.relative_to(folder).as_posix())


def _known(table: Path) -> dict[str, Row]:
    """Return the rows of an earlier run; a last line that was cut short is left out."""
    if not table.is_file():
        return {}
    text = table.read_text(encoding="utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        tables.write_text(whole, table)
    head, *lines = [*csv.reader(io.StringIO(whole, newline=""))] or [[]]
    if head and tuple(head) != COLUMNS:
        raise AtlasError(f"{table}: no table of checkpoints; move it, or name another by --table")
    return {line[0]: Row(*line) for line in lines if len(line) == len(COLUMNS)}


def _append(table: Path, rows: Sequence[Row]) -> None:
    table.parent.mkdir(parents=True, exist_ok=True)
    is_new = not table.is_file() or table.stat().st_size == 0
    with table.open("a", encoding="utf-8", newline="") as file:
        file.write(_text([*([COLUMNS] if is_new else []), *map(_cells, rows)]))


def _cells(row: Row) -> Iterator[str]:
    return (getattr(row, column) for column in COLUMNS)


def _text(lines: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)  # type: ignore[arg-type]
    return text.getvalue()
