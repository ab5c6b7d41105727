"""The report opens from disk in a real browser, with no network, and shows pages and pictures."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

import browser
import factory
import reports
from workflow_runs import Atlas

pytestmark = [browser.needs_chromium, pytest.mark.slow]

LARGE = 5_000_000
"""Bytes of a page that Chromium does not take as an address, as a data URI is."""
POLICY = "default-src 'none'; script-src 'unsafe-inline'"
SAYS = "document.querySelector('#said').textContent = `${held.textContent.length} bytes here`"


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of groups of tiny models, one page of it large; as HTML and as zip."""
    folder = tmp_path_factory.mktemp("report")
    atlas = Atlas(folder)
    base = factory.weights(seed=1)
    for number, weights in enumerate((base, factory.changed(base, 2), factory.changed(base, 3))):
        factory.diffusers_folder(folder / f"models/m{number}", weights)
        label = f"Model {number}</script><script>window.hurt = 1</script>"
        atlas.models[f"m{number}"] = {"path": f"models/m{number}", "label": label}
    atlas.groups = {"three": {"models": ["m0", "m1", "m2"]}, "two": {"models": ["m0", "m1"]}}
    assert (done := atlas.run("all")).success, done.output
    enlarge(folder / "results" / "groups" / "two" / "identity.html")
    reports.make(atlas, "all")
    packed = atlas.command("all", options=("--report", "report.zip"))
    subprocess.run(packed, cwd=folder, capture_output=True, check=True)
    with zipfile.ZipFile(folder / "report.zip") as file:
        file.extractall(folder / "unpacked")
    return folder


def enlarge(page: Path) -> None:
    """Make a page as large as one with much data, with a script and a policy of its own."""
    text = page.read_text(encoding="utf-8")
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    held = f'<script type="text/plain" id="held">{"A" * LARGE}</script>'
    body = f'{held}<p id="said"></p><script>{SAYS}</script>'
    page.write_text(text.replace("</head>", f"{head}</head>").replace("</body>", f"{body}</body>"))


def shown(page: Any) -> Any:
    """Return the page that the report shows."""
    return page.frame_locator("iframe")


def test_the_report_opens_offline_on_what_was_found_lists_the_plots_and_obeys_no_label(reported):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, reported / "report.html")
        page = watched.page
        page.get_by_text("What was found", exact=True).wait_for()
        page.get_by_text("VAE: no two of 3 models have the same weights").first.wait_for()
        page.get_by_text("Groups", exact=True).click()
        page.locator("nav").get_by_text("three", exact=True).click()
        page.get_by_text("heatmap").first.wait_for()
        page.get_by_placeholder("Search...").fill("models/m2")
        page.get_by_placeholder("Search...").press("Enter")
        page.get_by_text("m2", exact=True).first.wait_for()
        hurt = page.evaluate("window.hurt")
    assert hurt is None
    assert not watched.errors
    assert not watched.outside


@pytest.mark.parametrize("place", ["report.html", "unpacked/report/report.html"])
def test_links_of_the_introduction_open_pages_of_any_size_in_the_report(reported, place):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, reported / place)
        page = watched.page
        page.get_by_role("link", name="three", exact=True).first.click()
        shown(page).locator("body[data-painted]").wait_for()
        shown(page).get_by_role("heading", name="Files", exact=True).wait_for()
        assert shown(page).locator("a[href]").count() == 0, "its files are not in the report"
        page.wait_for_timeout(500)  # an address that the page may not have would be refused by now
        page.get_by_text("Workflow", exact=True).click()
        page.get_by_role("listitem").filter(has_text="What is the same").get_by_text(
            "three"
        ).click()
        shown(page).get_by_role("heading", name="Which components of three are the same").wait_for()
        page.get_by_text("Workflow", exact=True).click()
        page.get_by_role("link", name="Which components of two are the same").click()
        shown(page).get_by_text(f"{LARGE} bytes here").wait_for()
        page.get_by_text("Workflow", exact=True).click()
        page.get_by_role("link", name="all models", exact=True).click()
        shown(page).get_by_role("heading", name="Models", exact=True).wait_for()
    assert not watched.errors
    assert not watched.outside


def test_the_reports_own_buttons_open_large_pages_too(reported):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, reported / "report.html")
        page = watched.page
        page.locator("nav").get_by_text("Identity", exact=True).click()
        row = page.get_by_role("row").filter(has_text="two").filter(has_text="page").first
        row.get_by_role("link").first.click()
        shown(page).get_by_text(f"{LARGE} bytes here").wait_for()
    assert not watched.errors
    assert not watched.outside
