"""Write a page to explore the maps of a dataset: one file that opens from disk."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import pandas as pd
import pyarrow as pa

from atlas.activations import datasets, findings, viewing
from atlas.activations.embedding import condition_columns
from atlas.activations.storage import time_key
from atlas.basis import sealed
from atlas.basis.workflow import command_line, configure_logging
from atlas.pages import map_page

NEIGHBOURS = ["layer", "timestep", "id", "rank", "neighbour", "distance"]


def main(
    *, dataset: Path, points: Path, neighbours: Path, quality: Path, images: Path, page: Path
) -> None:
    """
    Write the page.

    Parameters
    ----------
    dataset
        The JSON file that plan_activations writes.
    points
        umap.csv.
    neighbours
        neighbours.parquet.
    quality
        quality.csv.
    images
        The folder that the images' paths in umap.csv start from.
    page
        The HTML file to write.
    """
    declared = datasets.read(dataset)
    maps, figures = pd.read_csv(points), pd.read_csv(quality)
    near, _ = sealed.read(neighbours, NEIGHBOURS)
    table = viewing.points_of(maps)
    kinds = viewing.kinds_of(maps)
    pictures = viewing.images_of(maps, images) if declared.images != "none" else None
    conditions = [name for name in condition_columns(maps) if name in table.columns]
    kept = "maps" if declared.embed == "maps" else "means"
    map_page.write(
        page,
        title=findings.claim(declared.name, figures),
        subtitle=f"{len(table):,} points · UMAP of {kept} of layers, laid over one another",
        points=pa.Table.from_pandas(table, preserve_index=False),
        views=[
            map_page.View(
                choice={"layer": view.layer, "timestep": time_key(view.timestep)},
                rows=view.rows,
                x=view.x,
                y=view.y,
                neighbours=view.neighbours,
                distances=view.distances,
                note=view.note,
            )
            for view in viewing.views_of(maps, near, figures)
        ],
        thumbnails=pictures,
        base=kinds == "real",
        switches=["model"] if "model" in table.columns else [],
        colour=conditions[0] if conditions else None,
        neighbours_title="Nearest in activation space",
        distance_title=f"distance between {kept} of activations",
    )


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        dataset=Path(snakemake.input.dataset),
        points=Path(snakemake.input.points),
        neighbours=Path(snakemake.input.neighbours),
        quality=Path(snakemake.input.quality),
        images=Path(snakemake.input.points).parent,
        page=Path(snakemake.output.page),
    )
