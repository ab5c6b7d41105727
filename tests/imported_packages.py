"""The packages that a script imports, as its text and that of the library behind it tell."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rule_files import LIBRARIES, SCRIPTS


def packages_of(script: Path, *, without: tuple[str, ...] = (), by_name: str = "") -> set[str]:
    """
    Return the packages that a script imports anywhere, itself or through the library.

    Parameters
    ----------
    without
        Modules of the library that this run never imports.
    by_name
        A package of the library whose modules are imported by names that are no text.
    """
    packages: set[str] = set()
    skipped = {file for module in without for file in _files(module)[-1:]}
    waiting = [script, *(sorted(_place(by_name).glob("*.py")) if by_name else [])]
    seen = set(skipped)
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for module in _modules(file):
            if module.partition(".")[0] in LIBRARIES:
                waiting += _files(module)
            else:
                packages.add(module.partition(".")[0])
    return packages - sys.stdlib_module_names


@cache
def _modules(file: Path) -> set[str]:
    """Return the modules that a file imports; names from a module may be modules, too."""
    return set(_imported(ast.parse(file.read_text(encoding="utf-8"))))


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


def _files(module: str) -> list[Path]:
    """Return the files that importing a module runs: its packages' and its own."""
    parts = module.split(".")
    places = [_place(".".join(parts[:length])) for length in range(1, len(parts) + 1)]
    found = [file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))]
    return [file for file in found if file.is_file()]


def _place(module: str) -> Path:
    return SCRIPTS.joinpath(*module.split("."))
