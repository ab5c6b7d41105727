"""Draw one chunk of a dataset's samples, and keep what the layers of the network see."""

import json
import logging
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import torch

from atlas.activations import chunks, datasets, opening, storage
from atlas.activations.places import Places
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging


def main(
    *,
    dataset: Path,
    model: str,
    chunk: str,
    folder: Path,
    maps: Path | None,
    record: Path,
) -> None:
    """
    Write images, means, maps and the table of samples of one chunk.

    Parameters
    ----------
    dataset
        The JSON file that plan_activations writes: what the settings say of the dataset.
    model
        Which of its models.
    chunk
        Which share of its samples: a number from 0000, or real-0000 for real images.
    folder
        To write into; what is there is deleted.
    maps
        Folder for the maps, where they are to be deleted when they have been read; None keeps
        them in the chunk's folder.
    record
        The JSON file to write: what the chunk took.
    """
    declared = datasets.read(dataset)
    if declared.has_maps and maps is None:
        maps = folder / storage.MAPS
    places = Places(folder, maps)
    probe = opening.probe_of(declared, model)
    made = chunks.make(probe, declared, model=model, chunk=chunk, places=places)
    logging.info("loading took %.1f s, drawing %.1f s", made.seconds["load"], made.seconds["draw"])
    start, stop = declared.span(chunk)
    is_cuda = declared.device == "cuda"
    told = {
        "dataset": declared.name,
        "model": model,
        "chunk": chunk,
        "samples": stop - start,
        "device": declared.device,
        "batch": made.most or declared.batch,
        "seconds": {name: round(each, 3) for name, each in made.seconds.items()},
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "peak_device_bytes": torch.cuda.max_memory_reserved() if is_cuda else 0,
        "bytes": places.sizes(),
    }
    tables.write_text(json.dumps(told, indent=1) + "\n", record)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        dataset=Path(snakemake.input.dataset),
        model=snakemake.wildcards.model,
        chunk=snakemake.wildcards.chunk,
        folder=Path(snakemake.output.folder),
        maps=Path(maps) if (maps := snakemake.output.get("maps")) else None,
        record=Path(snakemake.output.record),
    )
