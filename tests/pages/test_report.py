"""The report opens from disk in a real browser, with no network, and shows its pictures."""

from __future__ import annotations

import pytest

import browser
import factory
import reports
from workflow_runs import Atlas

pytestmark = browser.needs_chromium


@pytest.fixture
def report(tmp_path):
    """Write the report of a group of three tiny models."""
    atlas = Atlas(tmp_path)
    base = factory.weights(seed=1)
    for number, weights in enumerate((base, factory.changed(base, 2), factory.changed(base, 3))):
        factory.diffusers_folder(tmp_path / f"models/m{number}", weights)
        label = f"Model {number}</script><script>window.hurt = 1</script>"
        atlas.models[f"m{number}"] = {"path": f"models/m{number}", "label": label}
    atlas.groups = {"three": {"models": ["m0", "m1", "m2"]}, "two": {"models": ["m0", "m1"]}}
    assert (done := atlas.run("all")).success, done.output
    reports.make(atlas, "all")
    return tmp_path / "report.html"


def test_the_report_opens_offline_on_what_was_found_lists_the_plots_and_obeys_no_label(report):
    with browser.browser() as chromium:
        watched = browser.opened(chromium, report)
        page = watched.page
        page.get_by_text("What was found", exact=True).wait_for()
        page.get_by_text("VAE: no two of 3 models have the same weights").first.wait_for()
        page.get_by_text("Groups", exact=True).click()
        page.get_by_text("three", exact=True).click()
        page.get_by_text("heatmap").first.wait_for()
        page.get_by_placeholder("Search...").fill("models/m2")
        page.get_by_placeholder("Search...").press("Enter")
        page.get_by_text("m2", exact=True).first.wait_for()
        hurt = page.evaluate("window.hurt")
    assert hurt is None
    assert not watched.errors
    assert not watched.outside
