"""Run programs and tell their time and memory; print what was found as a table."""

import json
import os
import subprocess
import sys
import time
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
    command = [sys.executable, str(REPOSITORY / "bench" / program), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "scripts")}
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    said = json.loads(output.splitlines()[-1])
    return Process(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, said)


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
