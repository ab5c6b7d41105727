"""Profile the MACs of architectures on the meta device: a table for each, and other counters'."""

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import catalogue, sizes
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import request
from atlas.macs.files import COUNTERS, PROFILE, failed, write
from atlas.macs.request import Request


def main(
    *,
    sources: Mapping[str, str],
    stated: Mapping[str, str],
    resolutions: Sequence[Sequence[int] | str],
    batch: int,
    text_length: Sequence[int | str] | int | None,
    text_cap: int | None,
    given: Mapping[str, int | None] | None = None,
    folder: Path,
) -> None:
    """
    Profile all architectures; torch is imported once for all, which costs more than a profile.

    One that can't be read has a table of one row: its problem.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    resolutions
        Sizes in pixels as [width, height], and `native`.
    batch
        Images per forward.
    text_length
        Tokens of the prompts, and "cap" for as many as each pipeline takes; left out, it is that.
    text_cap
        Text tokens that pipelines cut a prompt at, where it is not each one's own.
    given
        `frames` of videos, the number of `references` and the `reference_pixels` of their side;
        each entry's own where they are left out.
    folder
        Where to write the tables.
    """
    asked = Request.of(resolutions, batch, text_length, text_cap)
    entries, problems = {}, {}
    for name, source in sources.items():
        try:
            entry = catalogue.load(source, name=name, stated=stated.get(name))
            entries[name] = sizes.chosen(entry, **(given or {}))
        except AtlasError as error:
            problems[name] = str(error)
    if not entries:
        raise AtlasError("\n".join(problems.values()))
    request.check(list(entries.values()), asked)
    for name, problem in problems.items():
        logging.error("%s can't be profiled: %s", name, problem)
        write(folder / f"{name}.csv", PROFILE, [failed(name, problem)])
        write(folder / f"{name}.counters.csv", COUNTERS, [])
    from atlas.macs import profile

    known = profile.Known()
    for name, entry in entries.items():
        logging.info("profiling %s", name)
        rows, compared = profile.rows(entry, asked, known)
        write(folder / f"{name}.csv", PROFILE, rows)
        write(folder / f"{name}.counters.csv", COUNTERS, compared)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        resolutions=snakemake.params.resolutions,
        batch=snakemake.params.batch,
        text_length=snakemake.params.text_length,
        text_cap=snakemake.params.text_cap,
        given=snakemake.params.given,
        folder=Path(snakemake.output[0]).parent,
    )
