"""Compare what the networks of a dataset see in the same samples, layer by layer."""

import sys
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import alignment_picture, datasets, opening
from atlas.activations.alikeness import Bounds, similarity
from atlas.activations.collection import collected
from atlas.activations.places import Places
from atlas.activations.storage import time_key
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.plots import style


def main(
    *, dataset: Path, chunks: list[Path], maps: list[Path] | None, table: Path, pictures: Path
) -> None:
    """
    Write the table of similarities, and a picture for each pair of networks and time.

    Parameters
    ----------
    dataset
        The JSON file that plan_activations writes.
    chunks
        Folders of the chunks: model after model.
    maps
        A folder of maps for each chunk, where they are not in the chunks' folders; else none.
    table
        The CSV file to write.
    pictures
        Folder to write, with {a}.{b}.{time} as .png and .svg.
    """
    declared = datasets.read(dataset)
    places = zip(chunks, maps or [None] * len(chunks), strict=True)
    collection = collected(Places.of(folder, beside) for folder, beside in places)
    probes = {model: opening.probe_of(declared, model) for model in declared.models}
    found = similarity(
        collection,
        {model: probe.source for model, probe in probes.items()},
        {model: probe.component for model, probe in probes.items()},
        of="maps" if declared.embed == "maps" else "mean",
        k=declared.neighbours,
        bounds=Bounds(declared.memory_mb * 10**6, declared.device),
    )
    tables.write_text(found.to_csv(index=False, lineterminator="\n"), table)
    pictures.mkdir(parents=True, exist_ok=True)
    for a, b in combinations(declared.models, 2):
        for time in collection.times:
            rows = found[(found["a"] == a) & (found["b"] == b) & (found["timestep"] == time)]
            figure = alignment_picture.draw(rows, a=a, b=b, time_name=collection.time_name)
            style.save(figure, pictures / f"{a}.{b}.{time_key(time)}")


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        dataset=Path(snakemake.input.dataset),
        chunks=[Path(folder) for folder in snakemake.input.chunks],
        maps=[Path(folder) for folder in snakemake.input.maps],
        table=Path(snakemake.output.table),
        pictures=Path(snakemake.output.pictures),
    )
