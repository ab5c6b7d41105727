"""Pages in a real browser, from disk: what was asked for, what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
"""WebGL by the processor: there is no graphics card in CI."""

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@dataclass
class Watched:
    """A page with all that it asked for and complained of."""

    page: Any
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """What was asked for beyond the page itself and its own data."""
        return [url for url in self.asked if not url.startswith(("file:", "data:", "blob:"))]


def opened(started: Any, path: Path, *, at: str = "", **options: Any) -> Watched:
    """Open a file, perhaps at a hash, in a window of its own."""
    page = started.new_page(**({"viewport": {"width": 1200, "height": 800}} | options))
    watched = Watched(page)
    page.on("request", lambda request: watched.asked.append(request.url))
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on(
        "console",
        lambda message: message.type == "error" and watched.errors.append(message.text),
    )
    page.goto(path.as_uri() + at)
    return watched


def ready(watched: Watched) -> dict[str, float]:
    """Wait until the page of a map has painted, and return the map's place in the window."""
    watched.page.locator("body[data-painted]").wait_for()
    place: dict[str, float] = watched.page.locator(".map").bounding_box()
    return place


def spot(page: Any, name: str) -> tuple[float, float]:
    """Return where a point of a map is in the window."""
    box = page.locator(".map").bounding_box()
    x, y = page.evaluate("name => atlas.screen(name)", name)
    return box["x"] + x, box["y"] + y
