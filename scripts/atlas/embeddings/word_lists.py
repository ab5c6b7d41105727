"""Lists of words: each alone, in upper case and inside a sentence; nothing of torch here."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import CONFIG
from atlas.basis.validation import Fault, FaultyFileError, read_yaml, schema, schema_faults, show

SHIPPED = CONFIG / "prompts"
SUFFIXES = (".yaml", ".yml", ".txt")

ALONE, UPPER, SENTENCE = "alone", "upper case", "sentence"
"""How a word stands in a text."""


@dataclass(frozen=True)
class Row:
    """One text that is encoded."""

    word: str
    category: str
    """"" where the list has none."""
    variant: str
    """`alone`, `upper case` or `sentence`."""
    text: str
    start: int = 0
    """Of the word in the text, in characters."""

    @property
    def stop(self) -> int:
        """Where the word ends in the text."""
        return self.start + len(self.word)


@dataclass(frozen=True)
class WordList:
    """A list of words as its file has it."""

    name: str
    title: str
    rows: tuple[Row, ...]
    """Word after word: alone, in upper case where that differs, inside the sentence."""
    axes: tuple[tuple[str, str], ...] = ()
    """Pairs of words, between which the others are placed."""

    @property
    def words(self) -> int:
        """How many words there are."""
        return sum(row.variant == ALONE for row in self.rows)


def digest(rows: Sequence[Row]) -> str:
    """Return what is equal for equal texts, in the same order."""
    told = json.dumps([(row.text, row.start, row.stop) for row in rows])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def shipped() -> list[str]:
    """Return the names of the lists that come with the workflow."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def place_of(given: str) -> Path:
    """
    Return the file of a list: one that comes with the workflow by its name, or a path.

    Raises
    ------
    AtlasError
        There is none; with the nearest name.
    """
    if given in shipped():
        return SHIPPED / f"{given}.yaml"
    path = Path(given)
    if path.suffix.lower() in SUFFIXES:
        if path.is_file():
            return path
        near = nearest(path.name, [each.name for each in path.parent.glob("*")])
        raise AtlasError(f"{given}: no such list of words{near}")
    raise AtlasError(
        f"{given}: no list of words of this name{nearest(given, shipped())}; there are "
        f"{', '.join(shipped())}, or give the path of a .yaml or .txt file"
    )


def read(path: Path) -> WordList:
    """
    Read a list: YAML as docs/embeddings.md tells, or text with a word a line.

    Raises
    ------
    AtlasError
        It can't be read as UTF-8 or YAML, or has faults: all of them are told.
    """
    document = _lines(path) if path.suffix.lower() == ".txt" else _checked(path)
    by_category = document["words"]
    if not isinstance(by_category, Mapping):
        by_category = {"": by_category}
    rows = list(_rows(by_category, document.get("sentence")))
    axes = tuple((first, second) for first, second in document.get("axes", ()))
    if faults := [*_word_faults(by_category), *_axis_faults(axes, {row.word for row in rows})]:
        raise FaultyFileError(path, faults)
    return WordList(path.stem, document.get("title", path.stem), tuple(rows), axes)


def _lines(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AtlasError(
            f"{path}: not a text file in UTF-8 ({error.reason}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise AtlasError(f"{path}: can't be read ({error.strerror})") from error
    words = [line.strip() for line in text.splitlines()]
    kept = [word for word in words if word and not word.startswith("#")]
    if not kept:
        raise AtlasError(f"{path}: has no words; write one a line")
    return {"words": kept}


def _checked(path: Path) -> dict[str, Any]:
    document, faults = read_yaml(path)
    if document is None:
        raise FaultyFileError(path, [Fault((), "an empty file", "expected the key words")])
    faults += schema_faults(document, schema("words"))
    if faults:
        raise FaultyFileError(path, faults)
    checked: dict[str, Any] = document
    return checked


def _rows(by_category: Mapping[str, list[str]], sentence: str | None) -> Iterator[Row]:
    for category, words in by_category.items():
        for word in words:
            yield Row(word, category, ALONE, word)
            if len(word.upper()) == len(word) and word.upper() != word:
                yield Row(word, category, UPPER, word.upper())
            if sentence is not None:
                before, after = sentence.split("{}")
                yield Row(word, category, SENTENCE, f"{before}{word}{after}", len(before))


def _word_faults(by_category: Mapping[str, list[str]]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for category, words in by_category.items():
        for place, word in enumerate(words):
            key = ("words", *([category] if category else []), str(place + 1))
            if not word.strip():
                yield Fault(key, show(word) or "nothing", "an empty word; delete it")
            elif word != word.strip() or not word.isprintable():
                yield Fault(key, show(word), "spaces around it, or a line break in it; delete them")
            elif word.lower() in seen:
                yield Fault(
                    key, show(word), f"there already, as {seen[word.lower()]}; delete one of them"
                )
            seen.setdefault(word.lower(), show(word))


def _axis_faults(axes: tuple[tuple[str, str], ...], words: set[str]) -> Iterator[Fault]:
    for number, pair in enumerate(axes, start=1):
        for word in pair:
            if word not in words:
                yield Fault(
                    ("axes", str(number)),
                    show(word),
                    f"not a word of the list{nearest(word, words)}",
                )
        if pair[0] == pair[1]:
            yield Fault(("axes", str(number)), show(pair[0]), "an axis needs two different words")
