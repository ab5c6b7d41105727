"""
Pages to read, in Markdown and in HTML, made from the same sections.

Every text that a page is made of is plain: what it holds of Markdown's signs, of HTML or of control
characters is shown, never obeyed. Labels, file names and components are the user's words, so all
pages are written here.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape

NAMED = 8
"""A list of more models than this is cut."""


class Italic(str):
    """A cell that is set in italics."""

    __slots__ = ()


@dataclass(frozen=True)
class Item:
    """A line of a list: whom it is about, in bold letters, and what is said."""

    about: str
    text: str


@dataclass(frozen=True)
class Section:
    """A heading, what to know, a list, and a table of ready texts; numbers are set to the right."""

    title: str
    text: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    words: frozenset[int] = frozenset({0})
    """Columns of words, set to the left."""
    prose: frozenset[int] = frozenset()
    """Columns of sentences, set to the left and broken into lines."""
    items: Sequence[Item] = ()
    is_folded: bool = False
    """Whether its table is hidden in HTML until it is asked for."""


STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #8884; text-align: right; }
td { vertical-align: top; white-space: nowrap; }
th { position: sticky; top: 0; background: Canvas; vertical-align: bottom; }
.words, .prose { text-align: left; }
td.prose { white-space: normal; min-width: 22rem; max-width: 40rem; }
p, ul { max-width: 60rem; }
tr:hover td { background: #8882; }
"""
MORE_STYLE = """
nav ol { columns: 16rem; max-width: 60rem; padding-left: 1.2rem; }
summary { cursor: pointer; }
"""
"""Of pages that have a table of contents or folded parts."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Line breaks, terminals' codes and changes of the direction of writing."""
SIGNS = re.compile(
    r"""
    \\(?=[!-/:-@\[-`{-~]|$)                 # a backslash, where it would take the next sign along
    | [*`\[|$]                              # stress, code, links, cells, formulas
    | ~(?=~) | (?<=~)~
    | (?<![^\W_])_ | _(?![^\W_])            # stress; within a word it is none
    | ^(?:\#(?=[\#\s]|$) | [-+](?=\s|$))    # headings and lists
    | (?<=^\d)[.)](?=\s|$) | (?<=^\d\d)[.)](?=\s|$)
    """,
    re.VERBOSE,
)
FINDING = re.compile(r"<li>(.*?)</li>")
HTML_SIGNS = re.compile(r"<|^>|&(?=#?\w+;)")


def called(model: str, labels: Mapping[str, str]) -> str:
    """
    Return what a page calls a model: its label, and its id where that is another.

    >>> called("nai", {"nai": "NovelAI, 4 GB"}), called("sd", {"sd": "sd"})
    ('NovelAI, 4 GB (nai)', 'sd')
    """
    label = labels.get(model, model)
    return model if label == model else f"{label} ({model})"


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """
    Return a list's names, which may have commas; of many the first ones and how many more.

    >>> listed(["A, B", "C; D"]), listed(["a", "b", "c", "d"], most=2)
    ('A, B; "C; D"', 'a; b and 2 more')
    """
    told = [f'"{name}"' if ";" in name else name for name in names]
    more = len(told) - most
    return f"{'; '.join(told[:most])} and {more} more" if more > 1 else "; ".join(told)


def markdown(title: str, findings: Iterable[str], sections: Iterable[Section]) -> str:
    """Return a page in Markdown: what to know at once, then the sections."""
    lines = [f"# {plain(title)}", "", *(f"- {plain(finding)}" for finding in findings), ""]
    for part in sections:
        lines += [f"## {plain(part.title)}", ""]
        lines += [plain(part.text), ""] if part.text else []
        if part.items:
            lines += [
                *(f"- **{plain(item.about)}**: {plain(item.text)}" for item in part.items),
                "",
            ]
        if part.header:
            lines += [*markdown_table(part.header, part.rows, words=part.words | part.prose), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, words: Collection[int]
) -> list[str]:
    r"""
    Return the lines of a table in Markdown; columns of words are set to the left.

    >>> markdown_table(["name", "size"], [["a|b", Italic("1")]], words={0})
    ['| name | size |', '| :-- | --: |', '| a\\|b | *1* |']
    """
    ruler = (":--" if column in words else "--:" for column in range(len(header)))
    cells = [map(_cell, line) for line in (header, *rows)]
    return [_line(cells[0]), _line(ruler), *map(_line, cells[1:])]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return f"*{plain(text)}*" if isinstance(text, Italic) else plain(text)


