"""Watch the memory of this process and its children, from a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys

import psutil


class Watch:
    """
    Notes the most memory that this process and its children take, shared pages once.

    A process of its own looks: a thread here would not survive that the tables' rule forks.
    """

    def __enter__(self) -> Watch:
        self.peak = 0
        command = [sys.executable, "-m", "bench.architectures.watching", str(os.getpid())]
        self._looking = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        said, _errors = self._looking.communicate()
        self.peak = json.loads(said)


def watch(process: int) -> int:
    """Look at a process and its children until the input ends; return the most bytes seen."""
    peak = 0
    while not select.select([sys.stdin], [], [], 0.25)[0]:
        taken = 0
        for own in (psutil.Process(process), *psutil.Process(process).children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                taken += own.memory_full_info().pss if own.pid != os.getpid() else 0
        peak = max(peak, taken)
    return peak


if __name__ == "__main__":
    print(watch(int(sys.argv[1])))
