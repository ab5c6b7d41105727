"""Texts that were saved as weights: what a server answered in their place."""

import re
from codecs import BOM_UTF8
from pathlib import Path

HEAD_BYTES = 512
"""Of a file, by which it is told whether it is a text."""

MOST_WORDS = 60
"""Characters that are quoted."""

KINDS = (
    (re.compile(r"(?i)<(!doctype html|html|head|body)"), "a web page"),
    (re.compile(r"<\?xml"), "an XML text"),
    (re.compile(r"[{\[]"), "a JSON text"),
)
"""By how a text begins; other texts are just that."""

DOCUMENTS = frozenset({".json", ".yaml", ".yml", ".txt", ".md", ".html", ".csv", ".py", ".toml"})
"""Suffixes of files that are meant to be texts."""

PICKLES = re.compile(r"[(\])}]|c[\w.]+\n[\w.]+\n|[IL]-?\d+L?\n|N\.")
"""How pickles of protocol 0 begin, which are texts too."""

LOCKED = re.compile(
    r"(?i)\b40[13]\b|log.?in|sign.?in|unauthori[sz]ed|authenticat|denied|forbidden|restricted|gated"
    r"|password"
)
"""Words of servers that give a file only to those whom they know."""


def told(file: Path) -> str | None:
    """Return what a file of text is, its first words and the remedy; None where it is no text."""
    with file.open("rb") as stream:
        text = _text(stream.read(HEAD_BYTES))
    if text is None or PICKLES.match(text):
        return None
    what = next((kind for begins, kind in KINDS if begins.match(text)), "a text")
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split() or text.split())[:MOST_WORDS].strip()
    return f"{what}, not weights: “{words}”; {_remedy(file, text)}"


def _text(head: bytes) -> str | None:
    """Return the first bytes of a text without the space before it; None for other bytes."""
    head = head.removeprefix(BOM_UTF8)
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else the last character is merely cut
            return None
        text = head[: error.start].decode()
    text = text.strip()
    is_text = all(character.isprintable() or character.isspace() for character in text)
    return text if text and is_text else None


def _remedy(file: Path, text: str) -> str:
    if file.suffix.lower() in DOCUMENTS:
        return "name a file of weights"
    if LOCKED.search(text):
        return "log in, accept the model's terms where there are some, and download it again"
    return "download the file again, from the address of the file itself"
