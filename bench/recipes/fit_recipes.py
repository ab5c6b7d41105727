"""Fit the recipes of 232 models of the tensors of Stable Diffusion XL, beside a minute."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

MINUTE = 60.0


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make a group up whose denoisers are fine-tunes and merges, and fit it."""
    models, denoiser, others = (40, 100, 20) if quick else (232, 1680, 400)
    place = folder / "recipes"
    try:
        given = ("--models", models, "--denoiser", denoiser, "--others", others)
        made = run("bench.recipes.made_group", place, *given)
        run("bench.relations.compare_group", place)
        done = run("bench.recipes.fit_group", place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    rows = made.said["rows"]
    what = f"recipes of {models} models, {denoiser + 2 * others} tensors, {rows / 1e6:.3g} M rows"
    told = ", ".join(f"{count} {name}" for name, count in sorted(done.said["verdicts"].items()))
    yield Line(
        f"{what}: time ({told})", seconds(MINUTE), seconds(done.wall), done.wall / MINUTE, "≤ 1"
    )
    yield Line(f"{what}: processor time", "", seconds(done.cpu))
    yield Line(f"{what}: peak memory", "", size(done.peak_bytes))
