"""Count what ControlNets, adapters and LoRAs cost on top of architectures: one table and page."""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import catalogue
from atlas.basis import page
from atlas.basis.errors import AtlasError
from atlas.basis.tables import write_text
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import additions, additions_pages, files
from atlas.macs.summary import Sampling


def main(
    *,
    sources: Mapping[str, str],
    stated: Mapping[str, str],
    facts: Mapping[str, str],
    resolutions: Sequence[Sequence[int] | str],
    batch: int,
    steps: int,
    guidance: bool | None,
    stem: Path,
) -> None:
    """
    Write the table (.csv), its pages (.md, .html) and the findings (.txt).

    What can't be read or counted is a row with its problem; the rest is made.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    facts
        Name of an addition to its YAML file.
    resolutions
        Sizes in pixels as [width, height], and `native`.
    batch
        Images per forward.
    steps
        Steps of the sampler.
    guidance
        Whether a step has two forwards; each architecture's own way where it is left out.
    stem
        The files to write, without their suffixes.
    """
    from atlas.architectures.meta import RememberedShapes
    from atlas.macs import additions_profile

    chosen = [additions.read(Path(file)) for file in facts.values()]
    sampling, remembered = Sampling(steps, guidance), RememberedShapes()
    rows = []
    for name, source in sources.items():
        try:
            entry = catalogue.load(source, name=name, stated=stated.get(name))
        except AtlasError as error:
            rows += [additions_profile.failed(name, addition, str(error)) for addition in chosen]
            continue
        logging.info("counting what is added to %s", name)
        host = additions_profile.Host(entry, batch, remembered)
        sizes = additions_profile.sizes_of(entry, resolutions)
        for addition in chosen:
            rows += additions_profile.rows(host, addition, sizes, sampling)
    files.write(stem.with_suffix(".csv"), additions_profile.COLUMNS, rows)
    told, parts = additions_pages.findings(rows), additions_pages.sections(rows)
    for suffix, form in ((".md", page.markdown), (".html", page.html)):
        write_text(form(additions_pages.TITLE, told, parts), stem.with_suffix(suffix))
    write_text("\n".join(told) + "\n", stem.with_suffix(".txt"))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        facts=json.loads(snakemake.params.additions),
        resolutions=snakemake.params.resolutions,
        batch=snakemake.params.batch,
        steps=snakemake.params.steps,
        guidance=snakemake.params.guidance,
        stem=Path(snakemake.output.csv).with_suffix(""),
    )
