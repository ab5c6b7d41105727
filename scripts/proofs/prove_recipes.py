"""Make each recipe of a group again from its parents, and count what is equal bit for bit."""

import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import pyarrow.parquet as pq

from atlas.basis import tables
from atlas.basis.arrow import spare_pandas
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.renamings import Renamings, read_renamings
from atlas.proofs.holdings import Holdings
from atlas.proofs.parts import part_of, recipes
from atlas.proofs.progress import Progress
from atlas.proofs.proof import Proof, prove
from atlas.proofs.table import Failed, text


def main(
    *,
    fits: Path,
    fingerprints: dict[str, Path],
    checkpoints: dict[str, Path],
    renamings: Path | None,
    is_wanted: bool,
    threads: int,
    table: Path,
) -> None:
    """
    Write the table of proofs. A damaged or missing checkpoint costs its own rows alone.

    Parameters
    ----------
    fits
        The group's recipes, as fit_recipes writes them.
    fingerprints
        Model to its fingerprint.
    checkpoints
        Model to its checkpoint, from whose folder its files are named.
    renamings
        Names that tensors go by, as match_names writes them.
    is_wanted
        Prove anything; else the table has its header alone.
    """
    named = read_renamings(renamings) if renamings else Renamings()
    holdings = Holdings(fingerprints, checkpoints, named)
    asked = list(recipes(pq.read_table(fits).to_pylist())) if is_wanted else []
    outcomes: list[Proof | Failed] = []
    files = OpenFiles()
    with Progress(len(asked)) as progress:
        for recipe in asked:
            try:
                part = part_of(recipe, holdings)
                outcomes.append(prove(part, files, threads=threads, seen=progress.read))
            except AtlasError as error:
                logging.warning("%s, %s: %s", recipe.target, recipe.component, error)
                outcomes.append(Failed(recipe, str(error)))
            progress.done()
    tables.write_text(text(outcomes), table)
    proved = sum(
        isinstance(each, Proof) and bool(each.attempts) and each.attempts[0].verdict == "proved"
        for each in outcomes
    )
    logging.info("%d of %d recipes proved", proved, len(asked))


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    places = json.loads(snakemake.params.checkpoints)
    paths = map(Path, snakemake.input.fingerprints)
    main(
        fits=Path(snakemake.input.fits),
        fingerprints=dict(zip(snakemake.params.models, paths, strict=True)),
        checkpoints={model: Path(path) for model, (path, _) in places.items()},
        renamings=Path(snakemake.input.renamings),
        is_wanted=snakemake.params.is_wanted,
        threads=snakemake.threads,
        table=Path(snakemake.output.table),
    )
