"""Draw where words lie and how far they moved, a picture for each kind of text encoder and form."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import pandas as pd

from atlas.basis.workflow import command_line, configure_logging
from atlas.embeddings import csv_tables, drift_picture, findings, word_lists, words_picture
from atlas.embeddings.word_lists import ALONE
from atlas.plots import style

NOT_KEPT = "Words in upper case and inside the sentence are in the tables and in the viewer."


def main(
    *,
    summary: Path,
    drift: Path,
    projections: dict[str, Path],
    group: str,
    words: Path,
    labels: dict[str, str],
    pictures: Path,
) -> None:
    """
    Write the pictures, each as .png and .svg.

    Parameters
    ----------
    summary, drift
        summary.csv and drift.csv.
    projections
        `pca`, `umap` or `tsne` to the table of points.
    words
        The list of words.
    labels
        What models are called, by id.
    pictures
        The folder to write: {projection}.{component}.{form} and drift.{component}.{form}; the
        latter where words moved.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    title = word_lists.read(words).title
    models, moves = csv_tables.read(summary), csv_tables.read(drift)
    maps = {name: csv_tables.read(path) for name, path in projections.items()}
    for (component, form), rows in models.groupby(["component", "form"], sort=False):
        own = moves[(moves["component"] == component) & (moves["form"] == form)]
        alone = own[own["variant"] == ALONE]
        claim = findings.claim(models, moves, str(component), str(form), labels)
        name = f"{file_name(str(component))}.{form}"
        shown, left_out = _shown(rows)
        what = f"{title} · {findings.called(str(component))}, {FORMS[str(form)]}"
        notes = [NOT_KEPT, *left_out]
        for projection, points in maps.items():
            of_it = points[(points["component"] == component) & (points["form"] == form)]
            figure = words_picture.draw(
                of_it[of_it["variant"] == ALONE],
                [_panel(row, rows, moves, labels) for _, row in shown.iterrows()],
                title=claim,
                subtitle=f"{group} · {what} · {PROJECTIONS[projection]}",
                notes=notes,
            )
            style.save(figure, pictures / f"{projection}.{name}")
        moved = [row["model"] for _, row in shown.iterrows() if row["cosine_distance_alone"] > 0]
        if moved:
            base = rows["base"].iloc[0]
            figure = drift_picture.draw(
                alone,
                moved,
                labels=labels,
                title=claim,
                subtitle=f"{group} · {what} · 1 - cosine from {labels.get(base, base)}",
                notes=["Each text encoder's bars have a scale of their own.", *left_out],
            )
            style.save(figure, pictures / f"drift.{name}")


PROJECTIONS = {
    "pca": "one PCA of all text encoders",
    "umap": "one UMAP of all text encoders",
    "tsne": "one t-SNE of all text encoders",
}

FORMS = {
    "pooled": "at the end of the text",
    "projected": "at the end of the text, projected",
    "last": "mean of the word's last hidden states",
    "penultimate": "mean of the word's last but one hidden states",
    "penultimate_normed": "mean of the word's last but one hidden states, normed",
    "flattened": "all last hidden states, padding with them",
}


def file_name(component: str) -> str:
    """
    Return what files are called by a component.

    >>> file_name("text_encoder (clip, 768)")
    'text_encoder-clip-768'
    """
    return re.sub(r"[^a-z0-9_]+", "-", component.lower()).strip("-")


def _shown(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the base and the encoders whose words moved most, and what is said of the others."""
    distinct = rows[rows["same_as"].isna() | (rows["same_as"] == "")]
    base = distinct.iloc[:1]
    moved = distinct.iloc[1:]
    most = moved.nlargest(words_picture.MOST - 1, "cosine_distance_alone")
    kept = moved[moved["model"].isin(most["model"])]
    rest = len(moved) - len(kept)
    others = [f"{rest} text encoders that moved words less are in the tables and in the viewer."]
    return pd.concat([base, kept]), others if rest else []


def _panel(
    row: "pd.Series[str]", rows: pd.DataFrame, moves: pd.DataFrame, labels: dict[str, str]
) -> words_picture.Panel:
    model = row["model"]
    twins = int((rows["same_as"] == model).sum())
    alike = (
        f"{twins} more are equal, bit for bit" if twins > 1 else "one more is equal, bit for bit"
    )
    if model == row["base"]:
        remark = f"the base; {alike}" if twins else "the base"
        of_it = moves[
            (moves["component"] == row["component"])
            & (moves["form"] == row["form"])
            & (moves["variant"] == ALONE)
        ]
        means = of_it.groupby("word", sort=False)["cosine_distance"].max()
        named = tuple(means.sort_values(ascending=False, kind="stable").index)
        named = named[: words_picture.NAMED_IN_BASE]
    else:
        remark = f"moved {float(row['cosine_distance_alone']):.2g} on average"
        remark += f"; {alike}" if twins else ""
        named = tuple(
            findings.moved_most(
                moves, model, row["component"], row["form"], most=words_picture.NAMED
            )
        )
    return words_picture.Panel(model, labels.get(model, model), remark, named)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        summary=Path(snakemake.input.summary),
        drift=Path(snakemake.input.drift),
        projections={
            name: Path(path)
            for name, path in zip(snakemake.params.projections, snakemake.input.maps, strict=True)
        },
        group=snakemake.wildcards.group,
        words=Path(snakemake.input.words),
        labels=json.loads(snakemake.params.labels),
        pictures=Path(snakemake.output.pictures),
    )
