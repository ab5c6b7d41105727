"""Tell what a checkpoint is, by a library of fingerprints."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.arrow import spare_pandas
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line
from atlas.checkpoint import open_checkpoint
from atlas.library import libraries
from atlas.library.identifying import identify
from atlas.library.index import Index
from atlas.library.report import Report, labels_of

RESULTS = Path("results")


def main(
    checkpoint: Path,
    *,
    library: list[Path] = [RESULTS / "library.parquet"],  # noqa: B006 - shown by the help, never changed
    to: Path = RESULTS / "identify",
    error: float | None = None,
    threads: int = 1,
) -> None:
    """
    Say which components are known, what is nearest, and write both as a page and as JSON.

    Parameters
    ----------
    checkpoint
        A weight file, an index.json of shards, a diffusers folder, or a glob of shards.
    library
        Libraries, or folders of them, as `snakemake library` makes them.
    to
        Folder to write to: {name}.json and {name}.md.
    error
        Stop reading a component once the distance to its nearest is known to within this share.
    threads
        That read.
    """
    if error is not None and not 0 < error < 1:
        raise AtlasError(f"error {error:g}: give a share between 0 and 1, as 0.05")
    opened = open_checkpoint(checkpoint)
    entries = libraries.load(library)
    report = Report(
        checkpoint=opened,
        nbytes=sum(file.stat().st_size for file in opened.files),
        found=identify(opened, Index(entries), error=error, threads=threads),
        labels=labels_of(entries),
        models=len(entries),
    )
    place = to / (checkpoint.resolve().stem or checkpoint.name)
    told = json.dumps(report.as_json(), indent=1, ensure_ascii=False)
    tables.write_text(
        told.encode("utf-8", "replace").decode() + "\n", place.with_name(f"{place.name}.json")
    )
    sentences = report.sentences()
    text = page.markdown(report.title, sentences, report.sections())
    tables.write_text(text, place.with_name(f"{place.name}.md"))
    print(page.one_line(report.title))
    for sentence in sentences:
        print(f"  {sentence}")
    print(f"\nMore in {os.fspath(place)}.md and .json")


if __name__ == "__main__":
    spare_pandas()
    command_line(main, has_rule=False)
