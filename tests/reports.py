"""Reports of the workflow, taken apart."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from workflow_runs import Atlas


@dataclass(frozen=True)
class Report:
    """What a report's page holds."""

    text: str
    introduction: str
    """In HTML: what it opens on."""
    results: dict[str, dict[str, Any]]
    """By path, which is what its search looks through."""
    codes: list[str]
    """The beginnings of all code that a browser runs."""

    def shown(self, part: str) -> set[str]:
        """Return the names of files below a folder of results."""
        return {path.rpartition("/")[2] for path in self.results if path.startswith(part)}


def make(atlas: Atlas, *targets: str, options: tuple[str, ...] = (), **settings: Any) -> Report:
    """Write the report of a finished run, and read it."""
    made = subprocess.run(
        atlas.command(*targets, options=(*options, "--report", "report.html"), **settings),
        cwd=atlas.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return read(atlas.folder / "report.html")


def read(path: Path) -> Report:
    """Read a report."""
    text = path.read_text(encoding="utf-8")
    scripts = _Scripts()
    scripts.feed(text)
    return Report(text, _value(text, "workflow_desc"), _value(text, "results"), scripts.codes)


def _value(text: str, name: str) -> Any:
    found = re.search(rf'<script id="[\w-]+">\s*var {name} = (.*);\n', text)
    assert found is not None
    return json.loads(found[1])


class _Scripts(HTMLParser):
    """Collects code, which ends where a browser ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[str] = []
        self.is_first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        self.is_first = tag == "script"

    def handle_data(self, data: str) -> None:
        """Keep the beginning of an element of code."""
        if self.is_first:
            self.codes.append(data.strip()[:40])
        self.is_first = False
