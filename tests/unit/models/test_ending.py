"""The last words of a run: pages that are there, in the roster's order, and what is broken."""

from pathlib import Path

import pyarrow as pa
import pytest

from atlas.basis import sealed
from atlas.models import ending


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    """Return the results of a folder in which the test works."""
    monkeypatch.chdir(tmp_path)
    return Path("results")


def laid(results: Path, *names: str) -> set[Path]:
    """Write empty files, and return them with the folders that they are in."""
    for name in names:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).touch()
    return set(results.rglob("*"))


def test_pages_are_named_in_the_rosters_order_and_only_those_that_are_there(results):
    made = laid(
        results,
        *("models.md", "macs/summary.md", "groups/b/identity.md", "groups/b/identity.png"),
        *("groups/a/plots/vae.tree.png", "groups/a/plots/unet.tree.png", "groups/a/plots/x.png"),
        "groups/published/plots/embedder.tree.png",
    )
    assert [str(page) for page, _ in ending.first_pages(made, ["b", "a", "none", "published"])] == [
        "results/groups/b/identity.md",
        "results/groups/b/identity.png",
        "results/groups/a/plots/unet.tree.png",
        "results/groups/published/plots/embedder.tree.png",
        "results/models.md",
        "results/macs/summary.md",
    ]
    asked = {path for path in made if "plots" not in path.parts}
    pages = dict(ending.first_pages(asked, ["b", "a"]))
    assert not [page for page in pages if "plots" in page.parts], "not what another run made"


def test_the_page_that_leads_to_all_comes_first_and_a_groups_page_in_the_place_of_its_parts(
    results,
):
    made = laid(
        results,
        *("atlas.html", "models.md", "groups/b/atlas.html", "groups/b/identity.md"),
        *("groups/b/plots/unet.tree.png", "groups/a/identity.md"),
        *("groups/b/recipes.html", "groups/b/recipes.md", "groups/a/recipes.md"),
        *("activations/one/viewer.html", "activations/two/viewer.html"),
    )
    assert [str(page) for page, _ in ending.first_pages(made, ["b", "a"])] == [
        "results/atlas.html",
        "results/groups/b/atlas.html",
        "results/groups/b/recipes.html",
        "results/groups/a/recipes.md",
        "results/groups/a/identity.md",
        "results/models.md",
        "results/activations/one/viewer.html",
    ]


def test_of_many_groups_a_few_are_named(results):
    made = laid(results, *(f"groups/{number}/identity.md" for number in range(9)))
    assert len(ending.first_pages(made, map(str, range(9)))) == ending.GROUPS_SHOWN


def test_of_each_kind_of_viewer_a_few_are_named():
    made = [Path(f"results/embeddings/groups/{name}/words/viewer.html") for name in "abcde"]
    made += [Path("results/activations/faces/viewer.html"), Path("results/other/viewer.html")]
    named = [str(path) for path, _ in ending.first_pages(made, [])]
    assert named == [
        "results/activations/faces/viewer.html",
        *(f"results/embeddings/groups/{name}/words/viewer.html" for name in "abc"),
    ]


def test_what_to_open_is_a_paragraph_or_nothing():
    pages = [(Path("a.md"), "the one"), (Path("long.md"), "the other")]
    assert ending.opening(pages) == (
        "The atlas is in results/. Open first:\n  a.md     the one\n  long.md  the other"
    )
    assert ending.opening([]) == ""
    assert ending.ending("", None, "one", "two") == "\none\n\ntwo\n"


def test_problems_of_a_table_are_by_model(tmp_path):
    table = tmp_path / "models.csv"
    table.write_text('model,component,problem\na,unet,x\na,vae,"y, z"\nb,unet,\nc,,gone\n')
    assert ending.problems_in(table) == ({"a": "x; y, z", "c": "gone"}, 3)


def test_problems_are_the_fingerprints(results):
    empty = pa.table({"name": pa.array([], pa.string())})
    sealed.write(empty, results / "good.parquet", {"kind": "model"})
    sealed.write(empty, results / "bad.parquet", {"problem": "x: cut off"})
    paths = {name: results / f"{name}.parquet" for name in ("good", "bad", "absent")}
    problems = ending.problems_of(paths)
    assert problems == {"bad": "x: cut off"}
    told = ending.unreadable(problems, of=3)
    assert told.startswith("1 of 3 models could not be read; ")
    assert told.endswith("\n  bad: x: cut off")
