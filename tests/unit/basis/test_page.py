"""Pages: one table in Markdown and in HTML, whatever its cells hold."""

from atlas.basis import page
from atlas.basis.page import Section

PART = Section(
    "Sizes",
    "All & sundry.",
    ["name", "size", "note"],
    [["a|b", "*1*", "<new>"]],
    prose=frozenset({2}),
)


def test_markdown_escapes_what_would_break_the_table() -> None:
    lines = page.markdown("Title", ["One thing."], [PART]).splitlines()
    assert lines[:3] == ["# Title", "", "- One thing."]
    assert lines[-3:] == [
        "| name | size | note |",
        "| :-- | --: | :-- |",
        "| a\\|b | *1* | <new> |",
    ]


def test_html_escapes_texts_and_tells_kinds_of_columns() -> None:
    text = page.html("Title", [], [PART])
    assert "<p>All &amp; sundry.</p>" in text
    assert '<td class="words">a|b</td><td><i>1</i></td><td class="prose">&lt;new&gt;</td>' in text
    assert "<ul>" not in text
