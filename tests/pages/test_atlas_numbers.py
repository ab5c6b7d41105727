"""The page of a group from a run of the workflow, number by number against the group's tables."""

from __future__ import annotations

import csv
import json
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import browser
import factory
import page_words
from atlas.distances import shards
from atlas.fingerprints.renamings import read_renamings
from atlas.pages.group_files import FIRST
from atlas.plots.words import significant, titled
from atlas.relations import contents, pairs
from workflow_runs import Atlas, Run

pytestmark = [browser.needs_chromium, pytest.mark.slow]

HURTING = (
    '</script><script>window.hurt = 1</script><img src=x onerror="window.hurt = 1"> "q", \u202eab'
)
LABELS = {"null": HURTING, "part": "=1+1 & <b>part</b>", "half": "half\u2028precision"}
NAMES = ("one", '<img src=x onerror="window.hurt = 1">', "three", "four")
ENDS = list(combinations(range(len(NAMES)), 2))
PUBLISHED = {
    "ml": NAMES,
    "cm": [["all", [[[f"m{end}", NAMES[end]] for end in both] for both in ENDS]]],
    "dm": {
        "unet": [
            [0.0, 1.5, 2.0, 3.5],
            [1.5, 0.0, 2.25, 3],
            [2.0, 2.25, 0.0, 0.0],
            [3.5, 3, 0.0, 0],
        ],
        "vae": [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0, 0]],
    },
}
ORDERED = ("base", "null", "part", "half")
WEIGHTS = ("part", "base", "null", "half", "pruned", "gap")
MODELS = (*WEIGHTS, "cut")
"""Not in the order of their ids."""
PAIRS = list(combinations(WEIGHTS, 2))
MEASURES = ("l2", "relative_l2", "cosine", "changed_fraction")
WINDOW = {"width": 1600, "height": 900}
CHOOSE = """
(models) => {
  const press = (model, shiftKey) => document.querySelector(`.models [data-model="${model}"]`)
    .dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey }));
  for (const model of atlas.chosen()) press(model, false);
  models.forEach((model, at) => press(model, at > 0));
}
"""
CELLS = """
[...document.querySelectorAll('.pair-card table.strip td[data-part]')]
  .map((cell) => [cell.dataset.part, cell.dataset.value, cell.title])
"""
TABLE = """
(caption) => {
  const found = [...document.querySelectorAll('aside .table')]
    .find((each) => each.querySelector('h3').textContent.match(caption));
  return found ? [...found.querySelectorAll('tbody tr')]
    .map((row) => [...row.cells].map((cell) => cell.textContent)) : null;
}
"""


class Made(NamedTuple):
    """A run, and what it left of a group."""

    atlas: Atlas
    run: Run

    def group(self, name: str) -> Path:
        """Return a group's folder."""
        return self.atlas.folder / "results" / "groups" / name

    def page(self, name: str) -> Path:
        """Return a group's page."""
        return self.group(name) / "atlas.html"


def hold_back(named: factory.Weights, *prefixes: str) -> factory.Weights:
    """Return weights without those of some names."""
    return {name: value for name, value in named.items() if not name.startswith(prefixes)}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    """Run the workflow on seven tiny models, one of which is cut off, and published matrices."""
    atlas = Atlas(tmp_path_factory.mktemp("numbers"))
    base = factory.weights(seed=1)
    gap = factory.changed(base, 4, "unet/mid_block", "vae/decoder")
    name = "unet/conv_in.weight"
    gap[name] = np.full_like(gap[name], np.nan)
    held = {
        "base": base,
        "null": factory.changed(base, 2, "unet/"),
        "part": factory.changed(base, 3, "text_encoder/text_model.encoder", "unet/down_blocks.0"),
        "half": {name: value.astype(np.float16) for name, value in base.items()},
        "pruned": hold_back(factory.changed(base, 5, "unet/", scale=1.0), "vae/", "unet/conv_in.b"),
        "gap": gap,
    }
    for model in WEIGHTS:
        factory.diffusers_folder(atlas.folder / "models" / model, held[model])
    cut = factory.single_file(atlas.folder / "models" / "cut.safetensors", base)
    cut.write_bytes(cut.read_bytes()[:-200])
    for model in MODELS:
        path = "models/cut.safetensors" if model == "cut" else f"models/{model}"
        atlas.models[model] = {"path": path, "label": LABELS.get(model, f"Model {model}")}
    atlas.models["null"] |= {"base": "base", "tags": ["photo"]}
    (atlas.folder / "published.json").write_text(json.dumps(PUBLISHED))
    atlas.groups = {
        "some": {"models": list(MODELS), "base": "base"},
        "path": {"models": list(ORDERED), "ordered": True, "base": "base"},
        "published": {"matrices": "published.json"},
    }
    return Made(atlas, atlas.run("atlas", "check_models", distances={"shards": 2}))


