"""The page that leads to all others in a real browser: offline, without a fault, in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import browser
from atlas.basis import page
from atlas.pages import index_page
from atlas.pages.index_page import Group, Other

pytestmark = browser.needs_chromium

HOSTILE = "</style><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"
FOLDER = "50% #1 'a' & \"b\""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an index of thirty groups, one of them with all that a group can have."""
    results = tmp_path_factory.mktemp("index") / "results"
    place = results / "groups" / FOLDER
    for name in ("plots", "matrices"):
        (place / name).mkdir(parents=True)
    findings = [f"VAE: 2 of 3 models have the same weights: {HOSTILE}; two."]
    for name, told in (("identity", findings), ("atlas", []), ("duplicates", [])):
        text = page.html(f"The page {name}", told, [])
        (place / f"{name}.html").write_text(text, encoding="utf-8")
    (place / "matrices" / "unet.html").write_text(page.html("The numbers", [], []))
    Image.new("RGB", (800, 600), "white").save(place / "plots" / "unet.map.png")
    for name in ("models", "macs/summary"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / f"{name}.html").write_text(page.html(f"The page {name}", [], []))
    further = [Group(f"folder_{number:02}", number, base=HOSTILE) for number in range(2, 31)]
    for group in further:
        (results / "groups" / group.name).mkdir()
        (results / "groups" / group.name / "atlas.html").write_text("<p>here</p>")
    index_page.write(
        results / "atlas.html",
        roster="roster.yaml",
        groups=[Group(FOLDER, 3, base=HOSTILE, ordered=True), *further],
        models=40,
        problems={"cut": f"cut.safetensors: {HOSTILE}"},
        labels={"cut": HOSTILE},
        others=[Other(results / "macs" / "summary.html", "Multiply-accumulates", "an image")],
    )
    return results / "atlas.html"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_it_is_offline_faultless_and_no_wider_than_the_window(index, theme, width):
    with browser.browser() as chromium:
        watched = browser.opened(
            chromium, index, viewport={"width": width, "height": 900}, color_scheme=theme
        )
        opened = watched.page
        opened.get_by_role("heading", name=FOLDER, exact=True).wait_for()
        assert opened.get_by_text(HOSTILE).count() >= 4, "as text"
        assert opened.evaluate("window.hurt") is None
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 31)"}[theme]
        assert opened.evaluate("document.querySelector('.picture img').naturalWidth") > 0
    assert not watched.errors
    assert not watched.outside


@pytest.mark.parametrize(
    ("link", "heading"),
    [
        ("atlas page", "The page atlas"),
        (FOLDER, "The page atlas"),
        ("what is the same", "The page identity"),
        ("duplicates", "The page duplicates"),
        ("UNet in numbers", "The numbers"),
        ("What each of 40 models holds", "The page models"),
        ("an image", "The page macs/summary"),
    ],
)
def test_a_click_leads_to_the_page(index, link, heading):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, index)
        watched.page.get_by_role("link", name=link, exact=True).first.click()
        watched.page.get_by_role("heading", name=heading, exact=True).wait_for()
    assert not watched.outside


def test_every_link_leads_to_a_file_or_folder(index):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, index)
        places = watched.page.evaluate("[...document.links].map(link => link.href)")
    assert len(places) > 35
    assert all(Path(_path(place)).exists() for place in places)


def _path(url: str) -> str:
    """Return the path of a file's URL."""
    from urllib.parse import unquote, urlparse

    parts = urlparse(url)
    assert (parts.scheme, parts.query, parts.fragment) == ("file", "", "")
    return unquote(parts.path)
