"""Tell for every pair of a group's models which components are the same, and what differs."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints.renamings import read_renamings
from atlas.relations import contents, identity
from atlas.relations.identity_text import overview


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
    labels: dict[str, str],
    group: str,
    stem: Path,
) -> None:
    """
    Write the identity table and its readable forms.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint, in the roster's order.
    renamings
        Names that tensors go by, as match_names writes them; None matches those of these models.
    labels
        Model to what it is called in plots.
    stem
        Path of the files to write, without their endings: .csv, .md and .html.
    """
    ids = sorted(fingerprints)
    named = read_renamings(renamings) if renamings else None
    held = contents.load([fingerprints[model] for model in ids], ids, named)
    frame = identity.table(held)
    stem.parent.mkdir(parents=True, exist_ok=True)
    with tables.replacing(stem.with_name(f"{stem.name}.csv")) as partial:
        frame.to_csv(partial, index=False)
    told = overview(frame, group=group, models=list(fingerprints), labels=labels)
    for ending, text in ((".md", page.markdown(*told)), (".html", page.html(*told))):
        tables.write_text(text, stem.with_name(f"{stem.name}{ending}"))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = {Path(path).stem: Path(path) for path in snakemake.input.fingerprints}
    main(
        fingerprints={model: paths[model] for model in snakemake.params.models},
        renamings=Path(snakemake.input.renamings),
        labels=json.loads(snakemake.params.labels),
        group=snakemake.wildcards.group,
        stem=Path(snakemake.output.table).with_suffix(""),
    )
