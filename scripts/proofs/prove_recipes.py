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
from atlas.proofs.otherwise import Otherwise
from atlas.proofs.parts import part_of, recipes
from atlas.proofs.progress import Progress
from atlas.proofs.proof import Proof, Proved, prove
from atlas.proofs.table import Failed, text


def main(
    *,
    fits: Path,
    distances: Path,
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
    distances
        The group's distances, as compare_group writes them: where a recipe is not proved, they tell
        which other sums explain the model as well.
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
    otherwise = Otherwise(distances, list(fingerprints), holdings)
    asked = list(recipes(pq.read_table(fits).to_pylist())) if is_wanted else []
    outcomes: list[Proof | Failed] = []
    files = OpenFiles()
    with Progress(len(asked)) as progress:
        for recipe in asked:
            try:
                part = part_of(recipe, holdings)
                proof = prove(part, files, threads=threads, seen=progress.read)
                if proof.verdict is Proved.NOT:
                    other = otherwise.prove(recipe, files, threads=threads, seen=progress.read)
                    outcomes += [other] if other else []
                outcomes.append(proof)
            except AtlasError as error:
                logging.warning("%s, %s: %s", recipe.target, recipe.component, error)
                outcomes.append(Failed(recipe, str(error)))
            progress.done()
    tables.write_text(text(outcomes), table)
    proved = sum(isinstance(each, Proof) and each.verdict is Proved.PROVED for each in outcomes)
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
        distances=Path(snakemake.input.distances),
        fingerprints=dict(zip(snakemake.params.models, paths, strict=True)),
        checkpoints={model: Path(path) for model, (path, _) in places.items()},
        renamings=Path(snakemake.input.renamings),
        is_wanted=snakemake.params.is_wanted,
        threads=snakemake.threads,
        table=Path(snakemake.output.table),
    )
