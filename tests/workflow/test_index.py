"""The page that leads to all others, in real runs: what it links is there, or being made."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

import factory
from workflow_runs import Atlas

BASE = factory.weights(seed=1)
SETTINGS = {"distances": {"shards": 1}}
PUBLISHED = {
    "ml": ["a.safetensors", "b.safetensors"],
    "cm": [["folder", [[["m0", "a.safetensors"], ["m1", "b.safetensors"]]]]],
    "dm": {"unet": [[0.0, 1.5], [1.5, 0.0]]},
}
"""Matrices of the notebook's form."""
WITHOUT_WEIGHTS = ("macs", "architectures")
"""Wings with a page of their own below results/."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Return a run of three models, one of them broken, and of published matrices."""
    atlas = Atlas(tmp_path_factory.mktemp("index"))
    for name, weights in {"base": BASE, "tuned": factory.changed(BASE, 2, "unet/")}.items():
        factory.diffusers_folder(atlas.folder / "models" / name, weights)
        atlas.models[name] = {"path": f"models/{name}", "label": f"The {name} & <b>"}
    (atlas.folder / "cut.safetensors").write_bytes(b"x")
    atlas.models["cut"] = {"path": "cut.safetensors"}
    (atlas.folder / "published & more.json").write_text(json.dumps(PUBLISHED))
    atlas.groups = {
        "own": {"models": [*atlas.models], "base": "base"},
        "published": {"matrices": "published & more.json"},
    }
    done = atlas.run(**SETTINGS)
    assert not done.success
    assert done.jobs["write_index"] == 1
    return atlas


def links(atlas: Atlas) -> list[Path]:
    """Return what the index leads to."""
    text = (atlas.folder / "results" / "atlas.html").read_text(encoding="utf-8")
    found = re.findall(r' href="([^"]+)"', text)
    return [atlas.folder / "results" / unquote(link) for link in found]


def test_it_is_made_though_a_checkpoint_is_broken_and_no_link_is_dead(finished: Atlas) -> None:
    found = links(finished)
    assert [link for link in found if not link.exists()] == []
    told = {str(link.relative_to(finished.folder / "results")) for link in found}
    assert told >= {
        "models.html",
        "models/cut.html",
        "groups/own/identity.html",
        "groups/published/plots",
    }
    text = (finished.folder / "results" / "atlas.html").read_text(encoding="utf-8")
    assert "1 of 3 could not be read" in text
    assert "base The base &amp; &lt;b&gt;" in text
    assert "read from published &amp; more.json" in text
    assert "VAE: 2 of 2 models have the same weights" in text


def test_a_second_run_makes_it_no_more(finished: Atlas) -> None:
    assert "write_index" not in finished.run(**SETTINGS).jobs


def test_a_wings_page_is_linked_once_it_is_there_and_no_longer_when_it_is_gone(
    finished: Atlas,
) -> None:
    page = finished.folder / "results" / "macs" / "summary.html"
    page.parent.mkdir()
    page.write_text("made by another run")
    assert finished.run(**SETTINGS).jobs["write_index"] == 1
    assert page in links(finished)
    page.unlink()
    assert finished.run(**SETTINGS).jobs["write_index"] == 1
    assert page not in links(finished)


def test_pages_that_the_same_run_makes_are_linked(finished: Atlas) -> None:
    macs, sizes = (finished.folder / f"results/{name}/summary.html" for name in WITHOUT_WEIGHTS)
    finished.run("tour", options=("--until", "write_index"), **SETTINGS)
    assert {macs, sizes} <= set(links(finished))
    finished.run("all", "architectures", options=("--until", "write_index"), **SETTINGS)
    assert sizes in links(finished)
    assert macs not in links(finished)
