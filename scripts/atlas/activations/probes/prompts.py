"""Prompts of samples: a list of the settings, or a text file with one a line."""

from collections.abc import Sequence
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.basis.paths import unusable


def prompts_of(option: Sequence[str] | str | None) -> tuple[str, ...]:
    """
    Return the prompts that samples take in turn.

    Parameters
    ----------
    option
        Prompts, or the path of a file in UTF-8 with one a line; empty lines are passed over.

    Raises
    ------
    AtlasError
        There are none, or the file can't be read as text.
    """
    if option is None:
        raise AtlasError("prompts: none are given; name a text file with one a line, or a list")
    told = _lines(Path(option)) if isinstance(option, str) else tuple(option)
    if not told:
        raise AtlasError(f"prompts: {option if isinstance(option, str) else 'the list'} has none")
    return told


def _lines(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AtlasError(
            f"prompts: {path}: is no text in UTF-8 ({error.reason} at byte {error.start}); save it "
            "anew as UTF-8"
        ) from error
    except OSError as error:
        raise AtlasError(f"prompts: {path}: {unusable(path)}") from error
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def of_sample(prompts: Sequence[str], index: int) -> str:
    """Return the prompt of a sample: they take turns."""
    return prompts[index % len(prompts)]
