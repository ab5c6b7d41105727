"""The report: it opens on what was found, has pages to look at, and obeys no label."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import factory
import reports
from reports import Report
from workflow_runs import Atlas

HOSTILE = "</script><script>hurt()</script>, {x} | *a*\n# b"
BASE = factory.weights(seed=1)
ADAPTER = {
    "lora_unet_mid_block_x.lora_down.weight": np.ones((2, 4), np.float32),
    "lora_unet_mid_block_x.lora_up.weight": np.ones((4, 2), np.float32),
}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Return a finished run of two models with hostile words around them and of two adapters."""
    atlas = Atlas(tmp_path_factory.mktemp("report"))
    for name, weights in {"base": BASE, "tuned": factory.changed(BASE, 2, "unet/")}.items():
        path = f"{name}<SCRIPT>hurt(0)<!--"
        folder = factory.diffusers_folder(atlas.folder / path, weights)
        # weights that no index names are passed over with a remark
        shutil.copytree(folder / "vae", folder / "<SCRIPT>hurt(1)<!--")
        atlas.models[name] = {"path": path, "label": f"{name}{HOSTILE}", "tags": [HOSTILE]}
    for name in ("one", "two"):
        factory.single_file(atlas.folder / f"{name}.safetensors", ADAPTER)
        atlas.models[name] = {"path": f"{name}.safetensors"}
    atlas.groups = {
        "models": {"models": ["tuned", "base"], "base": "base"},
        "adapters": {"models": ["one", "two"]},
    }
    done = atlas.run("all", distances={"shards": 1})
    assert done.success, done.output
    assert "Traceback" not in done.output
    return atlas


@pytest.fixture(scope="module")
def report(atlas: Atlas) -> Report:
    """Return the report of the run."""
    return reports.make(atlas, "all", distances={"shards": 1})


def test_a_label_is_no_code_of_the_report(report: Report) -> None:
    assert "<script>hurt" not in report.text.lower()
    assert "&lt;script&gt;hurt" in report.introduction
    assert any(code.startswith("var results = {") for code in report.codes)
    assert any(code.startswith("var workflow_desc = ") for code in report.codes)
    assert not [code for code in report.codes if code.startswith("hurt")]


def test_a_label_is_shown_and_not_obeyed_in_all_pages(atlas: Atlas) -> None:
    results = atlas.folder / "results"
    pages = [path for path in results.rglob("*") if path.suffix in {".md", ".html"}]
    named = [path for path in pages if "hurt()" in path.read_text()]
    assert {path.name for path in named} == {
        *("models.md", "models.html", "identity.md", "identity.html", "base.html", "tuned.html"),
        *("duplicates.md", "duplicates.html", "recipes.md", "recipes.html"),
        "atlas.html",
    }
    assert not [path for path in named if "<script" in path.read_text().lower()]
    assert not [path for path in named if "\n# b" in path.read_text()]


def test_it_opens_on_what_was_found(report: Report) -> None:
    told = report.introduction
    places = [
        told.index(text)
        for text in (
            "What was found",
            "4 models, none of them unreadable",
            "2 of them are LoRAs",
            "VAE: 2 of 2 models have the same weights",
        )
    ]
    assert places == sorted(places)
    assert "Nothing to compare: no two of the 2 models" in told


def test_pages_can_be_looked_at_and_each_kind_has_a_caption(report: Report) -> None:
    assert report.shown("results/groups/models/") == {
        *("identity.csv", "identity.html", "identity.png", "all.histograms.png"),
        *("atlas.html", "duplicates.html"),
        # two models of which none is a sum of others: a picture says so
        *("recipes.html", "all.notice.png", "lineage.png", "lineage.json"),
        *(f"{component}.html" for component in ("all", "unet", "vae", "text_encoder")),
        *(f"{component}.blocks.png" for component in ("unet", "vae", "text_encoder")),
    }
    assert report.shown("results/groups/adapters/") >= {"all.notice.png", "all.html"}
    captions = {path.rpartition("/")[2]: each["caption"] for path, each in report.results.items()}
    assert all(captions.values())
    kinds = ("identity.png", "all.histograms.png", "all.notice.png", "all.html", "models.html")
    assert len({captions[kind] for kind in kinds}) == len(kinds)


def test_the_search_finds_every_model_by_its_id(atlas: Atlas, report: Report) -> None:
    for model in atlas.models:
        found = [path for path in report.results if model in path]
        assert f"results/models/{model}.html" in found
        assert report.results[f"results/models/{model}.html"]["labels"] == {"model": model}


def test_identity_stands_in_the_rosters_order(atlas: Atlas) -> None:
    page = (atlas.folder / "results/groups/models/identity.md").read_text()
    assert page.index("| tuned&lt;") < page.index("| base&lt;")
    rows = (atlas.folder / "results/models.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == [*["base"] * 3, *["tuned"] * 3, "one", "two"]
