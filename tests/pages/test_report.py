"""The report opens from disk in a real browser, with no network, and shows its pictures."""

from __future__ import annotations

import shutil
import subprocess

import pytest

import factory
from workflow_runs import Atlas

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def report(tmp_path):
    """Write the report of a group of three tiny models."""
    atlas = Atlas(tmp_path)
    base = factory.weights(seed=1)
    for number, weights in enumerate((base, factory.changed(base, 2), factory.changed(base, 3))):
        factory.diffusers_folder(tmp_path / f"models/m{number}", weights)
        atlas.models[f"m{number}"] = {"path": f"models/m{number}"}
    atlas.groups = {"three": {"models": ["m0", "m1", "m2"]}, "two": {"models": ["m0", "m1"]}}
    assert (done := atlas.run("groups")).success, done.output
    made = subprocess.run(
        atlas.command("groups", options=("--report", "report.html")),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return tmp_path / "report.html"


def test_the_report_opens_offline_and_lists_the_plots(report):
    from playwright.sync_api import sync_playwright

    asked, errors = [], []
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(report.as_uri())
        page.get_by_text("Groups", exact=True).click()
        page.get_by_text("three", exact=True).click()
        page.get_by_text("heatmap").first.wait_for()
        browser.close()
    assert not errors
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
