"""
Profiles of all architectures at three sizes: by three counters, and by FlopCounterMode alone.

Each runs in a process of its own, start-up and imports included, on one core. The baseline of the
last line is torch's counter as it is, which tells neither modules nor kinds of products apart.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

LIMITS = {"three counters": 8, "FlopCounterMode alone": 3, "formulas": 3}
"""Seconds of one core for each architecture."""
LIMIT_BYTES = 1_000_000_000
QUICK = ("adm64_diffusers", "sana_600m", "pixart_alpha_512")
PLAIN = "sdxl"


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Hold the profiles of all architectures against the limits, and one count against torch's."""
    names = QUICK if quick else ()
    for part, limit in LIMITS.items():
        ran = run("bench.macs.profiles", part, folder / "macs", *names)
        allowed = limit * ran.said["architectures"]
        what = f"macs: {ran.said['architectures']} architectures, {part}"
        yield Line(
            f"{what}, CPU time (share of the {allowed} s allowed)",
            f"limit {allowed} s",
            f"{seconds(ran.cpu)}, {seconds(ran.wall)} by the clock",
            None if quick else ran.cpu / allowed,
            "≤ 1",
        )
        yield Line(
            f"{what}, memory (share of 1 GB allowed)",
            f"limit {size(LIMIT_BYTES)}",
            size(ran.peak_bytes),
            None if quick else ran.peak_bytes / LIMIT_BYTES,
            "≤ 1",
        )
    said = run("bench.macs.profiles", "one forward").said
    yield Line(
        f"macs: one forward of {PLAIN}, FlopCounterMode as it is against ours, CPU time",
        seconds(said["plain"]),
        seconds(said["ours"]),
        None if quick else said["plain"] / said["ours"],
    )


def profile(folder: Path, names: list[str], *, with_counters: bool) -> dict[str, int]:
    """Profile architectures at the default sizes, as their rule does; return how many."""
    from atlas.architectures import catalogue
    from atlas.macs import profile
    from atlas.macs.files import COUNTERS, PROFILE, write
    from atlas.macs.request import Request

    asked, known = Request.of([[512, 512], [1024, 1024], "native"], 1, [64, "cap"]), profile.Known()
    entries = [catalogue.load(name) for name in names or catalogue.names()]
    for entry in entries:
        rows, compared = profile.rows(entry, asked, known, with_counters=with_counters)
        write(folder / f"{entry.name}.csv", PROFILE, rows)
        write(folder / f"{entry.name}.counters.csv", COUNTERS, compared)
    return {"architectures": len(entries)}


def fit(names: list[str]) -> dict[str, int]:
    """Fit the formulas of architectures; return how many calls there are, and how many exact."""
    from atlas.architectures import catalogue
    from atlas.macs import fitting

    known, entries = fitting.Known(), [catalogue.load(name) for name in names or catalogue.names()]
    found = [formula for entry in entries for formula in fitting.formulas(entry, known)]
    exact = sum(not formula.problem for formula in found)
    return {"architectures": len(entries), "calls": len(found), "exact": exact}


def one_forward() -> dict[str, float]:
    """Return CPU seconds for one forward by torch's counter as it is, and by ours."""
    from torch.utils.flop_counter import FlopCounterMode

    from atlas.architectures import build, catalogue, inputs
    from atlas.architectures.counting import count

    entry = catalogue.load(PLAIN)
    module = build.component(entry, entry.denoiser_name)
    arguments = inputs.denoiser(entry, width=1024, height=1024)
    start = time.process_time()
    with FlopCounterMode(display=False) as counter:
        module(**arguments)
    plain = time.process_time() - start
    start = time.process_time()
    counted = count(module, arguments)
    ours = time.process_time() - start
    assert counter.get_total_flops() == 2 * counted.total
    return {"plain": plain, "ours": ours}


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    if sys.argv[1] == "one forward":
        print(json.dumps(one_forward()))
    elif sys.argv[1] == "formulas":
        print(json.dumps(fit(sys.argv[3:])))
    else:
        alone = sys.argv[1] == "FlopCounterMode alone"
        print(json.dumps(profile(Path(sys.argv[2]), sys.argv[3:], with_counters=not alone)))
