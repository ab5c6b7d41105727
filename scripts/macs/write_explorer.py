"""Write the page to ask what images cost."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import asked, devices, files, subjects
from atlas.pages import explorer_page


def main(
    *, sources: Mapping[str, str], stated: Mapping[str, str], formulas: Path, page: Path
) -> None:
    """
    Write the page.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    formulas
        The table that fit_macs writes.
    page
        The HTML file to write.
    """
    gpus, caching = devices.read()
    known = subjects.load(sources, stated, files.read(formulas))
    explorer_page.write(page, asked.facts(known, list(gpus.values()), caching.values()))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        formulas=Path(snakemake.input.formulas),
        page=Path(snakemake.output.page),
    )
