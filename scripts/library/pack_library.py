"""Pack the sketches and digests of all models into one file, to share without their weights."""

import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.library import packing
from atlas.library.entries import read_entry


def main(*, fingerprints: list[Path], labels: dict[str, str], library: Path) -> None:
    """
    Write the library.

    Parameters
    ----------
    fingerprints
        Those of the models to keep, each file named by its model. One whose checkpoint could not
        be read is left out.
    labels
        What models are called, by id; an id where there is none.
    library
        The file to write. It holds no path.
    """
    found = [read_entry(path.stem, labels.get(path.stem, path.stem), path) for path in fingerprints]
    entries = [entry for entry in found if entry is not None]
    packing.write(entries, library)
    size = library.stat().st_size / 1e6
    logging.info("packed %d of %d models, %.1f MB", len(entries), len(found), size)


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fingerprints=[Path(file) for file in snakemake.input.fingerprints],
        labels=json.loads(snakemake.params.labels),
        library=Path(snakemake.output.library),
    )
