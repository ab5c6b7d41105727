"""What the pages link to and name is there."""

import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "results" / "README.md",
    *sorted(REPOSITORY.glob("docs/*.md")),
    *sorted(REPOSITORY.glob("config/**/README.md")),
]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"(?:scripts|rules|config|tests|bench|docs|envs|profiles)/[^\s:]*")
PATTERN = re.compile(r"[{*…<]")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of one."""
    found = []
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" not in link and not (
            target.exists() and (not anchor or anchor in anchors(target))
        ):
            found.append(link)
    return found


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def absent(page: Path) -> list[str]:
    """Return the paths that a page names in backticks or in code, and that are not there."""
    text = page.read_text()
    code = [*re.findall(r"`([^`\n]+)`", FENCED.sub("", text)), *FENCED.findall(text)]
    words = " ".join(code).split()
    paths = [word for word in words if NAMED.fullmatch(word) and not PATTERN.search(word)]
    return [path for path in paths if not (REPOSITORY / path).exists()]


@pages
def test_links_lead_to_what_is_there(page):
    assert broken(page) == []


@pages
def test_paths_that_are_named_are_there(page):
    assert absent(page) == []


def test_a_broken_link_and_an_absent_path_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One heading: `a/b`\n[gone](gone.md) [here](page.md#one-heading-ab) [not](#two)\n"
        "`scripts/gone.py`, `python bench/gone.py --list`, `config/demo.yaml`, `rules/{wing}.smk`\n"
        "```\n[code](code.md) tests/gone.py\n```\n"
    )
    assert broken(page) == ["gone.md", "#two"]
    assert absent(page) == ["scripts/gone.py", "bench/gone.py", "tests/gone.py"]


def test_every_page_can_be_reached():
    """The first page leads to each, by way of others."""
    reached, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text()))
        pages = ((page.parent / link).resolve() for link in links if link.endswith(".md"))
        waiting += [each for each in pages if each in PAGES and each not in reached]
    assert set(PAGES) - reached == set()


def test_the_page_of_config_names_all_that_is_there():
    text = (REPOSITORY / "config" / "README.md").read_text()
    for path in (REPOSITORY / "config").iterdir():
        name = f"{path.name}/" if path.is_dir() else path.name
        assert path.name == "README.md" or f"[`{name}`]" in text, name
