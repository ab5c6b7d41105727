"""Write one chunk as NPZ and JSON, for programs that read the DMD2 visualiser's files."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import exporting
from atlas.activations.collection import collected
from atlas.activations.places import Places
from atlas.basis.workflow import command_line, configure_logging


def main(*, chunk: Path, archive: Path) -> None:
    """
    Write the archive, and a JSON file of its name beside it.

    Parameters
    ----------
    chunk
        Folder of the chunk.
    archive
        The .npz file to write.
    """
    found = collected([Places.of(chunk)])
    found.require_whole()
    exporting.write(found.chunks[0], list(found.layers), archive)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(chunk=Path(snakemake.input.chunk), archive=Path(snakemake.output.archive))