def plain(text: str) -> str:
    r"""
    Return a text as Markdown that shows it as it is, in one line.

    >>> plain("a*b|<i>"), plain("text_encoder"), plain("1. # _x_")
    ('a\\*b\\|&lt;i>', 'text_encoder', '1\\. # \\_x\\_')
    """
    marked = SIGNS.sub(lambda sign: f"\\{sign[0]}", one_line(text))
    return HTML_SIGNS.sub(lambda sign: escape(sign[0]), marked)


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters, fit for UTF-8."""
    told = " ".join(CONTROL.sub(" ", text).split())
    return told.encode("utf-8", "replace").decode("utf-8")


def html(
    title: str, findings: Iterable[str], sections: Iterable[Section], *, contents: bool = False
) -> str:
    """Return a page as one HTML file that needs nothing else, perhaps with a table of contents."""
    sections = list(sections)
    told = "".join(f"<li>{_shown(text)}</li>\n" for text in findings)
    body = [f"<h1>{_shown(title)}</h1>", f'<ul class="findings">\n{told}</ul>' if told else ""]
    body += [_contents(sections)] if contents else []
    for number, part in enumerate(sections):
        place = f' id="part-{number}"' if contents else ""
        body.append(f"<h2{place}>{_shown(part.title)}</h2>")
        body += [f"<p>{_shown(part.text)}</p>"] if part.text else []
        if part.items:
            items = (f"<b>{_shown(item.about)}</b>: {_shown(item.text)}" for item in part.items)
            body.append("<ul>" + "".join(f"<li>{item}</li>\n" for item in items) + "</ul>")
        if part.header:
            rows = f"{len(part.rows):,} row{'' if len(part.rows) == 1 else 's'}"
            body += [f"<details><summary>{rows}</summary>"] if part.is_folded else []
            body.append(f"<table><thead>{_html_row(part, part.header, 'th')}</thead><tbody>")
            body += [_html_row(part, row, "td") for row in part.rows]
            body.append("</tbody></table>")
            body += ["</details>"] if part.is_folded else []
    more = MORE_STYLE if contents or any(part.is_folded for part in sections) else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_shown(title)}</title><style>{STYLE}{more}</style></head><body>\n"
        + "\n".join(filter(None, body))
        + "\n</body></html>\n"
    )


def _contents(sections: Sequence[Section]) -> str:
    links = (
        f'<li><a href="#part-{number}">{_shown(part.title)}</a></li>\n'
        for number, part in enumerate(sections)
    )
    return f"<nav><ol>\n{''.join(links)}</ol></nav>"


def findings_in(page: str) -> list[str]:
    """
    Return what was found, as plain texts, from a page that `html` returned.

    >>> findings_in(html("A title", ["a < b", "c"], []))
    ['a < b', 'c']
    """
    _, _, after = page.partition('<ul class="findings">')
    return [unescape(line) for line in FINDING.findall(after.partition("</ul>")[0])]


def _shown(text: str) -> str:
    return escape(one_line(text))


def _html_row(part: Section, cells: Sequence[str], tag: str) -> str:
    told = []
    for column, cell in enumerate(cells):
        kind = _kind(part, column)
        opened = f'{tag} class="{kind}"' if kind else tag
        text = f"<i>{_shown(cell)}</i>" if isinstance(cell, Italic) else _shown(cell)
        told.append(f"<{opened}>{text}</{tag}>")
    return f"<tr>{''.join(told)}</tr>"


def _kind(part: Section, column: int) -> str:
    return "words" if column in part.words else "prose" if column in part.prose else ""
