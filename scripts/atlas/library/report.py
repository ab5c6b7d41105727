"""What a checkpoint was identified as: in words, as a page, and as JSON for programs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas.basis.page import Section, called, listed, one_line
from atlas.library.entries import Entry
from atlas.library.gathering import Gathered, Told
from atlas.library.identifying import Identified, Stage
from atlas.library.index import CAST_OF, COPY, Match, Same
from atlas.library.intervals import Estimate
from atlas.models.description import KIND_WORDS
from atlas.names.components import WORDS
from atlas.tensors.tensors import Checkpoint

NAMED = 3
"""Of models that hold the same, so many are named."""


@dataclass(frozen=True)
class Report:
    """What is told of one checkpoint."""

    checkpoint: Checkpoint
    nbytes: int
    """Of its files."""
    found: Sequence[Identified]
    labels: Mapping[str, str]
    """Of the library's models, by id."""
    models: int
    """In the library."""
    claims: Sequence[str] = ()
    """What its metadata say of its making, in sentences."""

    @property
    def title(self) -> str:
        """The file's name, without its folder."""
        return self.checkpoint.path.name

    @property
    def read_bytes(self) -> int:
        """Of the weights, each once."""
        return sum(each.read_bytes for each in self.found)

    def duplicates(self) -> list[str]:
        """Return the models that hold all of its components bit for bit."""
        holders = [
            {same.model for same in each.same if same.relation == COPY} for each in self.found
        ]
        return sorted(set.intersection(*holders)) if holders else []

    def sentences(self) -> list[str]:
        """Return what was found, what decides first, in plain texts."""
        told = [self._header()]
        if duplicates := self.duplicates():
            told.append(f"A duplicate of {self._named(duplicates)}: all of it, bit for bit.")
        for each in self.found:
            told.append(f"{_word(each)}: {self._told(each)}")
            told += [f"{_word(each)}: {words}" for words in self._made_of(each)]
        told += [f"says of itself: {claim}" for claim in self.claims]
        return [one_line(sentence) for sentence in (*told, *self.checkpoint.findings)]

    def sections(self) -> list[Section]:
        """Return the tables: what it holds, and of each component its nearest relatives."""
        found = [self._holdings()]
        for each in self.found:
            if each.nearest:
                found.append(self._relatives(each))
            if any(part.weights for part in each.gathered):
                found.append(self._recipe(each))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return all of it; numbers are rounded to six digits."""
        return {
            "file": self.title,
            "kind": self.checkpoint.kind,
            "bytes": self.nbytes,
            "read_bytes": self.read_bytes,
            "models_in_library": self.models,
            "findings": list(self.checkpoint.findings),
            "claims": list(self.claims),
            "duplicate_of": self.duplicates(),
            "components": [self._component(each) for each in self.found],
            "unread": {name: each.in_full for name, each in self.checkpoint.unread.items()},
        }

    def _header(self) -> str:
        kind = KIND_WORDS.get(self.checkpoint.kind, ("a model", ""))[0]
        held = listed([_holding(each) for each in self.found])
        return f"{kind}, {_size(self.nbytes)}: {held or 'no weights that are read'}"

    def _told(self, each: Identified) -> str:
        if each.same:
            words = _relation(each.same[0])
            alike = [same for same in each.same if _relation(same) == words]
            return f"{words} {self._holders(alike, each.part.component)}"
        if each.stage == Stage.HEADER:
            return "nothing in the library has tensors like these; not read"
        if not each.nearest:
            return "the library has none of these weights, and no sketches to compare with"
        first = each.nearest[0]
        told = f"nearest is {self._named([first.model, *first.alike])}, {_distance(first)}"
        if first.same_blocks:
            told += f", {first.same_blocks} of {first.blocks} blocks the same bit for bit"
        return told + (f"; of {first.share:.0%} of it" if first.share < 0.995 else "")

    def _made_of(self, each: Identified) -> list[str]:
        """Return what a component is made of, in a sentence; nothing where no sum explains it."""
        weighed = [part for part in each.gathered if part.weights]
        if not weighed:
            return []
        if len(weighed) == 1:
            [part] = weighed
            blocks = sum(len(other.blocks) for other in each.gathered)
            where = (
                "" if len(part.blocks) == blocks else f" in {len(part.blocks)} of {blocks} blocks"
            )
            return [f"{part.told}{where}, {self._sum(part)}"]
        parents = list(dict.fromkeys(name for part in weighed for name in part.parents))
        exact = all(part.told is Told.BY_SKETCH for part in weighed)
        told = Told.BY_SKETCH if exact else Told.NEAR
        return [f"{told}, of {self._named(parents)}, with other weights in each block"]

    def _sum(self, part: Gathered) -> str:
        """Return weights and parents, as in 0.7 a + 0.3 b − 0.3 c."""
        terms: list[str] = []
        for weight, parent in zip(part.weights or (), part.parents, strict=True):
            sign = "− " if weight < 0 else "+ " if terms else ""
            terms.append(f"{sign}{_weight(abs(weight))} {called(parent, self.labels)}")
        return " ".join(terms)

    def _recipe(self, each: Identified) -> Section:
        header = ["blocks", "made of", "told", "error of weights", "leaves", "of the distance"]
        rows = [
            [
                _run(part),
                self._sum(part) if part.weights else self._named(part.parents),
                str(part.told),
                _digits(max(part.errors)) if part.errors else "",
                _digits(part.residual) if part.weights else "",
                _digits(part.distance),
            ]
            for part in each.gathered
        ]
        return Section(
            f"{WORDS.get(each.part.component, each.part.component)}: made of, by sketch",
            "Exact as far as sketches tell. What a sum leaves and the distance from the nearest "
            "model are L2.",
            header,
            rows,
            frozenset({0, 2}),
            frozenset({1}),
        )

    def _holders(self, same: Sequence[Same], component: str) -> str:
        names = [
            called(each.model, self.labels)
            + (
                ""
                if each.component == component
                else f": {WORDS.get(each.component, each.component)}"
            )
            + (" (under other names)" if each.is_renamed and each.component == component else "")
            for each in same
        ]
        return listed(names, NAMED)

    def _named(self, models: Sequence[str]) -> str:
        return listed([called(model, self.labels) for model in models], NAMED)

    def _holdings(self) -> Section:
        header = [
            "component",
            "architecture",
            "dtype",
            "tensors",
            "parameters",
            "decided by",
            "read",
        ]
        rows = [
            [
                WORDS.get(each.part.component, each.part.component),
                each.part.architecture or "",
                " ".join(each.part.dtypes),
                str(each.part.tensors),
                f"{each.part.parameters:,}",
                each.stage.value,
                f"{each.read_bytes / max(each.part.nbytes, 1):.0%}",
            ]
            for each in self.found
        ]
        return Section("What it holds", "", header, rows, frozenset({0, 1, 2, 5}))

    def _relatives(self, each: Identified) -> Section:
        header = ["model", "relative L2", "from", "to", "of it", "blocks the same", "as"]
        rows = []
        for match in each.nearest:
            bounds = match.relative
            rows.append(
                [
                    called(match.model, self.labels),
                    *(
                        (_digits(bounds.l2), _digits(bounds.low), _digits(bounds.high))
                        if bounds
                        else ("", "", "")
                    ),
                    f"{match.share:.0%}",
                    f"{match.same_blocks} of {match.blocks}",
                    self._named(match.alike) if match.alike else "",
                ]
            )
        return Section(
            f"{WORDS.get(each.part.component, each.part.component)}: nearest by sketch",
            "Bounds hold the true distance 95 times in 100.",
            header,
            rows,
            frozenset({0}),
            frozenset({6}),
        )

    def _component(self, each: Identified) -> dict[str, Any]:
        part = each.part
        return {
            "component": part.component,
            "architecture": part.architecture,
            "dtypes": list(part.dtypes),
            "tensors": part.tensors,
            "parameters": part.parameters,
            "bytes": part.nbytes,
            "read_bytes": each.read_bytes,
            "decided_by": each.stage.value,
            "same": [
                {
                    "model": same.model,
                    "component": same.component,
                    "relation": same.relation,
                    "dtype": same.dtype,
                    "renamed": same.is_renamed,
                }
                for same in each.same
            ],
            "nearest": [
                {
                    "model": match.model,
                    "alike": list(match.alike),
                    "relative_l2": _numbers(match.relative),
                    "l2": _numbers(match.l2),
                    "share": float(f"{match.share:.6g}"),
                    "same_blocks": match.same_blocks,
                    "blocks": match.blocks,
                }
                for match in each.nearest
            ],
            "made_of": [
                {
                    "blocks": list(part.blocks),
                    "told": str(part.told),
                    "parents": list(part.parents),
                    "weights": _rounded(part.weights),
                    "errors": _rounded(part.errors),
                    "residual": float(f"{part.residual:.6g}"),
                    "distance": float(f"{part.distance:.6g}"),
                }
                for part in each.gathered
            ],
        }


def labels_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return what the models of a library are called, by id."""
    return {entry.model: entry.label for entry in entries}