@pytest.fixture(scope="module")
def chromium():
    with browser.browser() as started:
        yield started


@pytest.fixture
def opened(chromium, made):
    """Return a way to open the page of a group; what goes wrong there fails the test at its end."""
    watched: list[browser.Watched] = []

    def at(group: str, component: str = "", views: str = "map") -> Any:
        address = f"#views={views}" + (f"&component={component}" if component else "")
        found = browser.opened(chromium, made.page(group), at=address, viewport=WINDOW)
        found.page.locator("body[data-ready]").wait_for()
        watched.append(found)
        return found.page

    yield at
    for each in watched:
        assert each.page.evaluate("window.hurt") is None
        assert not each.errors
        assert not each.outside
        each.page.close()


def choose(page: Any, *models: str) -> None:
    """Choose a model, or two, as clicks in the list do, and wait for the card."""
    page.evaluate(CHOOSE, list(models))
    rows = page.evaluate(
        "[...document.querySelectorAll('.models button')].map((b) => b.dataset.model)"
    )
    shown = " ".join(str(rows.index(model)) for model in models)
    page.locator(f"aside[data-shown='{shown}']").wait_for()


def texts(page: Any, where: str) -> list[str]:
    """Return what elements say, in their order."""
    found: list[str] = page.locator(where).all_text_contents()
    return found


def shown_labels(made: Made) -> dict[str, str]:
    """Return what models are called in one line, without signs that turn the text around."""
    told = {model: facts["label"] for model, facts in made.atlas.models.items()}
    return {
        model: label.replace("\u202e", "").replace("\u2028", " ") for model, label in told.items()
    }


def with_parts(made: Made) -> list[str]:
    """Return the components of which blocks are told."""
    rows = pq.read_table(made.group("some") / "distances.parquet", columns=["component"])
    return sorted(set(rows["component"].to_pylist()) - {"all"})


def in_order(components: list[str]) -> list[str]:
    """Return components as the page lists them, each alone told: denoisers, others, all."""
    known = [*FIRST, "vae", "text_encoder", "all"]
    return sorted(components, key=known.index)


def texts_of(made: Made, component: str, measure: str, group: str = "some") -> pd.DataFrame:
    """Return a matrix as its file has it: texts."""
    file = made.group(group) / "matrices" / f"{component}.{measure}.csv"
    return pd.read_csv(file, index_col=0, dtype=str, keep_default_na=False)


def test_the_page_is_made_though_the_run_fails_at_its_end(made):
    assert not made.run.success
    assert "1 of 7 models could not be read" in made.run.output
    for group in made.atlas.groups:
        assert made.page(group).is_file(), made.run.output


def test_every_cell_of_a_pairs_strip_is_that_of_the_distances(made, opened):
    frame = pq.read_table(made.group("some") / "distances.parquet").to_pandas()
    rows = {
        tuple(str(row[name]) for name in ("a", "b", "component", "block", "role")): row
        for row in frame.to_dict("records")
    }
    seen: set[str] = set()
    for component in with_parts(made):
        page = opened("some", component)
        for one, other in PAIRS:
            choose(page, one, other)
            a, b = sorted((one, other))
            told = {part: (value, title) for part, value, title in page.evaluate(CELLS)}
            wanted = {
                f"{key[3]}/{key[4]}": row
                for key, row in rows.items()
                if key[:3] == (a, b, component)
            }
            assert set(told) == set(wanted), (one, other, component)
            for part, row in wanted.items():
                value, title = told[part]
                assert value == page_words.cell(row), (one, other, component, part)
                is_partial = 0 < row["compared_parameters"] < row["parameters"]
                assert title.endswith("compared in part") == is_partial, (one, other, part)
                seen.add(value if value[0].isalpha() else "number")
    assert seen == {"identical", "identical as far as compared", "not compared", "number"}


