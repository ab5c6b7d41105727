"""Pictures of one matrix of a group: heatmap, tree, map, spectral graph and line."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from atlas.plots import style
from atlas.relations.matrices import Matrix

KINDS = ("heatmap", "tree", "map", "spectral", "line")


def draw_all(
    matrix: Matrix,
    folder: Path,
    *,
    kinds: tuple[str, ...] = KINDS,
    reference: str | None = None,
    families: Mapping[str, str] | None = None,
) -> list[Path]:
    """
    Write {component}.{kind}.svg and .png of each kind, and the tree as {component}.tree.nwk.

    reference is the id that the line starts from (by default the base, else the first model);
    families maps ids to the family that colours a model. Returns the files written.
    """
    written = []
    for kind in kinds:
        picture = import_module(f"atlas.plots.{kind}")  # each kind imports only what it needs
        options = {"reference": reference} if kind == "line" else {}
        figure = picture.draw(matrix, families=families, **options)
        written += style.save(figure, folder / f"{matrix.component}.{kind}")
        if kind == "tree":
            newick = folder / f"{matrix.component}.tree.nwk"
            newick.write_text(picture.newick_of(matrix) + "\n", encoding="utf-8")
            written.append(newick)
    return written
