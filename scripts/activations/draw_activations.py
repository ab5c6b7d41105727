"""Draw the maps of a dataset: a panel for each network, layer and timestep."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import pandas as pd

from atlas.activations import datasets, findings, map_picture
from atlas.activations.embedding import condition_columns
from atlas.basis.workflow import command_line, configure_logging
from atlas.plots import style


def main(*, dataset: Path, points: Path, quality: Path, picture: Path) -> None:
    """
    Write the picture as .png and as .svg.

    Parameters
    ----------
    dataset
        The JSON file that plan_activations writes.
    points
        umap.csv.
    quality
        quality.csv.
    picture
        The picture to write.
    """
    declared = datasets.read(dataset)
    table, figures = pd.read_csv(points), pd.read_csv(quality)
    slices: list[tuple[Any, pd.DataFrame]] = list(figures.groupby(["model", "layer", "timestep"]))
    column = next(iter(condition_columns(table)), None)
    networks = table["model"].nunique()
    samples = f"{table['id'].nunique() // networks:,} samples"
    by = f" of each of {networks} networks" if networks > 1 else ""
    kind = "maps" if declared.embed == "maps" else "means"
    figure = map_picture.draw(
        table,
        title=findings.claim(declared.name, figures),
        subtitle=f"{samples}{by} · UMAP of {kind} of layers, laid over one another",
        column=column,
        remarks={place: findings.remark(of) for place, of in slices},
        notes=[
            "Distances on a map mean little; who lies beside whom does, as far as it is trusted."
        ],
    )
    style.save(figure, picture.with_suffix(""))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        dataset=Path(snakemake.input.dataset),
        points=Path(snakemake.input.points),
        quality=Path(snakemake.input.quality),
        picture=Path(snakemake.output.png),
    )
