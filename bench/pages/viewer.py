"""
The viewer: how soon it paints, how smoothly it moves, how large it is, in headless Chromium.

There is no graphics card: WebGL is drawn by the processor, as on the slowest of machines.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from bench.common.lines import Line

PAINT_MS, SAMPLE_BYTES = 2000, 4000
FRAME_MS = {"webgl2": 100, "canvas": 250}
"""The canvas is the way out where a browser has no WebGL."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Hold first paint of 10,000 points, frames of 50,000 and a sample's bytes to their bounds."""
    import browser
    import map_pages

    place = folder / "viewer"
    place.mkdir(parents=True, exist_ok=True)
    count = 1_000 if quick else 10_000
    page = _photographs(place / "photographs.html", count)
    size = page.stat().st_size / count
    yield Line(
        f"viewer: {count:,} points with images of 64 pixels and 20 neighbours, bytes a sample",
        f"limit {SAMPLE_BYTES} B",
        f"{size:,.0f} B",
        None if quick else size / SAMPLE_BYTES,
        "≤ 1",
    )
    many = place / "many.html"
    map_pages.many(many, 5_000 if quick else 50_000)
    words = place / "words.html"
    map_pages.words(words, 250 if quick else 2_500)
    with browser.browser() as chromium:
        watched = browser.opened(chromium, page)
        watched.page.locator("body[data-painted]").wait_for()
        painted = float(watched.page.evaluate("Number(document.body.dataset.painted)"))
        yield Line(
            f"viewer: first paint of {count:,} points",
            f"limit {PAINT_MS} ms",
            f"{painted:,.0f} ms",
            None if quick else painted / PAINT_MS,
            "≤ 1",
        )
        for how, limit in FRAME_MS.items():
            frame = _frame(browser.opened(chromium, many, at=f"#renderer={how}").page)
            yield Line(
                f"viewer: a frame while moving 50,000 points, {how}, without a graphics card",
                f"limit {limit} ms",
                f"{frame:.0f} ms",
                None if quick else frame / limit,
                "≤ 1",
            )
        frame, limit = _frame(browser.opened(chromium, words).page), FRAME_MS["webgl2"]
        yield Line(
            "viewer: a frame while moving 10,000 points with paths and labels, without a card",
            f"limit {limit} ms",
            f"{frame:.0f} ms",
            None if quick else frame / limit,
            "≤ 1",
        )


def _photographs(path: Path, count: int) -> Path:
    """Write a page with an image of its own for each point, as photographs are."""
    import numpy as np
    import pyarrow as pa

    import map_pages
    from atlas.pages import map_page

    classes, xy = map_pages.places(count)
    rng = np.random.default_rng(0)
    near = rng.integers(0, count, (count, 20)).astype(np.int32)
    far = np.sort(rng.random((count, 20)), axis=1).astype(np.float32)
    points = pa.table(
        {
            "id": [f"sample/{number:06d}" for number in range(count)],
            "prompt": [f"a photo of class {each}" for each in classes],
        }
    )
    rows = np.arange(count, dtype=np.int32)
    view = map_page.View({"layer": "mid"}, rows, xy[:, 0], xy[:, 1], near, far)
    map_page.write(
        path,
        title="Photographs",
        subtitle="",
        points=points,
        views=[view],
        thumbnails=map_pages.images(path.parent / "images", count),
        colour="prompt",
    )
    return path


def _frame(page: object) -> float:
    """Return the milliseconds of a frame, the median of thirty while the map is dragged."""
    page.locator("body[data-painted]").wait_for()  # type: ignore[attr-defined]
    box = page.locator(".map").bounding_box()  # type: ignore[attr-defined]
    page.evaluate(  # type: ignore[attr-defined]
        """() => {
            window.frames_seen = [];
            const watch = (now) => { window.frames_seen.push(now); requestAnimationFrame(watch); };
            requestAnimationFrame(watch);
        }"""
    )
    mouse = page.mouse  # type: ignore[attr-defined]
    mouse.move(box["x"] + 300, box["y"] + 300)
    mouse.down()
    for step in range(40):
        mouse.move(box["x"] + 300 + 3 * step, box["y"] + 300 + step)
    mouse.up()
    seen = page.evaluate("window.frames_seen.slice(-31)")  # type: ignore[attr-defined]
    gaps = sorted(after - before for before, after in pairwise(seen))
    return float(gaps[len(gaps) // 2])
