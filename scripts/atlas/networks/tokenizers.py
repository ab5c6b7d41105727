"""Tokenisers: where that of a text encoder lies, and opened."""

import json
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError

FILES = ("tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model", "vocab.txt")
"""One of which a tokeniser's folder has."""


def folder_of(component: str) -> str:
    """
    Return what a pipeline calls the folder of a text encoder's tokeniser.

    >>> folder_of("text_encoder_2")
    'tokenizer_2'
    """
    return component.replace("text_encoder", "tokenizer")


def is_tokenizer(folder: Path) -> bool:
    """Tell whether a folder holds a tokeniser."""
    return any((folder / name).is_file() for name in FILES)


def opened(folder: Path) -> Any:
    """
    Return transformers' tokeniser of a folder; no code of the folder runs.

    Raises
    ------
    AtlasError
        It can't be read.
    """
    import transformers

    try:
        stated = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        name = str(stated.get("tokenizer_class", ""))
    except (OSError, ValueError):
        name = ""
    is_told = name.endswith(("Tokenizer", "TokenizerFast"))  # the folder may say anything
    kind = getattr(transformers, name.removesuffix("Fast"), None) if is_told else None
    try:
        if kind is not None:
            return kind.from_pretrained(folder, local_files_only=True)
        return transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        raise AtlasError(
            f"{folder}: can't be read as a tokenizer ({first_line(error)}); fetch it again"
        ) from error


def fetched(repository: str, subfolder: str) -> Path:
    """
    Return a tokeniser's folder on the hub, from the local cache or downloaded.

    Parameters
    ----------
    subfolder
        Of the repository; "" for the repository itself.

    Raises
    ------
    AtlasError
        It is in neither.
    """
    from huggingface_hub import snapshot_download

    place = f"{subfolder}/" if subfolder else ""
    wanted = [f"{place}{name}" for name in ("*.json", "*.txt", "*.model")]
    try:
        folder = Path(snapshot_download(repository, allow_patterns=wanted)) / subfolder
    except Exception as error:  # of the network, of many libraries
        raise AtlasError(
            f"{repository}: not in the hub's local cache, and not fetched ({first_line(error)})"
        ) from error
    if not is_tokenizer(folder):
        raise AtlasError(f"{repository}: has no tokenizer in {subfolder or 'its folder'}")
    return folder


def first_line(error: Exception) -> str:
    """Return the first line of what an error of another library says."""
    return (str(error) or type(error).__name__).splitlines()[0]
