"""Run programs and tell their time and memory, and what the machine is."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
LAUNCHER = Path(__file__).parent / "launcher.py"


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


def run(module: str, *arguments: object) -> Process:
    """
    Run a module of the benchmarks to its end, in a process of its own.

    Parameters
    ----------
    module
        Such as "bench.fingerprints.fingerprint".
    arguments
        Of its command line.

    Raises
    ------
    subprocess.CalledProcessError
        When it fails.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    places = (REPOSITORY, REPOSITORY / "scripts")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))}
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as report:
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(writing)]
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
