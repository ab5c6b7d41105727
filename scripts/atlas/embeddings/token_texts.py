"""The texts of a tokeniser's tokens by id, read from its files: no library of tokenisers needed."""

import json
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError


def texts_of(folder: Path) -> list[str]:
    """
    Return the text of each token; none where the folder's files do not tell.

    Of tokenizer.json, else vocab.json, with what was added; ids without a token are "".

    Raises
    ------
    AtlasError
        A file is there and holds something else.
    """
    numbers: dict[str, int] = {}
    try:
        if (folder / "tokenizer.json").is_file():
            told = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
            numbers = _vocabulary(told["model"]["vocab"])
            numbers |= {each["content"]: each["id"] for each in told.get("added_tokens", ())}
        else:
            for name in ("vocab.json", "added_tokens.json"):
                if (folder / name).is_file():
                    numbers |= _vocabulary(json.loads((folder / name).read_text(encoding="utf-8")))
        texts = [""] * (max(numbers.values(), default=-1) + 1)
        for text, number in numbers.items():
            texts[number] = text
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise AtlasError(
            f"{folder}: its tokens can't be read ({error}); fetch the tokenizer again"
        ) from error
    return texts


def _vocabulary(told: Any) -> dict[str, int]:
    """Return tokens by text: of a mapping, or of a list of [text, score] as Unigram has it."""
    if isinstance(told, list):
        return {str(text): number for number, (text, _) in enumerate(told)}
    return {str(text): int(number) for text, number in told.items()}