def test_how_far_two_are_apart_is_what_the_matrices_say(made, opened):
    page = opened("some")
    components = sorted(
        file.name.split(".")[0] for file in made.group("some").glob("matrices/*.l2.csv")
    )
    matrices = {
        (component, measure): texts_of(made, component, measure)
        for component in components
        for measure in (*MEASURES, "coverage")
    }
    for one, other in [*combinations(MODELS, 2), ("gap", "base")]:
        choose(page, one, other)
        rows = page.evaluate(TABLE, "^How far apart$")
        assert [row[0] for row in rows] == [titled(name) for name in in_order(components)]
        shares = []
        for name, row in zip(in_order(components), rows, strict=True):
            share = float(matrices[name, "coverage"].loc[one, other] or 0)
            wanted = [
                page_words.said(matrices[name, m].loc[one, other], m, share) for m in MEASURES
            ]
            assert row[1:5] == wanted, (one, other, name)
            shares.append(page_words.compared(matrices[name, "coverage"].loc[one, other]))
        told = [row[5] for row in rows if len(row) > 5]
        assert told == (shares if set(shares) != {"all"} else []), (one, other)


def test_the_tensors_that_moved_most_are_those_of_the_tensors_of_the_two(made, opened):
    page = opened("some")
    table = pq.read_table(made.group("some") / "tensors.parquet").to_pandas()
    results = made.atlas.folder / "results"
    named = read_renamings(results / "renamings.json")
    for one, other in PAIRS:
        choose(page, one, other)
        told = page.evaluate(TABLE, "tensors that moved most") or []
        a, b = sorted((one, other))
        rows = table[(table["a"] == a) & (table["b"] == b)].sort_values("rank")
        wanted = [
            [row.name, row.block, significant(row.relative_l2, 3)]
            for row in rows[["name", "block", "relative_l2"]].itertuples(index=False, name="Row")
        ]
        assert told == wanted, (one, other)
        held = contents.load(
            [results / "fingerprints" / f"{model}.parquet" for model in (a, b)], [a, b], named
        )
        measured = shards.iter_names(sorted((results / "distances").glob("*.parquet")))
        own = pairs.table(held, pairs.between(held, measured)).to_pandas()
        own = own[own["relative_l2"] > 0].sort_values(
            ["relative_l2", "name"], ascending=[False, True]
        )
        names = [[row["name"], significant(row["relative_l2"], 3)] for _, row in own.iterrows()]
        assert [[row[0], row[2]] for row in told] == names[:20], (one, other)


def test_the_histogram_counts_what_the_spread_counts(made, opened):
    table = pq.read_table(made.group("some") / "spread.parquet").to_pylist()
    rows = {(row["a"], row["b"], row["component"]): row for row in table}
    words = {
        "identical": "identical",
        "equal": "of equal numbers in two dtypes",
        "undefined": "of which one is all zero",
        "not_compared": "not compared",
    }
    for component in with_parts(made):
        page = opened("some", component)
        for one, other in [pair for pair in PAIRS if "base" in pair]:
            choose(page, one, other)
            bars = texts(page, ".pair-card svg.histogram rect title")
            row = rows.get((*sorted((one, other)), component))
            counts = [] if row is None else row["bins"]
            wanted = [
                f"{count} tensors from 1e{page_words.edge(at)} to 1e{page_words.edge(at + 1)}"
                for at, count in enumerate(counts)
                if count
            ]
            assert bars == wanted, (one, other, component)
            beside = [f"{row[name]:,} {text}" for name, text in words.items() if row and row[name]]
            told = page.locator(".pair-card").inner_text()
            assert ("Not in it" in told) == bool(beside)
            if beside:
                assert f"Not in it: {', '.join(beside)}." in told


