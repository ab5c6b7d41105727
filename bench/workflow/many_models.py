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
    yield from _planned(atlas, shards=64, dry_run=5, job=5)
    many = Atlas(folder / f"planned-{count}")
    (many.folder / "models").mkdir(parents=True)
    for number in range(20 * count if quick else 10_000):
        file = many.folder / "models" / f"p{number:05d}.safetensors"
        file.hardlink_to(next((place / "models" / "m000").rglob("*.safetensors")))
        many.models[file.stem] = {"path": f"models/{file.name}"}
    many.groups = {"few": {"models": list(many.models)[:100]}}
    yield from _planned(many, shards=256, dry_run=60, job=60)


def _planned(atlas: Atlas, *, shards: int, dry_run: float, job: float) -> Iterator[Line]:
    """Plan all that a roster asks for, and what one shard's job of a cluster plans anew."""
    settings = {"distances": {"shards": shards}}
    what = f"{len(atlas.models):,} models in {shards} shards"
    yield _within(f"{what}: dry run", dry_run, lambda: _checked(atlas.run("--dry-run", **settings)))
    contents = atlas.folder / "results" / "contents"
    contents.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        (contents / f"{shard}.parquet").touch()
    only = ("--allowed-rules", "measure_distances", "--force", "--mode", "subprocess")
    job_alone = ("--target-jobs", "measure_distances:shard=1", *only, "--nolock", "--dry-run")
    yield _within(
        f"{what}: a shard's job reads the workflow",
        job,
        lambda: _checked(atlas.run(options=job_alone, **settings)),
    )


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
