"""
Run a program from a small process, and write its time and memory to a file descriptor as JSON.

Linux counts what a process holds when it starts another one into the other's peak memory, and the
peak survives the exec: a program started by one that has loaded torch could not be measured.
"""

import json
import os
import sys
import time


def main(report: int, command: list[str]) -> int:
    """Run the command to its end and return its exit code."""
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    told = {
        "wall": time.perf_counter() - start,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }
    os.write(report, json.dumps(told).encode())
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
