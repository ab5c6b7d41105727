"""
The page that leads to all others: groups, models, and the wings' pages.

It needs no script. Every text on it is plain, and every link is relative and leads to a file or
folder that is there; what the caller names besides, it answers for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from atlas.basis import tables
from atlas.basis.page import findings_in, one_line
from atlas.models.ending import DRAWN_FIRST
from atlas.names.components import WORDS
from atlas.pages import modules
from atlas.pages.document import POLICY
from atlas.pages.thumbnails import thumbnail
from atlas.plots.registry import PLOTS

CARDS = 12
"""So many groups have a card of their own; further ones a line."""
FINDINGS = 3
"""Of a group, on its card."""
PROBLEMS = 20
"""So many unreadable models are named."""
FIRST_KINDS = ("map", "tree", "heatmap")
"""Of the plots, which one a card shows: the first that there is, of these before others."""
IDENTITY, DUPLICATES, RECIPES = "identity.html", "duplicates.html", "recipes.html"
PARTS = {
    IDENTITY: "what is the same",
    DUPLICATES: "duplicates",
    RECIPES: "recipes",
    "lineage.svg": "lineage",
}
"""Pages below a group's folder, and what links call them."""


@dataclass(frozen=True)
class Group:
    """What the roster says of a group."""

    name: str
    models: int
    base: str | None = None
    """What its base is called."""
    ordered: bool = False
    published: str | None = None
    """The file of the published matrices that it was read from, in the place of models."""


@dataclass(frozen=True)
class Other:
    """A page besides those of groups and models."""

    path: Path
    wing: str
    """What it is about; pages of one wing stand together."""
    title: str


