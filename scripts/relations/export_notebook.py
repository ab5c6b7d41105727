"""Write a group's L2 matrices in the notebook's format."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.relations import groups, matrices, notebook


def main(*, folder: Path, group: str, paths: dict[str, str], target: Path) -> None:
    """
    Write all components; models of a published matrix go by their own names.

    Where no two models could be compared, the file has a note that says so.

    Parameters
    ----------
    folder
        The group's matrices.
    paths
        Model to its checkpoint's path.
    target
        The JSON file to write.
    """
    found = [
        matrices.read(
            file,
            component=matrices.component_of(file.name.removesuffix(".l2.csv")),
            measure="l2",
            group=group,
        )
        for file in sorted(folder.glob("*.l2.csv"))
        if file.name != f"{groups.ALL}.l2.csv"
    ]
    if not found:
        note = groups.nothing_to_compare(len(paths))
        notebook.write(notebook.without_distances(paths, group), target, note=note)
        return
    files = {model: paths.get(model, model) for matrix in found for model in matrix.ids}
    notebook.write(notebook.from_matrices(found, files, group), target)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        folder=Path(snakemake.input.matrices),
        group=snakemake.wildcards.group,
        paths=snakemake.params.paths,
        target=Path(snakemake.output.notebook),
    )
