"""
Tables and diagrams of all architectures, beside tables made with modules in real memory.

The baseline is what one does without the meta device: build the module in memory, run torchinfo
on a real forward. It is done for the three smallest denoisers alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.architectures.watching import Watch
from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

SMALLEST = ("adm64_diffusers", "sana_600m", "pixart_alpha_512")
LIMIT_SECONDS, LIMIT_BYTES = 3, 1_000_000_000
"""For each architecture; of all processes."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Compare time and memory for the smallest architectures; hold all against the limits."""
    names = SMALLEST[:1] if quick else SMALLEST
    ours = run("bench.architectures.tables", "ours", folder / "small", *names)
    baseline = run("bench.architectures.tables", "baseline", *names)
    what = f"architectures: tables of the {len(names)} smallest"
    yield Line(
        f"{what}, wall",
        seconds(baseline.wall),
        seconds(ours.said["tables_wall"]),
        None if quick else baseline.wall / ours.said["tables_wall"],
    )
    yield Line(
        f"{what}, memory",
        size(baseline.peak_bytes),
        size(ours.said["memory"]),
        None if quick else baseline.peak_bytes / ours.said["memory"],
    )
    if quick:
        return
    every = run("bench.architectures.tables", "ours", folder / "all")
    limit = LIMIT_SECONDS * every.said["architectures"]
    yield Line(
        f"architectures: tables and diagrams of all {every.said['architectures']}, wall, two cores "
        f"(share of the {limit} s allowed)",
        f"limit {limit} s",
        f"{seconds(every.wall)}, {seconds(every.said['cpu'])} of CPU",
        every.wall / limit,
        "≤ 1",
    )
    yield Line(
        "architectures: the same, memory of all processes (share of 1 GB allowed)",
        f"limit {size(LIMIT_BYTES)}",
        size(every.said["memory"]),
        every.said["memory"] / LIMIT_BYTES,
        "≤ 1",
    )


def make_ours(folder: Path, names: list[str]) -> dict[str, float]:
    """Make tables, then diagrams, as the two rules do; return times and the peak memory."""
    from architectures import draw_architectures, summarise_architectures
    from atlas.architectures import catalogue

    start = time.perf_counter()
    chosen = names or catalogue.names()
    with Watch() as watch:
        summarise_architectures.main(
            sources={name: name for name in chosen},
            stated={},
            sides=[512, 1024, 2048],
            folder=folder,
            threads=2,
        )
        tables = time.perf_counter() - start
        portraits = [folder / f"{name}.json" for name in chosen]
        draw_architectures.main(portraits=portraits, folder=folder)
    return {
        "architectures": len(chosen),
        "tables_wall": tables,
        "cpu": sum(os.times()[:4]),
        "memory": watch.peak,
    }


def make_baseline(names: list[str]) -> dict[str, int]:
    """Build denoisers in memory, run torchinfo on a forward; return their parameters."""
    import diffusers
    import torch
    import torchinfo

    from atlas.architectures import catalogue, inputs

    found = {}
    for name in names:
        entry = catalogue.load(name)
        kind = getattr(diffusers, entry.denoiser.class_name)
        module = kind.from_config(dict(entry.denoiser.config))
        given = inputs.denoiser(entry, width=entry.native, height=entry.native, dtype=torch.float32)
        real = {key: _real(value) for key, value in given.items()}
        told = torchinfo.summary(module, input_data=real, depth=3, mode="eval", verbose=0)
        found[name] = told.total_params
    return found


def _real(value: object) -> object:
    """Return tensors of ones in memory for tensors on the meta device."""
    import torch

    if isinstance(value, torch.Tensor):
        return torch.ones(value.shape, dtype=value.dtype)
    if isinstance(value, dict):
        return {key: torch.empty(0) if own is None else _real(own) for key, own in value.items()}
    return value


if __name__ == "__main__":
    if sys.argv[1] == "ours":
        print(json.dumps(make_ours(Path(sys.argv[2]), sys.argv[3:])))
    else:
        print(json.dumps(make_baseline(sys.argv[2:])))
