"""What a run ends with: what to open first, what is lacking, and which files can't be read."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.names.components import DENOISERS, NETWORK
from atlas.tensors.tensors import Unread

RESULTS = Path("results")
INDEX = RESULTS / "atlas.html"
"""The page that leads to all others."""
INDEX_TOLD = "opens in a browser and leads to everything"
GROUPS_SHOWN = 3
"""Of a roster of many groups, the pages of this many are named."""

GROUP_PAGE = "atlas.html"
GROUP_PAGE_TOLD = "the group as one page: map, tree, heatmap, every model and pair"
"""Below results/groups/{group}/; what is told of it."""
RECIPES, RECIPES_TOLD = "recipes.html", "what was made from what, in sentences"
"""What is named beside it."""
GROUP_PARTS = {
    "recipes.md": RECIPES_TOLD,
    "identity.md": "what is the same and what differs, in words",
    "identity.png": "who shares which parts with whom",
}
"""What is named in the place of a group's page where it was not made."""
PAGES = {
    "models.md": "what each file holds",
    "architectures/summary.md": "sizes and memory of architectures",
    "macs/summary.md": "what an image costs",
}
"""Below results/."""
VIEWER = "viewer.html"
VIEWERS = {
    "activations": "what layers see, as a map to explore in a browser",
    "embeddings": "what words are to text encoders, as a map to explore in a browser",
}
"""Folder below results/ to what its viewers tell."""
VIEWERS_SHOWN = 3
"""Of each kind; one where the index leads to the others."""
DRAWN_FIRST = (*DENOISERS, NETWORK, "all")
"""Components in the order in which a tree of theirs is shown."""


def first_pages(made: Collection[Path], groups: Iterable[str]) -> list[tuple[Path, str]]:
    """
    Return what to open first, and what each page tells.

    Parameters
    ----------
    made
        Files and folders that the run asked for and that are there.
    groups
        The roster's groups in its order.
    """
    of_groups = [list(_group_pages(RESULTS / "groups" / name, made)) for name in groups]
    shown = [pages for pages in of_groups if pages][:GROUPS_SHOWN]
    has_index = INDEX in made
    return [
        *([(INDEX, INDEX_TOLD)] if has_index else []),
        *(page for pages in shown for page in pages),
        *((RESULTS / name, told) for name, told in PAGES.items() if RESULTS / name in made),
        *_viewers(made, most=1 if has_index else VIEWERS_SHOWN),
    ]


def _viewers(made: Collection[Path], *, most: int) -> Iterator[tuple[Path, str]]:
    """Yield the viewers, which are opened in a browser; of each kind a few."""
    for wing, told in VIEWERS.items():
        folder = (*RESULTS.parts, wing)
        found = [path for path in sorted(made) if path.name == VIEWER and path.parts[:2] == folder]
        for path in found[:most]:
            yield path, told


def _group_pages(folder: Path, made: Collection[Path]) -> Iterator[tuple[Path, str]]:
    """Yield a group's page, or what there is of its parts."""
    if folder / GROUP_PAGE in made:
        yield folder / GROUP_PAGE, GROUP_PAGE_TOLD
        if folder / RECIPES in made:
            yield folder / RECIPES, RECIPES_TOLD
        return
    for name, told in GROUP_PARTS.items():
        if folder / name in made:
            yield folder / name, told
    plots = folder / "plots"
    if plots in made:
        trees = {path.name.partition(".")[0]: path for path in sorted(plots.glob("*.tree.png"))}
        for component in (*DRAWN_FIRST, *trees):
            if component in trees:
                yield trees[component], "who descends from whom"
                break


def opening(pages: Iterable[tuple[Path, str]]) -> str:
    """Return the paragraph that names pages, or nothing where there are none."""
    pages = list(pages)
    if not pages:
        return ""
    width = max(len(str(page)) for page, _ in pages)
    lines = (f"  {page!s:<{width}}  {told}" for page, told in pages)
    return "\n".join([f"The atlas is in {RESULTS}/. Open first:", *lines])


def problems_of(fingerprints: Mapping[str, Path]) -> dict[str, str]:
    """Return what is wrong with each model that could not be read, as its fingerprint tells."""
    from atlas.basis import sealed

    found = {}
    for model, path in fingerprints.items():
        if not path.is_file():
            continue
        try:
            _, notes = sealed.read(path, [])
        except AtlasError as error:  # damaged: whoever needs it next finds it gone
            notes = {"problem": str(error)}
        parts = [Unread(**each) for each in notes.get("unread", {}).values()]
        problems = [notes.get("problem"), *(each.in_full for each in parts if each.is_broken)]
        if told := "; ".join(filter(None, problems)):
            found[model] = told
    return found


def problems_in(table: Path) -> tuple[dict[str, str], int]:
    """
    Return what is wrong with each unreadable model, and the number of all models.

    Parameters
    ----------
    table
        The models as CSV, a row for each component; see `description.describe`.
    """
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    problems: dict[str, str] = {}
    for row in rows:
        if row["problem"]:
            known = problems.get(row["model"])
            problems[row["model"]] = "; ".join(filter(None, [known, row["problem"]]))
    return problems, len({row["model"] for row in rows})


def unreadable(problems: Mapping[str, str], *, of: int) -> str:
    """
    Return the message that names every model that could not be read.

    Parameters
    ----------
    problems
        Model to what is wrong with it; not empty.
    of
        Number of all models.
    """
    listed = "\n".join(f"  {model}: {problem}" for model, problem in problems.items())
    return (
        f"{len(problems)} of {of} models could not be read; the others' results are made "
        f"without them. Mend or remove these and run again:\n{listed}"
    )


def ending(*paragraphs: str | None) -> str:
    """Return the paragraphs that there are, with an empty line before each."""
    return "".join(f"\n{paragraph}\n" for paragraph in paragraphs if paragraph)
