"""Pages of made-up maps, for tests of the viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from atlas.pages import map_page

HOSTILE = "</script><img src=x onerror=window.hurt=1>"
CLASSES = 5
K = 6
WORDS = [
    "cat", "dog", "horse", "sparrow", "red", "deep blue", "oil painting", "masterpiece", "קטן",
    "two apples", "a photograph of a very old house by the sea", HOSTILE, "ocean\nwaves", "smile",
    "worst quality", "طويل", "1girl", "solo", "landscape", "☃",
]  # fmt: skip
"""Short and long ones, ones from right to left, one over two lines, one that is markup."""


def places(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return classes, and places in clouds by class: (count, 2)."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, CLASSES, count)
    centres = rng.normal(size=(CLASSES, 2)) * 4
    spread = rng.normal(size=(count, 2))
    return classes, (centres[classes] + spread).astype(np.float32)


def many(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Write a page of many points, coloured by class; return their classes and places."""
    classes, xy = places(count)
    points = pa.table(
        {
            "id": [f"p{number}" for number in range(count)],
            "class": [f"class {each}" for each in classes],
        }
    )
    rows = np.arange(count, dtype=np.int32)
    view = map_page.View({"layer": "mid"}, rows, xy[:, 0], xy[:, 1])
    map_page.write(path, title="Many", subtitle="", points=points, views=[view], colour="class")
    return classes, xy


def images(folder: Path, count: int) -> list[Path]:
    """Write smooth images of noise, as photographs are, and return their files."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        small = rng.integers(0, 256, (9, 9, 3), np.uint8)
        picture = Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC)
        files.append(folder / f"{number}.png")
        picture.save(files[-1])
    return files


def small(folder: Path, count: int = 60) -> tuple[Path, np.ndarray]:
    """
    Write a page with all there is: two views, two models, real images, a number, hostile texts.

    Return it, and the activations whose neighbours it has: they are none of the map's.
    """
    rng = np.random.default_rng(2)
    classes, xy = places(count, seed=3)
    activations = rng.normal(size=(count, 20)).astype(np.float32)
    found = NearestNeighbors(n_neighbors=K + 1).fit(activations).kneighbors(activations)
    points = pa.table(
        {
            "id": [f"m/{number:03d}" for number in range(count - 1)] + [HOSTILE],
            HOSTILE: [f"word {each}" for each in classes],
            "__proto__": [HOSTILE if each == 0 else f"digit {each + 8}" for each in classes],
            "height": pa.array([None, *np.linspace(1, 100, count - 1)], pa.float64()),
            "model": ["one" if number % 2 else "two" for number in range(count)],
        }
    )
    rows = np.arange(count, dtype=np.int32)
    views = [
        map_page.View(
            {"layer": layer, "timestep": "80"},
            rows,
            (xy[:, 0] * factor).astype(np.float32),
            xy[:, 1],
            found[1][:, 1:].astype(np.int32),
            found[0][:, 1:].astype(np.float32),
            note=f"of {layer}",
        )
        for layer, factor in (("mid", 1.0), ("up", -1.0))
    ]
    page = folder / "small.html"
    map_page.write(
        page,
        title=f"Small {HOSTILE}",
        subtitle=HOSTILE,
        points=points,
        views=views,
        thumbnails=[*images(folder / "images", count - 1), None],
        base=np.arange(count) % 10 == 1,
        switches=["model"],
        colour="__proto__",
        titles={"height": "height in metres"},
        distance_title="distance between means",
        neighbours_title="Nearest among all",
    )
    return page, activations


def words(path: Path, count: int, models: int = 4, **given: Any) -> tuple[pa.Table, Any, Any]:
    """
    Write a page of words of several models: each word of a tuned one comes from the base's.

    Return the points, their places (n, 2) and their origins (n,). The last model comes from the
    one before it.
    """
    rng = np.random.default_rng(5)
    spread = rng.normal(size=(count, 2)) * (4, 3)
    moves = rng.normal(size=(models, count, 2)) * np.linspace(0, 0.5, models)[:, None, None]
    xy = (spread + moves).reshape(-1, 2).astype(np.float32)
    word = [f"{WORDS[each % len(WORDS)]}{each // len(WORDS) or ''}" for each in range(count)]
    names = ["base", *(f"tuned {each}" for each in range(1, models))]
    points = pa.table(
        {
            "id": [f"{name}/{each}" for name in names for each in word],
            "model": [name for name in names for _ in word],
            "word": word * models,
            "moved": np.linalg.norm(moves, axis=2).ravel(),
        }
    )
    row = np.arange(count * models, dtype=np.int32)
    back = np.where(row >= (models - 1) * count, 1 if models > 2 else models - 1, row // count)
    origins = np.where(row < count, -1, row - back * count).astype(np.int32)
    views = [
        map_page.View({"space": "raw"}, row, xy[:, 0], xy[:, 1], note="raw"),
        map_page.View({"space": "aligned"}, row[count // 2 :], *(0.5 * xy[count // 2 :]).T),
    ]
    told = {"title": "Words", "subtitle": "", "colour": "model", "switches": ["model"]}
    told |= {"origins": origins, "label": "word"}
    map_page.write(path, points=points, views=views, **(told | given))
    return points, xy, origins
