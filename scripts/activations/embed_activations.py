"""Embed what the layers of a dataset's networks saw: neighbours, maps, and how good they are."""

import json
import logging
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import datasets, findings
from atlas.activations.collection import collected
from atlas.activations.embedding import embedded, for_other_viewers
from atlas.activations.places import Places
from atlas.basis import sealed, tables
from atlas.basis.workflow import command_line, configure_logging


def main(
    *,
    dataset: Path,
    chunks: list[Path],
    maps: list[Path] | None,
    points: Path,
    table: Path,
    neighbours: Path,
    quality: Path,
    told: Path,
    record: Path,
) -> None:
    """
    Write a point for each sample and layer, its neighbours, and figures of merit.

    Parameters
    ----------
    dataset
        The JSON file that plan_activations writes.
    chunks
        Folders of the chunks: model after model, drawn samples before real images.
    maps
        A folder of maps for each chunk, where they are not in the chunks' folders; else none.
    points
        The CSV file of maps to write.
    table
        The same as parquet, with neighbours in a column, for other viewers.
    neighbours
        The parquet file of nearest neighbours to write.
    quality
        The CSV file of figures of merit to write.
    told
        The text file to write that says them in sentences.
    record
        The JSON file to write: the RAM that the job took.
    """
    declared = datasets.read(dataset)
    places = zip(chunks, maps or [None] * len(chunks), strict=True)
    collection = collected(Places.of(folder, beside) for folder, beside in places)
    collection.require_whole("maps/" if declared.embed == "maps" else "means.h5")
    made = embedded(
        collection,
        of="maps" if declared.embed == "maps" else "mean",
        components=declared.components,
        neighbours=declared.neighbours,
        umap=declared.umap,
        memory_bytes=declared.memory_mb * 10**6,
        device=declared.device,
    )
    tables.write_text(made.points.to_csv(index=False, lineterminator="\n"), points)
    tables.write(for_other_viewers(made), table)
    sealed.write(made.neighbours, neighbours)
    tables.write_text(made.quality.to_csv(index=False, lineterminator="\n"), quality)
    sentences = list(findings.sentences(declared.name, made.quality))
    tables.write_text("".join(f"{line}\n" for line in sentences), told)
    for line in sentences:
        logging.info("%s", line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    tables.write_text(json.dumps({"peak_rss_bytes": peak}) + "\n", record)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        dataset=Path(snakemake.input.dataset),
        chunks=[Path(folder) for folder in snakemake.input.chunks],
        maps=[Path(folder) for folder in snakemake.input.maps],
        points=Path(snakemake.output.points),
        table=Path(snakemake.output.table),
        neighbours=Path(snakemake.output.neighbours),
        quality=Path(snakemake.output.quality),
        told=Path(snakemake.output.findings),
        record=Path(snakemake.output.record),
    )
