"""The page to ask what images cost: plain facts in, one offline file out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atlas.pages import document
from atlas.pages.packing import Packing
from atlas.plots.style import QUALITATIVE

ENTRY = "explorer.js"
STYLES = ("page.css", "explorer.css")
TITLE = "What images cost"


def write(path: Path, facts: Mapping[str, Any]) -> None:
    """
    Write the page whole or not at all.

    Parameters
    ----------
    facts
        As JSON: architectures with their formulas, GPUs, ways of caching, and what is seen first.
    """
    told = dict(facts) | {"title": TITLE, "look": list(QUALITATIVE)}
    document.write(
        path, title=TITLE, entry=ENTRY, data={"data": Packing().packed(told)}, styles=STYLES
    )