def test_identity_is_told_in_the_words_of_its_table(made, opened):
    page = opened("some")
    with (made.group("some") / "identity.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = shown_labels(made)
    for one, other in [*PAIRS, ("null", "base")]:
        choose(page, one, other)
        titles, words = texts(page, ".pair-card dl dt"), texts(page, ".pair-card dl dd")
        told = [list(both) for both in zip(titles, words, strict=True)]
        wanted = []
        for row in rows:
            if {row["a"], row["b"]} != {one, other}:
                continue
            verdict = row["verdict"]
            if verdict in ("only in a", "only in b"):
                verdict = f"only in {labels[row[verdict[-1]]]}"
            is_more = row["what"] != row["verdict"]
            wanted.append(
                [titled(row["component"]), f"{verdict}: {row['what']}" if is_more else verdict]
            )
        assert sorted(told) == sorted(wanted), (one, other)


def test_the_card_of_a_model_has_its_rows_of_the_table(made, opened):
    page = opened("some")
    frame = pd.read_csv(made.group("some") / "models.csv", dtype=str, keep_default_na=False)
    noticed = json.loads((made.group("some") / "findings.json").read_text(encoding="utf-8"))
    for model in WEIGHTS:
        choose(page, model)
        rows = frame[frame["model"] == model]
        assert len(rows) > 1
        parts = page.evaluate(TABLE, "^What it holds$")
        wanted = [
            [titled(row.component), row.dtype, f"{int(row.tensors):,}", f"{int(row.parameters):,}"]
            for row in rows.itertuples()
        ]
        assert [[*row[:2], *row[-2:]] for row in parts] == wanted
        told = page.locator(".model-card").inner_text()
        assert f"{int(rows['file_bytes'].iloc[0]) / 1000:.3g} kB on disk" in told
        weights = rows["bytes"].astype(int).sum()
        assert (f"{weights} B" if weights < 1000 else f"{weights / 1000:.3g} kB") in told
        listed = texts(page, ".model-card ul.findings:not(.claims) li")
        assert listed == noticed[model]
        assert shown_labels(made)[model] in page.locator(".model-card h2").text_content()
    assert page.locator("img").count() == 0


def test_a_broken_model_is_in_the_list_with_its_mark_and_says_what_is_wrong(made, opened):
    page = opened("some")
    (problem,) = json.loads((made.group("some") / "findings.json").read_text())["cut"]
    row = page.locator(".models [data-model=cut]")
    assert row.locator(".health").inner_text() == "!"
    assert page.locator(".models .health.broken").count() == 1
    choose(page, "cut")
    assert page.locator(".model-card .problem").inner_text() == problem
    assert "compared with no other model" in page.locator(".model-card").inner_text()
    choose(page, "cut", "base")
    cells = page.evaluate(CELLS)
    assert {value for _, value, _ in cells} == {"not compared"}


def test_the_path_has_the_numbers_of_its_table(made, opened):
    with (made.group("path") / "path.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    labels = shown_labels(made)
    for component in dict.fromkeys(row["component"] for row in table):
        page = opened("path", component)
        rows = [row for row in table if row["component"] == component]
        wanted = [
            [
                labels[row["to"]],
                page_words.short(row["l2"]),
                f"{page_words.short(row['angle'])}°" if row["angle"] else "–",
                page_words.short(row["from_first"]),
                page_words.short(row["straightness"]),
            ]
            for row in rows
        ]
        assert page.evaluate(TABLE, "^Steps$") == wanted, component
        told = page.locator(".group-card dl").inner_text()
        assert str(len(rows)) in told
        for number in ("path", "root_sum_of_squares", "from_first", "straightness"):
            assert page_words.short(rows[-1][number]) in told, number
    assert len(rows) == len(ORDERED) - 1


def test_blocks_over_time_are_those_of_each_model_and_the_first(made, opened):
    frame = pq.read_table(made.group("path") / "distances.parquet").to_pandas()
    frame = frame[(frame["component"] == "unet") & (frame["role"] == "*")]
    page = opened("path", "unet")
    titles = page.evaluate(
        "[...document.querySelectorAll('.group-card table.strip td')].map((it) => it.title)"
    )
    first, *later = ORDERED
    wanted = set()
    for model in later:
        a, b = sorted((first, model))
        for row in frame[(frame["a"] == a) & (frame["b"] == b)].to_dict("records"):
            block = "all" if row["block"] == "*" else row["block"]
            wanted.add(f"{shown_labels(made)[model]}: {block}, all: {page_words.cell(row)}")
    assert set(titles) == wanted


def test_published_matrices_have_the_three_views_and_their_numbers(made, opened):
    page = opened("published", views="map,tree,heatmap")
    for view in ("map", "tree", "heatmap"):
        box = page.locator(f"[data-view={view}] .view-area").bounding_box()
        assert min(box["width"], box["height"]) > 50, view
    ids = page.evaluate(
        "[...document.querySelectorAll('.models button')].map((b) => b.dataset.model)"
    )
    assert len(ids) == 4
    for component, values in PUBLISHED["dm"].items():
        page = opened("published", component)
        for one, other in ENDS:
            text = page.evaluate("([a, b]) => atlas.text(a, b)", [ids[one], ids[other]])
            value = values[one][other]
            assert text == (significant(value)), (component, one, other)
    choose(page, ids[0], ids[2])
    assert page.locator("table.strip").count() == 0
    assert page.locator("svg.histogram").count() == 0
    assert [row[1] for row in page.evaluate(TABLE, "^How far apart$")] == ["2", "1"]
    assert page.locator("img").count() == 0
