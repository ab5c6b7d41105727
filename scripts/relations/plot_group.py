"""Draw a group's matrices per component, or what can be drawn of two models or of none."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.tables import write_text
from atlas.basis.workflow import command_line, configure_logging
from atlas.names.components import NETWORK
from atlas.plots import notice, style
from atlas.plots.drawing import draw_all
from atlas.plots.order import leaves_of
from atlas.relations import families, matrices
from atlas.relations.classes import Classes, by_dtype, by_tag
from atlas.relations.group_matrices import COVERAGE
from atlas.relations.groups import ALL, nothing_to_compare
from atlas.relations.matrices import Matrix
from atlas.relations.moved import from_reference

LEADERS = ("unet", "transformer", "network", "all")
"""
Components by whose clustering the models are put in order, the first that there is.

Not `all` first: there a VAE alone is near to whatever shares that VAE.
"""


def main(
    *,
    matrix_folder: Path,
    measure: str,
    group: str,
    labels: dict[str, str],
    base: str | None,
    reference: str | None,
    ordered: bool,
    imported: bool,
    tags: dict[str, list[str]],
    identity: Path | None,
    described: Path | None,
    distances: Path | None,
    pair: Path | None,
    folder: Path,
) -> None:
    """
    Draw every component that several models have, all with the models in one order and colour.

    Components that a single model has are told in not_drawn.txt.

    Of two models, the pictures would show one number: their tensors are drawn in place of them, or
    where there is no table of them, the heatmap alone. A group of which no two models can be
    compared has a page that says so.

    Parameters
    ----------
    matrix_folder
        The group's matrices.
    measure
        Which of the measures to draw.
    labels
        Model to what it is called in plots.
    base
        The model that trees are rooted at.
    reference
        The model that lines and blocks start from; None for the base, else the first.
    ordered
        Whether the models stand in the order of their making.
    imported
        Whether the matrices are published ones, whose 0 may stand for not compared.
    tags
        Model to its tags in the roster.
    identity
        The group's identity table, if it has one.
    described
        The group's table of models, as describe_group writes it, for their dtypes.
    distances
        The group's tidy distances, as compare_group writes them; published matrices have no blocks.
    pair
        The table of the tensors of a group of two, as compare_pair writes it.
    folder
        Where to write the pictures.
    """
    drawn = [
        _with_coverage(
            matrices.read(
                file,
                component=matrices.component_of(file.name.removesuffix(f".{measure}.csv")),
                measure=measure,
                group=group,
                labels=labels,
                base=base,
                reference=reference,
                ordered=ordered,
                ambiguous_zeros=imported,
            ),
            matrix_folder,
        )
        for file in sorted(matrix_folder.glob(f"*.{measure}.csv"))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    shared = [matrix for matrix in drawn if _holders(matrix) > 1]
    if not shared:
        style.save(notice.draw(group, nothing_to_compare(len(labels))), folder / f"{ALL}.notice")
        return
    if pair and distances:
        a, b = (labels[model] for model in sorted(labels))
        tables = (pq.read_table(pair), pq.read_table(distances))
        draw_all("pair", *tables, a=a, b=b, stem=folder / ALL, in_full=True)
    classes = _classes(identity, drawn[0].ids, tags)
    dtypes = _dtypes(described)
    of_two = () if pair else ("heatmap",)
    kinds = of_two if len(drawn[0]) == 2 else None
    moved = from_reference(distances, drawn[0].origin, drawn[0].ids) if distances else {}
    for matrix in _in_one_order(shared):
        dtype = by_dtype(dtypes.get(NETWORK, {}) | dtypes.get(matrix.component, {}))
        sorted_matrix = replace(matrix, classes=(*classes, dtype))
        stem = folder / matrices.stem_of(matrix.component)
        draw_all("matrix", sorted_matrix, stem=stem, kinds=kinds)
        if matrix.component in moved:
            draw_all("blocks", sorted_matrix, moved[matrix.component], stem=stem)
    if alone := [_told(matrix) for matrix in drawn if _holders(matrix) == 1]:
        write_text("".join(alone), folder / "not_drawn.txt")


def _holders(matrix: Matrix) -> int:
    """Return how many models have the component at all."""
    return int(matrix.identical.diagonal().sum())


def _told(matrix: Matrix) -> str:
    """Return the line that tells which model alone has a component."""
    label = matrix.labels[int(matrix.identical.diagonal().argmax())]
    return f"{matrix.component}: {label} alone has it, so there is nothing to compare.\n"


def _classes(
    identity: Path | None, models: Sequence[str], tags: dict[str, list[str]]
) -> tuple[Classes, ...]:
    """Return what the models are sorted by: their tags, and the components that they share."""
    if identity is None:
        return tuple(by_tag(tags))
    table = pd.read_csv(identity, dtype={"a": str, "b": str}, keep_default_na=False)
    return (*by_tag(tags), *families.classes(table, models))


def _dtypes(described: Path | None) -> dict[str, dict[str, str]]:
    """
    Return each component's dtypes, by model, the commonest first.

    The table calls all that a model of an unknown layout holds a network.
    """
    found: dict[str, dict[str, str]] = {}
    if described is None:
        return found
    text = dict.fromkeys(("model", "component", "dtype"), str)
    table = pd.read_csv(described, usecols=list(text), dtype=text, keep_default_na=False)
    for model, component, dtype in table[list(text)].itertuples(index=False):
        found.setdefault(component, {})[model] = dtype
    return found


def _with_coverage(matrix: Matrix, folder: Path) -> Matrix:
    """Add which share of the parameters each number rests on; published matrices don't tell."""
    file = folder / f"{matrices.stem_of(matrix.component)}.{COVERAGE}.csv"
    if not file.is_file():
        return matrix
    cover = matrices.read(file, component=matrix.component, measure=COVERAGE)
    return replace(matrix, coverage=cover.values)


def _in_one_order(drawn: list[Matrix]) -> list[Matrix]:
    """Let all components follow the clustering of the one that tells most."""
    rank = {component: place for place, component in enumerate(LEADERS)}
    leader = min(drawn, key=lambda matrix: rank.get(matrix.component, len(rank)))
    order = tuple(leader.ids[row] for row in leaves_of(leader).order)
    return [matrix if matrix is leader else replace(matrix, order=order) for matrix in drawn]


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        matrix_folder=Path(snakemake.input.matrices),
        measure=snakemake.params.measure,
        group=snakemake.wildcards.group,
        labels=json.loads(snakemake.params.labels),
        base=snakemake.params.base,
        reference=snakemake.params.reference,
        ordered=snakemake.params.ordered,
        imported=snakemake.params.imported,
        tags=json.loads(snakemake.params.tags),
        identity=Path(snakemake.input.identity) if snakemake.input.identity else None,
        described=Path(snakemake.input.described) if snakemake.input.described else None,
        distances=Path(snakemake.input.distances) if snakemake.input.distances else None,
        pair=Path(snakemake.input.pair) if snakemake.input.pair else None,
        folder=Path(snakemake.output.folder),
    )
