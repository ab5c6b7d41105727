"""
Measure the profiles of all architectures: three counters, and FlopCounterMode alone.

Each runs in a process of its own, start-up and imports included. The baseline is the counting
without remembered shapes, as torch does it, on one architecture.
"""

import argparse
import json
import logging
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import measuring

GOALS = {"three counters": 240.0, "FlopCounterMode alone": 90.0}
"""Seconds on one core that is free."""
MEMORY_GOAL = 1_000_000_000
BASELINE = "sdxl"


def profile(with_counters: bool) -> None:
    """Profile the catalogue at the default sizes."""
    from atlas.architectures import catalogue
    from atlas.macs import profile
    from atlas.macs.request import Request
    from atlas.macs.tables import PROFILE, write

    asked, known = Request.of([[512, 512], [1024, 1024], "native"], 1, None), profile.Known()
    with TemporaryDirectory() as folder:
        for entry in catalogue.all_entries():
            rows, _ = profile.rows(entry, asked, known, with_counters=with_counters)
            write(Path(folder) / f"{entry.name}.csv", PROFILE, rows)


def baseline() -> dict[str, float]:
    """Return seconds for one forward by torch's counter alone, and by ours."""
    from torch.utils.flop_counter import FlopCounterMode

    from atlas.architectures import build, catalogue, inputs
    from atlas.macs.counting import count

    entry = catalogue.load(BASELINE)
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


def main() -> None:
    """Run all in processes of their own and tell them beside the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*GOALS, "baseline"])
    part = parser.parse_args().part
    logging.basicConfig(level=logging.WARNING)
    if part == "baseline":
        print(json.dumps(baseline()))
    elif part:
        profile(with_counters=part == "three counters")
        print("{}")
    else:
        print(json.dumps(measuring.machine()))
        for name, goal in GOALS.items():
            ran = measuring.run("macs.py", "--part", name)
            print(
                f"{name}: {ran.cpu:.0f} s of one core, {ran.wall:.0f} s by the clock, "
                f"{ran.peak_bytes / 1e6:.0f} MB (goals: {goal:.0f} s, {MEMORY_GOAL / 1e6:.0f} MB)"
            )
        said = measuring.run("macs.py", "--part", "baseline").said
        print(
            f"one forward of {BASELINE}: {said['plain']:.2f} s by FlopCounterMode as it is, "
            f"{said['ours']:.2f} s by ours with the modules and kinds told apart"
        )


if __name__ == "__main__":
    main()
