"""
The page of a group: how large it is, how soon it paints, how fast it answers the cursor.

SDXL models in which no two share a component but the VAE, the most that a page of them can hold; in
headless Chromium without a graphics card.
"""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.common.lines import Line

PAINT_MS, HOVER_MS = 2000, 16
MEGABYTES = {232: 25, 1000: 60}
"""Models of a group to the limit of its page."""
MOST_PAIRS = 30_000
MOVES = 60
VIEWS = "#views=map,tree,heatmap"
WATCH = """
    window.work = [];
    const next = window.requestAnimationFrame.bind(window);
    const timed = (act) => (...given) => {
        const start = performance.now();
        const done = act(...given);
        window.work.push(performance.now() - start);
        return done;
    };
    window.requestAnimationFrame = (act) => next(timed(act));
    const listen = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (kind, act, ...rest) {
        const is_move = kind === "pointermove" && typeof act === "function";
        return listen.call(this, kind, is_move ? timed(act) : act, ...rest);
    };
"""
"""Keeps the milliseconds of every answer to the cursor, and of every frame that is drawn for it."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Hold the size, the first paint and the answer to the cursor to their bounds."""
    import browser
    import group_pages

    place = folder / "atlas"
    place.mkdir(parents=True, exist_ok=True)
    for size, limit in MEGABYTES.items():
        models = size // 10 if quick else size
        page = place / f"{models}.html"
        start = perf_counter()
        group_pages.sdxl(page, models, MOST_PAIRS)
        taken = perf_counter() - start
        megabytes = page.stat().st_size / 1e6
        told = f"atlas page of {models:,} SDXL models"
        yield Line(
            f"{told}, made up and written in {taken:.0f} s: MB",
            f"limit {limit} MB",
            f"{megabytes:.1f} MB",
            None if quick else megabytes / limit,
            "≤ 1",
        )
        with browser.browser() as chromium:
            yield from _in_browser(browser.opened(chromium, page), told, quick=quick)
            yield from _answers(chromium, page, told, quick=quick)


def _in_browser(watched: Any, told: str, *, quick: bool) -> Iterator[Line]:
    watched.page.locator("body[data-painted]").wait_for()
    painted = float(watched.page.evaluate("Number(document.body.dataset.painted)"))
    watched.page.close()
    yield Line(
        f"{told}: first paint",
        f"limit {PAINT_MS} ms",
        f"{painted:,.0f} ms",
        None if quick else painted / PAINT_MS,
        "≤ 1",
    )


def _answers(chromium: Any, path: Path, told: str, *, quick: bool) -> Iterator[Line]:
    """Move the cursor over each view, with all of them in sight, and time what it sets off."""
    page = chromium.new_page(viewport={"width": 1920, "height": 1080})
    page.add_init_script(WATCH)
    page.goto(path.as_uri() + VIEWS)
    page.locator("body[data-ready]").wait_for()
    for view in ("map", "tree", "heatmap"):
        box = page.locator(f"[data-view={view}] .view-area").bounding_box()
        page.mouse.move(box["x"] + 3, box["y"] + 3)
        page.wait_for_timeout(200)
        page.evaluate("window.work = []")
        for step in range(MOVES):
            across, down = 0.1 + 0.5 * step / MOVES, 0.1 + 0.4 * (step * 7 % MOVES) / MOVES
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            page.wait_for_timeout(20)
        spent = float(page.evaluate("window.work.reduce((sum, each) => sum + each, 0)")) / MOVES
        yield Line(
            f"{told}: a move of the cursor over the {view}, drawn in all views",
            f"limit {HOVER_MS} ms",
            f"{spent:.1f} ms",
            None if quick else spent / HOVER_MS,
            "≤ 1",
        )
    page.close()
