"""
JavaScript modules made into one script, since a page opened from disk can't import by path.

A module imports by lines of `import { a, b } from "./other.js";` and exports by `export` before
what it declares. What modules declare at their top shares one scope in the end, so no two of them
declare one name.
"""

import re
from pathlib import Path

from atlas.basis.errors import AtlasError

ASSETS = Path(__file__).parent / "assets"

IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.M)
EXPORT = re.compile(r"^export (?=async function|function|class|const)", re.M)
DECLARED = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.M)


def script(entry: str) -> str:
    """
    Return a module with all that it imports, as one script.

    Parameters
    ----------
    entry
        Name of a file among the assets.

    Raises
    ------
    AtlasError
        Two modules declare one name.
    """
    owners: dict[str, str] = {}
    parts = []
    for name in _ordered(entry, []):
        text = EXPORT.sub("", IMPORT.sub("", _text(name))).strip()
        for declared in DECLARED.findall(text):
            if owners.setdefault(declared, name) != name:
                raise AtlasError(
                    f"{owners[declared]} and {name} both declare {declared}: rename one"
                )
        parts.append(text)
    return "\n\n".join(parts) + "\n"


def style(name: str) -> str:
    """Return a style sheet among the assets."""
    return _text(name)


def _text(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _ordered(name: str, seen: list[str]) -> list[str]:
    """Return modules so that each comes after those that it imports."""
    for wanted in IMPORT.findall(_text(name)):
        if wanted not in seen:
            _ordered(wanted, seen)
    if name not in seen:
        seen.append(name)
    return seen
