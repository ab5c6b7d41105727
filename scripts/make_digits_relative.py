"""Make a relative of the digits models from its recipe in the roster."""

from pathlib import Path
from typing import Any

from atlas.demo.digits import relatives, single_file
from atlas.workflow import configure_logging


def main(*, recipe: dict[str, Any], parents: list[Path], checkpoint: Path) -> None:
    """Write the checkpoint that the recipe describes; parents are named by their ids."""
    models = {parent.stem: single_file.read(parent) for parent in parents}
    single_file.write(relatives.make(recipe, models), checkpoint)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        recipe=snakemake.params.recipe,
        parents=[Path(path) for path in snakemake.input.parents],
        checkpoint=Path(snakemake.output.checkpoint),
    )
