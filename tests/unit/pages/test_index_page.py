"""The page that leads to all others: what it tells, what it links, and what it leaves out."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from atlas.basis import page
from atlas.pages import index_page
from atlas.pages.index_page import Group, Other
from atlas.pages.thumbnails import MOST_BYTES, SIZE, thumbnail

HOSTILE = "</style><script>hurt()</script> 100% #1?\n\"'&amp;"
NAME = "50% #1 a&b \"c\" 'd'"
"""A name that a folder can have, and that no URL has as it is."""


class Reader(HTMLParser):
    """Collects links, pictures, texts and elements."""

    def __init__(self, file: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            elif name == "src":
                self.pictures.append(value or "")

    def handle_data(self, data: str) -> None:
        """Keep what stands between elements."""
        self.text += data


def written(folder: Path, *groups: Group, **told: object) -> Reader:
    """Write an index, and read it."""
    given = {"roster": "roster.yaml", "models": 0, "problems": {}, "labels": {}} | told
    index_page.write(folder / "atlas.html", groups=groups, **given)
    return Reader(folder / "atlas.html")


def laid(folder: Path, *names: str) -> None:
    """Write empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def drawn(file: Path, *, width: int = 900, height: int = 700) -> None:
    """Draw noise, which no form of picture makes small."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file)


def test_each_link_is_relative_and_leads_to_what_is_there(tmp_path):
    parts = ("atlas.html", "identity.html", "duplicates.html", "matrices/unet.html", "plots/x.svg")
    laid(tmp_path / "groups" / NAME, *parts)
    laid(tmp_path, "models.html", f"models/{NAME}.html", "macs/summary.html")
    read = written(
        tmp_path,
        Group(NAME, 3),
        models=3,
        problems={NAME: "cut off"},
        others=[Other(tmp_path / "macs/summary.html", "MACs", "what an image costs")],
    )
    found = [tmp_path / unquote(link) for link in read.links]
    assert {str(file.relative_to(tmp_path)) for file in found} == {
        *(f"groups/{NAME}/{part}" for part in ("atlas.html", "identity.html", "duplicates.html")),
        *(f"groups/{NAME}/{part}" for part in ("plots", "matrices", "matrices/unet.html")),
        *("models.html", f"models/{NAME}.html", "macs/summary.html"),
    }
    assert all(file.exists() for file in found)


def test_what_is_not_there_is_not_linked(tmp_path):
    read = written(tmp_path, Group("all", 3), models=3, problems={"cut": "x"})
    assert read.links == []
    assert "all" in read.text
    assert "cut" in read.text


def test_every_text_stands_as_it_is(tmp_path):
    (tmp_path / "groups" / "all").mkdir(parents=True)
    told = page.html("Identity", [HOSTILE], [])
    (tmp_path / "groups" / "all" / "identity.html").write_text(told, encoding="utf-8")
    read = written(
        tmp_path,
        Group("all", 3, base=HOSTILE),
        Group(HOSTILE.replace("/", ""), 1, published=HOSTILE),
        roster=HOSTILE,
        models=1,
        problems={"m": HOSTILE},
        labels={"m": HOSTILE},
        others=[Other(tmp_path / HOSTILE, HOSTILE, HOSTILE)],
    )
    assert "script" not in read.tags
    shown = page.one_line(HOSTILE)
    # window, head, base, finding, published file, label, problem, and two of a wing
    assert read.text.count(shown) == 9


def test_a_group_is_told_in_a_line_and_by_its_first_findings(tmp_path):
    place = tmp_path / "groups" / "all"
    place.mkdir(parents=True)
    findings = [f"Finding {number}." for number in range(5)]
    (place / "identity.html").write_text(page.html("Identity", findings, []), encoding="utf-8")
    twice = page.html("Twice", ["10 GB could go.", "Nothing is deleted."], [])
    (place / "duplicates.html").write_text(twice, encoding="utf-8")
    read = written(tmp_path, Group("all", 1232, base="SD 1.5 (sd)", ordered=True))
    assert "1,232 models · base SD 1.5 (sd) · in order" in read.text
    assert [finding in read.text for finding in findings] == [True] * 3 + [False] * 2
    assert "2 more" in read.text
    assert "10 GB could go." in read.text
    assert "Nothing is deleted." not in read.text


def test_published_matrices_are_told_to_be_such(tmp_path):
    laid(tmp_path / "groups" / "sdxl", "identity.html")
    read = written(tmp_path, Group("sdxl", 0, published="animagine.json"))
    assert "published matrices" in read.text
    assert "read from animagine.json" in read.text
    assert "0 models" not in read.text


def test_after_a_dozen_groups_each_has_a_line(tmp_path):
    groups = [Group(f"g{number}", 2, base="b") for number in range(index_page.CARDS + 200)]
    drawn(tmp_path / "groups" / "g0" / "plots" / "unet.map.png")
    for group in groups[1:]:
        laid(tmp_path / "groups" / group.name, "atlas.html", "plots/unet.map.png")
    read = written(tmp_path, *groups)
    assert "200 further groups" in read.text
    assert read.text.count("base b") == len(groups)
    assert len(read.links) >= 2 * len(groups) - 1
    assert len(read.pictures) == 1, "empty files are no pictures"
    assert (tmp_path / "atlas.html").stat().st_size < 400_000


def test_of_many_unreadable_models_the_first_are_named(tmp_path):
    problems = {f"m{number:03}": f"fault {number}." for number in range(50)}
    read = written(tmp_path, models=60, problems=problems)
    assert "50 of 60 could not be read" in read.text
    assert "fault 19." in read.text
    assert "fault 20." not in read.text
    assert "30 more are named there" in read.text
    assert "All could be read" in written(tmp_path, models=60).text


def test_the_denoisers_map_is_shown_before_others_pictures(tmp_path):
    place = tmp_path / "groups" / "all" / "plots"
    for name in ("all.tree", "vae.map", "unet.tree", "unet.map", "unet.histograms"):
        drawn(place / f"{name}.png", width=len(name), height=9)
    read = written(tmp_path, Group("all", 3))
    (shown,) = read.pictures
    with Image.open(BytesIO(base64.b64decode(shown.partition(",")[2]))) as picture:
        assert picture.size == (len("unet.map"), 9)


@pytest.mark.parametrize("size", [(10, 10), (900, 700), (5000, 300)])
def test_a_thumbnail_is_small_whatever_it_shows(tmp_path, size):
    drawn(tmp_path / "noise.png", width=size[0], height=size[1])
    held = base64.b64decode((thumbnail(tmp_path / "noise.png") or "").partition(",")[2])
    assert 0 < len(held) <= MOST_BYTES
    with Image.open(BytesIO(held)) as picture:
        assert picture.width <= SIZE[0]
        assert picture.height <= SIZE[1]
        assert abs(picture.width / picture.height - size[0] / size[1]) < 0.05 * size[0] / size[1]


def test_what_is_no_picture_has_no_thumbnail(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    assert thumbnail(tmp_path / "x.png") is None
    assert thumbnail(tmp_path / "absent.png") is None
