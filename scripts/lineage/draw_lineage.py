"""Draw what was made from what in a group, as a whole and by component."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.lineage import family_tree, graph
from atlas.plots import style
from atlas.relations.matrices import stem_of


def main(*, lineage: Path, base: str | None, stem: Path, folder: Path) -> None:
    """
    Draw a lineage.

    Parameters
    ----------
    lineage
        The group's lineage, as trace_lineage writes it.
    base
        The model whose box is marked.
    stem
        Path of the picture of the whole, without its endings: .svg and .png.
    folder
        Where to write the pictures of the components whose trees differ from the whole.
    """
    told = graph.read(lineage)
    style.save(family_tree.draw(told, base=base), stem)
    folder.mkdir(parents=True, exist_ok=True)
    for component in family_tree.components_that_differ(told):
        style.save(family_tree.draw(told, component, base=base), folder / stem_of(component))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        lineage=Path(snakemake.input.lineage),
        base=snakemake.params.base,
        stem=Path(snakemake.output.png).with_suffix(""),
        folder=Path(snakemake.output.folder),
    )
