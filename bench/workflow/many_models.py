"""A roster of 232 tiny models through Snakemake: planning, running, adding one more."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import factory
from bench.common.lines import Line, seconds, size
from workflow_runs import Atlas, Run

SHARDS = 2


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Run the whole workflow on so many models, then on one more."""
    count = 12 if quick else 232
    place = folder / f"many-{count}"
    place.mkdir(parents=True)
    atlas = Atlas(place)
    base = factory.weights(seed=0)
    for number in range(count):
        weights = factory.changed(base, number, "unet/") if number else base
        _add(atlas, f"m{number:03d}", weights)
    yield from _lines(atlas, count)
    for number in range(count, 10 * count if quick else 1000):
        _add(atlas, f"m{number:03d}", factory.changed(base, number, "unet/"))
    start = time.perf_counter()
    _checked(atlas.run("--dry-run", distances={"shards": 64}))
    spent = seconds(time.perf_counter() - start)
    yield Line(f"{len(atlas.models)} models in 64 shards: dry run", "", spent)


def _lines(atlas: Atlas, count: int) -> Iterator[Line]:
    settings = {"distances": {"shards": SHARDS}}

    def run(*targets: str) -> Run:
        return _checked(atlas.run(*targets, **settings))

    yield _within(f"{count} models: dry run", 5, lambda: run("--dry-run"))
    yield _within(f"{count} models: whole run", 180, run)
    yield _within(f"{count} models: nothing to do", 5, run)
    metadata = atlas.folder / ".snakemake" / "metadata"
    nbytes = sum(file.stat().st_size for file in metadata.rglob("*") if file.is_file())
    yield Line("Snakemake's metadata", size(20e6), size(nbytes), nbytes / 20e6, "≤ 1")
    _add(atlas, "new", factory.changed(factory.weights(seed=0), count, "unet/"))
    done = run("distances")
    unet = sum(name.startswith("unet/") for name in factory.SHAPES)
    yield Line(
        "one more model: pairs of contents measured",
        str(count * unet),
        str(done.measured),
        done.measured / (count * unet),
        "≤ 1",
    )
    jobs = done.jobs.get("fingerprint", 0) + done.jobs.get("measure_distances", 0)
    yield Line(
        "one more model: computing jobs", str(SHARDS + 1), str(jobs), jobs / (SHARDS + 1), "≤ 1"
    )


def _checked(done: Run) -> Run:
    if not done.success:
        raise RuntimeError(done.output)
    return done


def _add(atlas: Atlas, name: str, weights: factory.Weights) -> None:
    """Write a checkpoint and enter it into the roster and its group."""
    factory.diffusers_folder(atlas.folder / "models" / name, weights)
    atlas.models[name] = {"path": f"models/{name}"}
    atlas.groups = {"all": {"models": list(atlas.models)}}


def _within(what: str, allowed: float, work: Callable[[], object]) -> Line:
    start = time.perf_counter()
    work()
    spent = time.perf_counter() - start
    return Line(what, seconds(allowed), seconds(spent), spent / allowed, "≤ 1")
