"""Run programs and tell their time and memory; print what was found as a table."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Process:
    """A program that has ended."""

    wall: float
    """Seconds from start to end, start-up included."""
    cpu: float
    """Seconds of all its threads."""
    peak_bytes: int
    """Largest resident memory."""
    said: dict[str, Any]
    """What it printed as JSON on its last line."""


def run(program: str, *arguments: object) -> Process:
    """
    Run a Python program of this folder to its end.

    Raises
    ------
    subprocess.CalledProcessError
        When it fails.
    """
    bench = REPOSITORY / "bench"
    command = [sys.executable, str(bench / program), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")}
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as report:
        launcher = [sys.executable, "-I", "-S", str(bench / "launcher.py"), str(writing)]
        done = subprocess.run(
            [*launcher, *command],
            stdout=subprocess.PIPE,
            env=environment,
            pass_fds=[writing],
            text=True,
            check=False,
        )
        os.close(writing)
        told = json.loads(report.read())
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command)
    return Process(**told, said=json.loads(done.stdout.splitlines()[-1]))


def median(values: Sequence[float]) -> float:
    """Return the middle value: the upper one of two."""
    return sorted(values)[len(values) // 2]


def machine() -> dict[str, object]:
    """Describe the machine in general terms."""
    cpu = next(
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9),
        "load": round(os.getloadavg()[0], 1),
    }


def free_memory() -> int:
    """Return the bytes that programs may take without swapping, page cache included."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
