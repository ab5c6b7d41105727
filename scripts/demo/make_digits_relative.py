"""Make a relative of the digits models from its recipe in the roster."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo.digits import relatives, single_file


def main(*, recipe: dict[str, Any], parents: list[Path], checkpoint: Path) -> None:
    """
    Write the checkpoint that the recipe describes; parents are named by their ids.

    Parameters
    ----------
    recipe
        As in the roster: `kind`, and what the kind needs.
    checkpoint
        The checkpoint to write.
    """
    models = {parent.stem: single_file.read(parent) for parent in parents}
    single_file.write(relatives.make(recipe, models), checkpoint)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        recipe=snakemake.params.recipe,
        parents=[Path(path) for path in snakemake.input.parents],
        checkpoint=Path(snakemake.output.checkpoint),
    )
