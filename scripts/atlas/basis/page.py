"""Pages to read, in Markdown and in HTML, made from the same sections."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Section:
    """A heading, what to know, and a table of ready texts; numbers are set to the right."""

    title: str
    text: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = frozenset({0})
    """Columns of words, set to the left."""
    prose: frozenset[int] = frozenset()
    """Columns of sentences, set to the left and broken into lines."""


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


def markdown(title: str, findings: Iterable[str], sections: Iterable[Section]) -> str:
    """Return a page in Markdown: what to know at once, then the sections."""
    lines = [f"# {title}", "", *(f"- {finding}" for finding in findings), ""]
    for part in sections:
        lines += [f"## {part.title}", "", part.text, ""]
        lines += [*markdown_table(part.header, part.rows, words=part.words | part.prose), ""]
    return "\n".join(lines)


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, words: Collection[int]
) -> list[str]:
    """
    Return the lines of a table in Markdown; columns of words are set to the left.

    >>> markdown_table(["name", "size"], [["a", "1"]], words={0})
    ['| name | size |', '| :-- | --: |', '| a | 1 |']
    """
    ruler = (":--" if column in words else "--:" for column in range(len(header)))
    return [_line(header), _line(ruler), *map(_line, rows)]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def html(title: str, findings: Iterable[str], sections: Iterable[Section]) -> str:
    """Return a page as one HTML file that needs nothing else."""
    told = "".join(f"<li>{escape(text)}</li>\n" for text in findings)
    body = [f"<h1>{escape(title)}</h1>", f"<ul>{told}</ul>" if told else ""]
    for part in sections:
        body += [f"<h2>{escape(part.title)}</h2>", f"<p>{escape(part.text)}</p>", "<table>"]
        body.append(f"<thead>{_html_row(part, part.header, 'th')}</thead><tbody>")
        body += [_html_row(part, row, "td") for row in part.rows]
        body.append("</tbody></table>")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(filter(None, body))
        + "\n</body></html>\n"
    )


def _html_row(part: Section, cells: Sequence[str], tag: str) -> str:
    told = []
    for column, cell in enumerate(cells):
        kind = _kind(part, column)
        opened = f'{tag} class="{kind}"' if kind else tag
        told.append(f"<{opened}>{_html_cell(cell)}</{tag}>")
    return f"<tr>{''.join(told)}</tr>"


def _kind(part: Section, column: int) -> str:
    return "words" if column in part.words else "prose" if column in part.prose else ""


def _html_cell(text: str) -> str:
    """Escape a cell; what Markdown sets in italics is so here."""
    if len(text) > 2 and text.startswith("*") and text.endswith("*"):
        return f"<i>{escape(text[1:-1])}</i>"
    return escape(text)
