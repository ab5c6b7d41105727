"""
Count the rooms of the house and the arrows between them: `make house`.

A room is a file or a folder at the top of scripts/ or of the library; an arrow is that a module of
one imports a module of another, wherever in its text.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx

SCRIPTS = Path(__file__).parents[1] / "scripts"
LIBRARY = "atlas"


def modules() -> dict[str, Path]:
    """Return all modules below scripts/ by their dotted names."""
    return {_dotted(file): file for file in sorted(SCRIPTS.rglob("*.py"))}


def _dotted(file: Path) -> str:
    parts = file.relative_to(SCRIPTS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = (f"{node.module}.{name.name}" for name in node.names)
            yield from (each if each in known else node.module for each in inner)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room_of(module: str) -> str:
    """Return the room that a module stands in: the library's own, or one beside it."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == LIBRARY else f"{parts[0]}/"


def graphs() -> tuple[nx.DiGraph, nx.DiGraph]:
    """Return the graph of modules and the graph of rooms."""
    known = modules()
    files = nx.DiGraph()
    files.add_nodes_from(known)
    for module, file in known.items():
        files.add_edges_from((module, each) for each in imported(file, known) if each in known)
    rooms = nx.DiGraph()
    rooms.add_nodes_from(room_of(module) for module in known if module != LIBRARY)
    rooms.add_edges_from(
        (room_of(one), room_of(other))
        for one, other in files.edges
        if LIBRARY not in (one, other) and room_of(one) != room_of(other)
    )
    return files, rooms


def circles(graph: nx.DiGraph) -> list[list[str]]:
    """Return the sets of nodes that import each other in a circle."""
    return [sorted(each) for each in nx.strongly_connected_components(graph) if len(each) > 1]


def main() -> None:
    """Print the counts, the circles, and what each room imports."""
    files, rooms = graphs()
    print(f"{len(rooms)} rooms, {rooms.number_of_edges()} arrows")
    print(f"circles of rooms: {circles(rooms) or 'none'}")
    print(f"circles of files: {circles(files) or 'none'}")
    for room in sorted(rooms):
        print(f"  {room:22} {' '.join(sorted(rooms[room]))}")


if __name__ == "__main__":
    main()
