"""Prompts of a dataset's samples: a list, or a text file with one a line, gone through in turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Prompts:
    """What the samples are told: sample i the text number i modulo their count."""

    texts: tuple[str, ...] = ("",)

    def of(self, indices: Sequence[int]) -> list[str]:
        """
        Return the samples' prompts.

        >>> Prompts(("a cat", "a dog")).of([0, 1, 2])
        ['a cat', 'a dog', 'a cat']
        """
        return [self.texts[index % len(self.texts)] for index in indices]


def chosen(option: Any) -> Prompts:
    """
    Return the prompts that the option `prompts` says.

    Parameters
    ----------
    option
        None (one empty prompt), a list of texts, or the path of a UTF-8 file with one a line;
        blank lines of the file count for nothing.

    Raises
    ------
    AtlasError
        The option is nothing of that, the list or file is empty, or the file can't be read.
    """
    if option is None:
        return Prompts()
    if isinstance(option, str | Path):
        return Prompts(_read(Path(option)))
    if not isinstance(option, list | tuple) or not all(isinstance(text, str) for text in option):
        raise AtlasError(
            f"prompts: {option!r} is no list of texts; give one, or the path of a text file with "
            "a prompt a line"
        )
    if not option:
        raise AtlasError("prompts: the list is empty; leave the option out for an empty prompt")
    return Prompts(tuple(option))


def _read(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise _other_encoding(path) from error
    except OSError as error:
        raise AtlasError(
            f"prompts: {path}: can't be read ({error.strerror}); give the path of a text file with "
            "a prompt a line, or a list of prompts"
        ) from error
    if "\0" in text:  # UTF-16 without a mark
        raise _other_encoding(path)
    # not splitlines: it parts lines at characters that prompts may hold
    lines = [line.strip() for line in text.removeprefix(BYTE_ORDER_MARK).split("\n")]
    if not any(lines):
        raise AtlasError(f"prompts: {path}: holds no prompt; write one a line")
    return tuple(line for line in lines if line)


def _other_encoding(path: Path) -> AtlasError:
    return AtlasError(
        f"prompts: {path}: is no text in UTF-8; save it with that encoding (iconv -t UTF-8, or "
        "an editor's 'save with encoding')"
    )
