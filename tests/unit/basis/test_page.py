"""Pages: what a cell, a title or a line of a list holds is shown as it is, in both forms."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from atlas.basis import page
from atlas.basis.page import Italic, Item, Section

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a|b",
    "*bold* _slanted_ `code` ~~gone~~",
    "[link](http://x) ![image](y)",
    "C:\\models\\*new*\\",
    "&lt;b&gt; &amp;",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "$x_1$",
    "\\|",
]


class Reader(HTMLParser):
    """Collects the elements of a page and the texts between its tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a text."""
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        """Go on with a text."""
        self.texts = [*self.texts[:-1], "".join(self.texts[-1:]) + data]


def viewed(text: str) -> Reader:
    """Return a page in Markdown as a viewer shows it: tables, strikethrough, HTML obeyed."""
    viewer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return Reader(viewer.render(text))


def of(text: str) -> list[Section]:
    """Return sections that hold a text wherever a text can be."""
    items = [Item(text, text)]
    return [Section(text, text, ["name", text], [[text, text], ["x", Italic("it")]], items=items)]


PLACES = "titles, finding, heading, paragraph, a line and whom it is about, and three cells"
LISTS, TABLES = {"ul", "li", "p", "strong", "em"}, {"table", "thead", "tbody", "tr", "th", "td"}
TAGS = {"h1", "h2", *LISTS, *TABLES}


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_texts_and_obeys_none(text: str) -> None:
    seen = viewed(page.markdown(text, [text], of(text)))
    assert seen.tags <= TAGS
    shown = [each.strip().removeprefix(": ") for each in seen.texts]
    assert shown.count(text) == 9, PLACES


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_texts_and_obeys_none(text: str) -> None:
    seen = Reader(page.html(text, [text], of(text)))
    assert seen.tags <= TAGS | {"html", "head", "meta", "title", "style", "body", "b", "i"}
    assert [each.strip().removeprefix(": ") for each in seen.texts].count(text) == 10, PLACES


@given(st.text(min_size=1))
def test_any_text_is_shown_in_a_line_of_a_list(text: str) -> None:
    expected = page.one_line(text)
    shown = "".join(viewed(f"- {page.plain(text)}").texts)
    assert "".join(shown.split()) == "".join(expected.split()).replace("\0", "")


@given(st.text(alphabet="\\|*_`~<>&;#ab[]()!$-+.1 ", min_size=1))
def test_any_signs_are_shown_in_a_cell(text: str) -> None:
    lines = page.markdown_table(["one", "two"], [[text, "end"]], words={0, 1})
    assert len(lines) == 3
    texts = [" ".join(each.split()) for each in viewed("\n".join(lines)).texts]
    assert list(filter(None, texts)) == list(
        filter(None, ["one", "two", page.one_line(text), "end"])
    )


def test_a_page_in_markdown() -> None:
    part = Section("Sizes", "All & sundry.", ["name", "size"], [["a", Italic("1")]])
    told = Section("Trouble", items=[Item("A", "is broken")])
    assert page.markdown("Title", ["One thing."], [part, told]) == (
        "# Title\n\n- One thing.\n\n## Sizes\n\nAll & sundry.\n\n"
        "| name | size |\n| :-- | --: |\n| a | *1* |\n\n## Trouble\n\n- **A**: is broken\n"
    )


def test_html_tells_kinds_of_columns() -> None:
    part = Section(
        "S", "", ["name", "size", "note"], [["a", Italic("1"), "x"]], prose=frozenset({2})
    )
    text = page.html("Title", [], [part])
    assert '<td class="words">a</td><td><i>1</i></td><td class="prose">x</td>' in text
    assert "<ul" not in text


@pytest.mark.parametrize("breaking", ["\n", "\r", "\x1b", "\u2028", "\u202e", "\x85"])
def test_no_text_breaks_a_line(breaking: str) -> None:
    assert page.plain(f"a{breaking}b") == page.one_line(f"a{breaking}b") == "a b"


def test_a_half_of_a_letter_can_be_written() -> None:
    assert page.one_line("a\ud800b").encode() == b"a?b"


@given(st.lists(st.sampled_from(HOSTILE) | st.text(), max_size=4))
def test_what_was_found_is_read_back_from_a_page(findings: list[str]) -> None:
    written = page.html("Title", findings, [Section("Part", items=[Item("one", "item")])])
    assert page.findings_in(written) == [page.one_line(finding) for finding in findings]


def test_long_tables_are_folded_and_contents_lead_to_sections_where_that_is_asked_for():
    parts = [
        page.Section("One <b>", "", ["a"], [["1"], ["2"]], is_folded=True),
        page.Section("Two", "", ["a"], [["1"]]),
    ]
    plain = page.html("T", [], parts[1:])
    assert "<nav>" not in plain
    assert "<details>" not in plain
    told = page.html("T", [], parts, contents=True)
    assert told.count("<details>") == told.count("</details>") == 1
    assert "<summary>2 rows</summary>" in told
    for number, title in enumerate(["One &lt;b&gt;", "Two"]):
        assert f'<a href="#part-{number}">{title}</a>' in told
        assert f'<h2 id="part-{number}">{title}</h2>' in told
    assert page.findings_in(page.html("T", ["x"], parts, contents=True)) == ["x"]
