"""Make a relative of the demo's networks from its recipe in the roster."""

import sys
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo.terrain import relatives


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
    models = {parent.stem: load_file(parent) for parent in parents}
    save_file(relatives.make(recipe, models), checkpoint, metadata={"format": "pt"})


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        recipe=snakemake.params.recipe,
        parents=[Path(path) for path in snakemake.input.parents],
        checkpoint=Path(snakemake.output.checkpoint),
    )
