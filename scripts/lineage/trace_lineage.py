"""Trace what was made from what in a group: a directed graph with its evidence."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.lineage import claimed, digests, graph, graphml, making, signs, tracing
from atlas.lineage.digests import Derived
from atlas.lineage.holders import SUMS, Holders, holders
from atlas.lineage.known import Known
from atlas.relations import matrices, paths
from atlas.relations.group_matrices import COVERAGE
from atlas.relations.holdings import READ, read_models
from atlas.relations.matrices import Matrix

RENAMED = "renamed_tensors"


def main(
    *,
    matrix_folder: Path,
    fits: Path,
    identity: Path | None,
    described: Path | None,
    claims: Path | None,
    proofs: Path | None,
    low_rank: Path | None,
    fingerprints: dict[str, Path],
    group: str,
    labels: dict[str, str],
    base: str | None,
    bases: dict[str, str],
    imported: bool,
    stem: Path,
) -> None:
    """
    Write a group's lineage as JSON and as GraphML.

    Parameters
    ----------
    matrix_folder
        The group's matrices.
    fits
        The group's recipes, as fit_recipes writes them.
    identity
        The group's identity table; published matrices have none.
    described
        The group's table of models; likewise.
    claims
        What metadata claim, as collect_claims writes it.
    proofs
        The recipes that were made again, where that is asked for.
    low_rank
        Differences of low rank, where these are asked for.
    fingerprints
        Model to its fingerprint.
    labels
        Model to what it is called in pictures, of all models of the group; those of published
        matrices go by the names that these have.
    base
        The model that the others are believed to come from.
    bases
        Model to the base that the roster declares.
    imported
        Whether the matrices are published ones, whose 0 may stand for not compared.
    stem
        Path of the files to write, without their endings: .json and .graphml.
    """
    if imported:
        labels = {model: model for file in paths.files(matrix_folder) for model in _ids(file)}
    models = tuple(sorted(labels))
    told = claimed.claimed(_texts(claims), models, bases)
    derived = _derived(identity, described, models, base, told, fingerprints)
    contents = _contents(matrix_folder, group, imported, derived)
    leaders = set(derived.same.values())
    lineage = tracing.trace(
        Known(
            group=group,
            labels=labels,
            derived=derived,
            holders=contents,
            makings=making.read(fits, proofs),
            claimed=told,
            proofs=_texts(proofs),
            low_rank=_texts(low_rank),
            moments={
                model: signs.read(file)
                for model, file in sorted(fingerprints.items())
                if model in leaders
            },
            base=base,
            bases=bases,
        )
    )
    tables.write_text(graph.dumps(lineage), stem.with_name(f"{stem.name}.json"))
    tables.write_text(graphml.dumps(lineage), stem.with_name(f"{stem.name}.graphml"))


def _ids(file: Path) -> tuple[str, ...]:
    """Return the models of a matrix."""
    return matrices.read(file, component="", measure="l2").ids


def _texts(path: Path | None) -> pd.DataFrame | None:
    """Return a table whose cells are all texts; what is not known is empty."""
    return None if path is None else pd.read_csv(path, dtype=str, keep_default_na=False)


def _derived(
    identity: Path | None,
    described: Path | None,
    models: tuple[str, ...],
    base: str | None,
    told: claimed.Claimed,
    fingerprints: dict[str, Path],
) -> Derived:
    if identity is None or described is None:
        return digests.nothing(models)
    table = pd.read_csv(
        identity,
        usecols=[*READ, RENAMED],
        dtype=dict.fromkeys(READ, "category") | {RENAMED: np.int64},
        keep_default_na=False,
    )
    return digests.derived(
        table,
        read_models(described),
        models,
        base=base,
        claims=told.signs,
        keys=lambda model: signs.read_keys(fingerprints[model]),
    )


def _contents(folder: Path, group: str, imported: bool, derived: Derived) -> dict[str, Holders]:
    """Return what the models hold of each component."""
    found = {}
    for file in paths.files(folder):
        component = matrices.component_of(file.name.removesuffix(".l2.csv"))
        if component not in SUMS:
            l2 = matrices.read(
                file, component=component, measure="l2", group=group, ambiguous_zeros=imported
            )
            cover = _beside(file, component, COVERAGE)
            l2 = Matrix(
                l2.ids, l2.labels, l2.values, l2.identical, component, group=group,
                coverage=None if cover is None else cover.values, ambiguous_zeros=imported,
            )  # fmt: skip
            found[component] = holders(l2, _beside(file, component, "relative_l2"), derived.same)
    return found


def _beside(file: Path, component: str, measure: str) -> Matrix | None:
    """Return another matrix of a component, where there is one."""
    place = file.with_name(file.name.replace(".l2.csv", f".{measure}.csv"))
    return matrices.read(place, component=component, measure=measure) if place.exists() else None


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    given = snakemake.input
    main(
        matrix_folder=Path(given.matrices),
        fits=Path(given.fits),
        identity=Path(given.identity) if given.identity else None,
        described=Path(given.described) if given.described else None,
        claims=Path(given.claims) if given.claims else None,
        proofs=Path(given.proofs) if given.proofs else None,
        low_rank=Path(given.low_rank) if given.low_rank else None,
        fingerprints={Path(file).stem: Path(file) for file in given.fingerprints},
        group=snakemake.wildcards.group,
        labels=json.loads(snakemake.params.labels),
        base=snakemake.params.base,
        bases=snakemake.params.bases,
        imported=snakemake.params.imported,
        stem=Path(snakemake.output.json).with_suffix(""),
    )
