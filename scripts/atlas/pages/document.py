"""One HTML file that needs nothing else: all is in it, and no network is allowed."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from atlas.basis import tables
from atlas.basis.page import one_line
from atlas.pages import modules

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src blob: data:"
)
"""Content-Security-Policy: the page can fetch nothing, and send nothing."""


def write(
    path: Path,
    *,
    title: str,
    entry: str,
    data: Mapping[str, str],
    styles: Sequence[str] = ("page.css",),
    late: Mapping[str, str] | None = None,
) -> None:
    """
    Write a page whole or not at all.

    Parameters
    ----------
    title
        Of the window, plain.
    entry
        The module that makes the page; see `modules.script`.
    data
        Texts in base64, by the ids of the elements that hold them.
    styles
        Style sheets among the assets, the later over the earlier.
    late
        Further data, read after the script has begun, so that large parts keep nobody waiting.
    """
    code = modules.script(entry)
    kind = ' type="module"'
    if late:  # a module would wait for all that follows
        kind, code = "", f'"use strict";\n(() => {{\n{code}}})();\n'
    tables.write_text(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(one_line(title))}</title>
<style>
{"".join(map(modules.style, styles))}</style>
</head>
<body>
<noscript>This page draws by script; allow scripts for it. Nothing is fetched.</noscript>
{_held(data)}
<script{kind}>
{code}</script>
{_held(late or {})}
</body>
</html>
""",
        path,
    )


def _held(data: Mapping[str, str]) -> str:
    return "\n".join(
        f'<script type="text/plain" id="{name}">{text}</script>' for name, text in data.items()
    )
