"""Map a list of words by the text encoders of a group, and tell how far each word moved."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import pandas as pd

from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.embeddings import axes, drift, findings, spaces, square_tables, word_lists, word_maps
from atlas.embeddings.encoders import Problem, loaded
from atlas.embeddings.word_store import Shards

EXPLAINED = ["explained_x", "explained_y"]
PLACED = [
    "model", "component", "form", "alignment", "text", "word", "variant", "category", "x", "y",
]  # fmt: skip
"""Columns of the tables of points, before `EXPLAINED`."""


def main(
    *,
    record: Path,
    words: Path,
    shards: list[Path],
    group: str,
    models: list[str],
    base: str | None,
    labels: dict[str, str],
    projections: dict[str, Path],
    summary: Path,
    moves: Path,
    scores: Path,
    similarities: Path,
    squares: Path,
    said: Path,
) -> None:
    """
    Write all tables of a group and a list.

    Parameters
    ----------
    record
        The JSON file of find_text_encoders.
    words
        The list of words.
    shards
        All shards of the list.
    models
        Ids of the group, in its order.
    base
        Whose words the others' are compared with; None takes the first that has a text encoder.
    labels
        What models are called, by id.
    projections
        `pca`, `umap` or `tsne` to the CSV file of its points.
    summary, moves, scores
        CSV files: of models, of how far words moved, of places on axes.
    similarities
        The parquet file of all pairs of words.
    squares
        The folder of word by word tables, one CSV a model.
    said
        The text file of what was found.
    """
    listed = word_lists.read(words)
    encoders, problems = loaded(record)
    store = Shards(shards)
    found = list(spaces.spaces(encoders, store, models=models, base=base))
    told = [row for space in found for row in drift.summary_rows(space, listed.rows)]
    table = pd.DataFrame(told, columns=drift.SUMMARY)
    moved = [drift.drift_table(space, listed.rows) for space in found]
    drifts = _joined(moved, drift.MOVES)
    _write(table, summary)
    _write(drifts, moves)
    _write(
        _joined([axes.table(space, listed.rows, listed.axes) for space in found], axes.COLUMNS),
        scores,
    )
    for projection, path in projections.items():
        _write(_points(found, projection, listed), path)
    _write_squares(store, spaces.told(store)[0], models, similarities, squares)
    untold = [
        Problem(model, component, text)
        for (model, component), text in spaces.told(store)[1].items()
    ]
    left_out = [each for each in (*problems, *untold) if each.model in models]
    name = f"{group} · {listed.name}"
    lines = list(findings.sentences(name, table, drifts, labels, left_out)) if told else []
    if not told:
        lines = [f"{name}: no model of the group has a text encoder that can be run"]
        lines += [f"{name}: {labels.get(each.model, each.model)}: {each.text}" for each in left_out]
    tables.write_text("".join(f"{line}\n" for line in lines), said)


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    held = [part for part in parts if len(part)]
    return pd.concat(held, ignore_index=True) if held else pd.DataFrame(columns=columns)


def _write(table: pd.DataFrame, path: Path) -> None:
    tables.write_text(table.to_csv(index=False, lineterminator="\n"), path)


def _points(
    found: list[spaces.Space], projection: str, listed: word_lists.WordList
) -> pd.DataFrame:
    """Return a row for each model, text and alignment."""
    parts = []
    for space in found:
        for laid in word_maps.maps(space, projection):
            for holder, points in zip(space.holders, laid.points, strict=True):
                frame = pd.DataFrame(
                    {
                        "model": holder.model,
                        "component": space.component,
                        "form": space.form,
                        "alignment": laid.alignment,
                        "text": [row.text for row in listed.rows],
                        "word": [row.word for row in listed.rows],
                        "variant": [row.variant for row in listed.rows],
                        "category": [row.category for row in listed.rows],
                        "x": points[:, 0],
                        "y": points[:, 1],
                    }
                )
                if laid.explained is not None:
                    frame[EXPLAINED] = laid.explained
                parts += [frame.assign(model=model) for model in holder.models]
    return _joined(parts, PLACED)


def _write_squares(
    store: Shards,
    contents: dict[tuple[str, str], str],
    models: list[str],
    similarities: Path,
    squares: Path,
) -> None:
    """Write each model's tables; what several models share is made once."""
    squares.mkdir(parents=True, exist_ok=True)
    made: dict[tuple[tuple[str, str], ...], str] = {}
    parts: dict[tuple[str, str], square_tables.Part] = {}
    for model in models:
        held = tuple(
            (component, content)
            for (each, component), content in sorted(contents.items())
            if each == model
        )
        if not held:
            continue
        of_it = []
        for component, content in held:
            for form in store.forms(content):
                part = square_tables.Part(component, store.read(content, form))
                of_it.append(part)
                parts.setdefault((content, form), part)
        if held not in made:
            made[held] = square_tables.wide(of_it)
        tables.write_text(made[held], squares / f"{model}.csv")
    tables.write_parts(square_tables.long(list(parts.values())), square_tables.LONG, similarities)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        record=Path(snakemake.input.record),
        words=Path(snakemake.input.words),
        shards=[Path(path) for path in snakemake.input.shards],
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        base=snakemake.params.base,
        labels=json.loads(snakemake.params.labels),
        projections={
            name: Path(path)
            for name, path in zip(snakemake.params.projections, snakemake.output.maps, strict=True)
        },
        summary=Path(snakemake.output.summary),
        moves=Path(snakemake.output.drift),
        scores=Path(snakemake.output.axes),
        similarities=Path(snakemake.output.similarities),
        squares=Path(snakemake.output.tables),
        said=Path(snakemake.output.findings),
    )