def write(
    path: Path,
    *,
    roster: str,
    groups: Sequence[Group],
    models: int,
    problems: Mapping[str, str],
    labels: Mapping[str, str],
    others: Sequence[Other] = (),
) -> None:
    """
    Write the page; what it leads to lies beside it, below groups/ and models/.

    Parameters
    ----------
    roster
        What the list of models is called.
    groups
        In the roster's order.
    models
        How many the roster has.
    problems
        Model to what is wrong with it, of those that could not be read.
    labels
        Model to what it is called.
    others
        Further pages, which are there or about to be.
    """
    folder = path.parent
    parts = [
        *_head(roster, groups, models),
        *_groups(folder, groups),
        *(_models(folder, models, problems, labels) if models else []),
        *_others(folder, others),
    ]
    body = "\n".join(parts)
    tables.write_text(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>Atlas: {_shown(roster)}</title>
<style>
{modules.style("page.css")}{modules.style("index.css")}</style>
</head>
<body class="index">
{body}
</main>
</body>
</html>
""",
        path,
    )


def counted(number: int, word: str) -> str:
    """
    Return a number of things.

    >>> counted(1, "model"), counted(1200, "group")
    ('1 model', '1,200 groups')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _shown(text: str) -> str:
    return escape(one_line(text))


def _link(folder: Path, to: Path, text: str, kind: str = "") -> str:
    """Return a link to a file or folder, from a page that lies in a folder."""
    place = quote(Path(os.path.relpath(to, folder)).as_posix()) + ("/" if to.is_dir() else "")
    named = f' class="{kind}"' if kind else ""
    return f'<a{named} href="{place}">{text}</a>'


def _head(roster: str, groups: Sequence[Group], models: int) -> Iterator[str]:
    counts = ([counted(models, "model")] if models else []) + [counted(len(groups), "group")]
    yield f"<header><h1>Atlas</h1><p>{_shown(roster)}: {', '.join(counts)}</p></header>\n<main>"


def _groups(folder: Path, groups: Sequence[Group]) -> Iterator[str]:
    if not groups:
        return
    yield '<section aria-labelledby="groups"><h2 id="groups">Groups</h2>\n<div class="cards">'
    for group in groups[:CARDS]:
        yield from _card(folder, group)
    yield "</div>"
    if further := groups[CARDS:]:
        yield f'<h3>{counted(len(further), "further group")}</h3>\n<ul class="further">'
        for group in further:
            links = " ".join(_links(folder, group))
            yield (
                f"<li>{_name(folder, group)} <span>{_facts(group)}</span>"
                f'<span class="links">{links}</span></li>'
            )
        yield "</ul>"
    yield "</section>"


def _of_group(folder: Path, group: Group) -> Path:
    return folder / "groups" / group.name


def _name(folder: Path, group: Group) -> str:
    """Return the name of a group, as a link to its page."""
    page = _of_group(folder, group) / "atlas.html"
    return _link(folder, page, _shown(group.name), "name") if page.is_file() else _shown(group.name)


def _facts(group: Group) -> str:
    facts = [
        "published matrices" if group.published else counted(group.models, "model"),
        f"base {group.base}" if group.base else "",
        "in order" if group.ordered else "",
    ]
    return " · ".join(map(_shown, filter(None, facts)))


def _card(folder: Path, group: Group) -> Iterator[str]:
    place = _of_group(folder, group)
    yield f'<article class="entry"><div class="text"><h3>{_name(folder, group)}</h3>'
    yield f'<p class="facts">{_facts(group)}</p>'
    found = _findings(place, group)
    if found:
        first = [*_found(place / RECIPES)[:1], *found[:FINDINGS]]
        yield "<ul>" + "".join(f"<li>{_shown(text)}</li>" for text in first)
        if len(found) > FINDINGS:
            more = f"{len(found) - FINDINGS} more"
            yield f'<li class="rest">{_link(folder, place / IDENTITY, more)}</li>'
        yield from (f"<li>{_shown(text)}</li>" for text in _found(place / DUPLICATES)[:1])
        yield "</ul>"
    yield f'<p class="links">{" ".join(_links(folder, group))}</p></div>'
    yield from _picture(folder, place, group)
    yield "</article>"


def _findings(place: Path, group: Group) -> list[str]:
    if group.published:
        return [
            f"Distances as they were published, read from {group.published}. Without weights, "
            "nothing is told of what is identical."
        ]
    return _found(place / IDENTITY)


def _found(page: Path) -> list[str]:
    """Return what a page found, or nothing where it is not there."""
    return findings_in(page.read_text(encoding="utf-8")) if page.is_file() else []


def _links(folder: Path, group: Group) -> Iterator[str]:
    """Yield the links of a group to what is there."""
    place = _of_group(folder, group)
    if (page := place / "atlas.html").is_file():
        yield _link(folder, page, "atlas page", "first")
    for name, told in PARTS.items():
        if (page := place / name).is_file():
            yield _link(folder, page, told)
    if (plots := place / "plots").is_dir():
        yield _link(folder, plots, "pictures")
    if (matrices := place / "matrices").is_dir():
        for component, page in [*_by_component(matrices, ".html").items()][:1]:
            yield _link(folder, page, f"{_shown(WORDS.get(component, component))} in numbers")
        yield _link(folder, matrices, "all numbers")


def _by_component(folder: Path, ending: str) -> dict[str, Path]:
    """Return files of components, what is drawn first in front."""
    files = {path.name.removesuffix(ending): path for path in sorted(folder.glob(f"*{ending}"))}
    order = [name for name in DRAWN_FIRST if name in files]
    return {name: files[name] for name in dict.fromkeys([*order, *files])}


def _picture(folder: Path, place: Path, group: Group) -> Iterator[str]:
    """Yield a small picture of a group, which leads to its page or to the large picture."""
    for file in _plots(place / "plots"):
        if picture := thumbnail(file):
            page = place / "atlas.html"
            kind = file.name.split(".")[-2]
            told = f'alt="{_shown(f"{group.name}: {kind}")}"'
            image = f'<img {told} src="{picture}">'
            yield _link(folder, page if page.is_file() else file, image, "picture")
            return


def _plots(plots: Path) -> Iterator[Path]:
    others = [plot.name for plot in PLOTS if plot.name not in FIRST_KINDS]
    for kind in (*FIRST_KINDS, *others):
        yield from _by_component(plots, f".{kind}.png").values()


def _models(
    folder: Path, models: int, problems: Mapping[str, str], labels: Mapping[str, str]
) -> Iterator[str]:
    yield '<section aria-labelledby="models"><h2 id="models">Models</h2>'
    page = folder / "models.html"
    told = f"What each of {counted(models, 'model')} holds"
    yield f"<p>{_link(folder, page, told) if page.is_file() else told}: components, dtypes, health."
    yield (
        "All could be read.</p>"
        if not problems
        else (f"{len(problems):,} of {models:,} could not be read:</p>")
    )
    if problems:
        yield '<dl class="problems">'
        for model, problem in [*problems.items()][:PROBLEMS]:
            yield f"<dt>{_model(folder, model, labels)}</dt><dd>{_shown(problem)}</dd>"
        yield "</dl>"
    if len(problems) > PROBLEMS:
        yield f"<p>{len(problems) - PROBLEMS:,} more are named there.</p>"
    yield "</section>"


def _model(folder: Path, model: str, labels: Mapping[str, str]) -> str:
    """Return what a model is called, as a link to its page where it has one."""
    called, page = _shown(labels.get(model, model)), folder / "models" / f"{model}.html"
    return _link(folder, page, called) if page.is_file() else called


def _others(folder: Path, others: Iterable[Other]) -> Iterator[str]:
    by_wing: dict[str, list[Other]] = {}
    for page in others:
        by_wing.setdefault(page.wing, []).append(page)
    if not by_wing:
        return
    yield '<section aria-labelledby="more"><h2 id="more">More</h2>\n<dl class="wings">'
    for wing, pages in by_wing.items():
        links = " ".join(_link(folder, page.path, _shown(page.title)) for page in pages)
        yield f'<dt>{_shown(wing)}</dt><dd class="links">{links}</dd>'
    yield "</dl></section>"
