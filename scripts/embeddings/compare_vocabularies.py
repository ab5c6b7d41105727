"""Compare the token embeddings of a group's models with the base's, without a forward pass."""

import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.embeddings import encoders, vocabularies, vocabulary_picture, vocabulary_store
from atlas.fingerprints import fingerprint
from atlas.plots import style

MOST = 12
"""Models in a picture: those of which most tokens moved."""


def main(
    *,
    record: Path,
    group: str,
    fingerprints: dict[str, Path],
    checkpoints: dict[str, Path],
    base: str | None,
    labels: dict[str, str],
    method: int,
    rows: Path,
    table: Path,
    said: Path,
    pictures: Path,
) -> None:
    """
    Bring the comparisons of a group up to date, and tell and draw them.

    Parameters
    ----------
    record
        The JSON file of find_text_encoders.
    fingerprints, checkpoints
        By model, in the group's order.
    base
        Whose tokens the others' are compared with; None takes the first model's.
    labels
        What models are called, by id.
    method
        Version of the method: what another one compared is compared anew.
    rows
        The parquet file of all tokens of all pairs, to write or to bring up to date.
    table
        The CSV file: a row for each model.
    said
        The text file of what was found.
    pictures
        The folder of pictures, {component}.png and .svg.
    """
    known, problems = encoders.loaded(record)
    folders = {(each.model, each.component): Path(each.tokenizer) for each in known}
    there = [(each.model, each.component) for each in (*known, *problems) if each.component]
    members = [
        vocabularies.Member(
            model,
            component,
            fingerprints[model],
            fingerprint.anchor(checkpoints[model]),
            folders.get((model, component)),
        )
        for model in fingerprints
        for each, component in sorted(there)
        if each == model
    ]
    found = list(vocabularies.vocabularies(members, base=base))
    pairs = {pair: compare for each in found for pair, compare in each.pairs().items()}
    held, failed = vocabulary_store.update(rows, pairs, state={"method": method})
    logging.info("%d pairs of vocabularies", len(held))
    told = vocabularies.table(found, held, failed)
    tables.write_text(told.to_csv(index=False, lineterminator="\n"), table)
    lines = vocabularies.sentences(group, told, labels)
    tables.write_text("".join(f"{line}\n" for line in lines), said)
    pictures.mkdir(parents=True, exist_ok=True)
    for each in found:
        differing = told[(told["component"] == each.component) & told["pair"].notna()]
        most = differing.drop_duplicates("pair").nlargest(MOST, ["moved", "largest"])
        if not len(most):
            continue
        drawn = {
            labels.get(model, model): held[pair].rows
            for model, pair in zip(most["model"], most["pair"], strict=True)
        }
        figure = vocabulary_picture.draw(
            drawn, base=labels.get(each.base, each.base), component=each.component
        )
        style.save(figure, pictures / each.component)


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    models = snakemake.params.models
    main(
        record=Path(snakemake.input.record),
        group=snakemake.wildcards.group,
        fingerprints=dict(zip(models, map(Path, snakemake.input.fingerprints), strict=True)),
        checkpoints=dict(zip(models, map(Path, snakemake.params.checkpoints), strict=True)),
        base=snakemake.params.base,
        labels=json.loads(snakemake.params.labels),
        method=snakemake.params.method,
        rows=Path(snakemake.output.rows),
        table=Path(snakemake.output.table),
        said=Path(snakemake.output.findings),
        pictures=Path(snakemake.output.pictures),
    )
