"""Put the chunks of a dataset together: one table of samples, and a file for each layer."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import layer_files
from atlas.activations.collection import collected
from atlas.activations.places import Places
from atlas.basis import sealed
from atlas.basis.workflow import command_line, configure_logging


def main(*, chunks: list[Path], samples: Path, layers: Path) -> None:
    """
    Check all files of the chunks, and write what they hold together.

    Parameters
    ----------
    chunks
        Folders of the chunks: model after model, drawn samples before real images.
    samples
        The parquet file to write: a row for each sample and timestep.
    layers
        Folder to write, with a file for each layer.
    """
    found = collected(Places.of(folder) for folder in chunks)
    found.require_whole()
    layers.mkdir(parents=True, exist_ok=True)
    for layer in found.layers:
        layer_files.write(found, layer.name, layers / f"{layer.name}.h5")
    table = found.table()
    sealed.write(table, samples)
    logging.info("%d rows of samples, %d layers", table.num_rows, len(found.layers))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        chunks=[Path(folder) for folder in snakemake.input.chunks],
        samples=Path(snakemake.output.samples),
        layers=Path(snakemake.output.layers),
    )
