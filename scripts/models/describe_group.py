"""Tell what each model of a group holds and takes on disk, and what was noticed of it."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.models import description, sizes


def main(
    *,
    fingerprints: dict[str, Path],
    checkpoints: dict[str, Path],
    weights: dict[str, str],
    table: Path,
    noticed: Path,
) -> None:
    """
    Write the group's table of models, and what is said of each.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint, in the roster's order.
    checkpoints
        Model to its checkpoint.
    weights
        Model to `raw` or `ema`, where the roster asks for one of the two.
    table
        The CSV file to write.
    noticed
        The JSON file of sentences by model to write.
    """
    frame, findings = description.describe(fingerprints)
    taken = {
        model: sizes.bytes_on_disk(path, weights=weights.get(model))
        for model, path in checkpoints.items()
    }
    tables.write_text(sizes.with_file_bytes(frame, taken).to_csv(index=False), table)
    told = description.sentences(frame, list(fingerprints), findings)
    tables.write_text(json.dumps(told, indent=1) + "\n", noticed)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = {Path(path).stem: Path(path) for path in snakemake.input.fingerprints}
    places = json.loads(snakemake.params.checkpoints)
    main(
        fingerprints={model: paths[model] for model in snakemake.params.models},
        checkpoints={model: Path(path) for model, (path, _) in places.items()},
        weights={model: asked for model, (_, asked) in places.items() if asked},
        table=Path(snakemake.output.table),
        noticed=Path(snakemake.output.noticed),
    )
