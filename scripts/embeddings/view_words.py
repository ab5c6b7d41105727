"""Write a page to explore where words lie: one file that opens from disk."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import pyarrow as pa

from atlas.basis import tables
from atlas.basis.page import html
from atlas.basis.workflow import command_line, configure_logging
from atlas.embeddings import csv_tables, findings, spaces, viewing, word_lists
from atlas.embeddings.encoders import loaded
from atlas.embeddings.word_store import Shards
from atlas.pages import map_page


def main(
    *,
    record: Path,
    words: Path,
    shards: list[Path],
    summary: Path,
    drift: Path,
    projections: dict[str, Path],
    said: Path,
    group: str,
    labels: dict[str, str],
    page: Path,
) -> None:
    """
    Write the page.

    Parameters
    ----------
    record
        The JSON file of find_text_encoders.
    words
        The list of words.
    shards
        All shards of the list.
    summary, drift
        summary.csv and drift.csv.
    projections
        `pca`, `umap` or `tsne` to the table of points.
    said
        findings.txt: all that there is to show of a group without a text encoder.
    labels
        What the models of the group are called, by id.
    page
        The HTML file to write.
    """
    listed = word_lists.read(words)
    models, moves = csv_tables.read(summary), csv_tables.read(drift)
    if not len(models):
        lines = said.read_text(encoding="utf-8").splitlines()
        tables.write_text(html(f"{group}: no text encoder that can be run", lines, []), page)
        return
    found = list(
        spaces.spaces(
            loaded(record)[0],
            Shards(shards),
            models=list(dict.fromkeys(models["model"])),
            base=models["base"].iloc[0],
        )
    )
    maps = {name: csv_tables.read(path) for name, path in projections.items()}
    shown = viewing.shown(found, listed.rows, maps, moves, labels)
    component, form = models.iloc[0][["component", "form"]]
    count = shown.points["model"].nunique()
    map_page.write(
        page,
        title=findings.claim(models, moves, component, form, labels),
        subtitle=f"{group} · {listed.title} · {listed.words} words in {count} text encoders",
        points=pa.Table.from_pandas(shown.points, preserve_index=False),
        views=[
            map_page.View(
                choice={
                    "encoder": findings.called(view.component),
                    "form": view.form,
                    "map": view.projection,
                    "laid": view.alignment,
                },
                rows=view.rows,
                x=view.x,
                y=view.y,
                neighbours=view.neighbours,
                distances=view.distances,
                note=view.note,
            )
            for view in shown.views
        ],
        switches=["model", "stands"],
        colour="category" if "category" in shown.points else "model",
        titles={"stands": "as", "moved": "moved (1 - cosine)"},
        distance_title="1 - cosine of the embeddings",
        neighbours_title="Nearest words of the same text encoder",
        origins=shown.origins,
        label="word",
    )


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        record=Path(snakemake.input.record),
        words=Path(snakemake.input.words),
        shards=[Path(path) for path in snakemake.input.shards],
        summary=Path(snakemake.input.summary),
        drift=Path(snakemake.input.drift),
        projections={
            name: Path(path)
            for name, path in zip(snakemake.params.projections, snakemake.input.maps, strict=True)
        },
        said=Path(snakemake.input.findings),
        group=snakemake.wildcards.group,
        labels=json.loads(snakemake.params.labels),
        page=Path(snakemake.output.page),
    )
