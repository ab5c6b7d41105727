"""Tell what the jobs of each rule took, beside what the rule had declared."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.benchmarks import declared, picture, records, summary
from atlas.plots import style


def main(*, folder: Path, table: Path, stem: Path) -> None:
    """
    Write a table and a picture of what jobs took.

    Parameters
    ----------
    folder
        The benchmarks that Snakemake wrote, `{rule}/….tsv`; what jobs had been granted stands in
        its declared.csv.
    table
        Where to write the table, as CSV.
    stem
        Where to write the picture, without an ending: as SVG and PNG.
    """
    found = records.read(folder, declared.read(folder / declared.FILE.name))
    if not found:
        raise AtlasError(f"{folder}/ holds no benchmarks: make something first, as by `make demo`")
    rows = summary.summarised(found)
    logging.info("%d jobs of %d rules; %s", len(found), len(rows), picture.claim(rows))
    tables.write_text(summary.as_csv(rows), table)
    style.save(picture.draw(rows), stem)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        folder=Path(snakemake.params.folder),
        table=Path(snakemake.output.table),
        stem=Path(snakemake.output.png).with_suffix(""),
    )