def _word(each: Identified) -> str:
    return WORDS.get(each.part.component, each.part.component)


def _holding(each: Identified) -> str:
    architecture = f" ({each.part.architecture})" if each.part.architecture else ""
    return f"{_word(each)}{architecture} in {' and '.join(each.part.dtypes)}"


def _relation(same: Same) -> str:
    if same.relation == COPY:
        return "bit for bit that of"
    if same.relation == CAST_OF:
        return f"rounded to {same.dtype}, bit for bit, from that of"
    return f"rounds to {same.dtype}, bit for bit, as that of"


def _distance(match: Match) -> str:
    if match.l2.l2 == 0:
        return "so near that sketches do not tell them apart"
    if match.relative is None:
        return "at a distance that has no norm to be told by"
    each = match.relative
    return f"relative L2 {_digits(each.l2)} ({_digits(each.low)} to {_digits(each.high)})"


def _digits(value: float) -> str:
    return f"{value:.3g}"


def _numbers(each: Estimate | None) -> dict[str, float] | None:
    if each is None:
        return None
    told = {"estimate": each.l2, "low": each.low, "high": each.high}
    return {name: float(f"{value:.6g}") for name, value in told.items()}


def _rounded(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else [float(f"{value:.6g}") for value in values]


def _weight(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _run(part: Gathered) -> str:
    blocks = part.blocks
    return ", ".join(blocks) if len(blocks) < 3 else f"{blocks[0]} … {blocks[-1]} ({len(blocks)})"


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.2f} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.1f} MB"
