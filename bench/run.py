"""Run the benchmarks, each beside its baseline, and print one table."""

import argparse
import importlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from lines import Line, markdown
from measuring import REPOSITORY, machine

BENCHMARKS = {
    "notebook": "distances_notebook",
    "limits": "distances_limits",
    "scaling": "distances_scaling",
    "joins": "distances_joins",
    "true-size": "distances_true_size",
    "many-models": "workflow_many_models",
    "architectures": "architectures",
    "macs": "macs",
}
"""Name to module; each has `measure(folder, *, quick)`, which yields lines."""


def main() -> None:
    """Run what was asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="run this one")
    parser.add_argument("--quick", action="store_true", help="small sizes: minutes, no verdicts")
    parser.add_argument("--folder", type=Path, help="where checkpoints are made, and kept")
    given = parser.parse_args()
    sys.path += [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests")]
    if given.list:
        for name, module in BENCHMARKS.items():
            summary = (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
            print(f"{name:14} {summary}")
        return
    build = REPOSITORY / "build"
    build.mkdir(exist_ok=True)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    tables = []
    try:
        for name in given.only or BENCHMARKS:
            tables.append(_run(name, folder, quick=given.quick))
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    (build / "bench.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")


def _run(name: str, folder: Path, *, quick: bool) -> str:
    """Run one benchmark and print its table."""
    start = time.perf_counter()
    title = f"## {name}\n{json.dumps(machine())}{', quick' if quick else ''}"
    print(f"\n{title}", flush=True)
    lines: list[Line] = []
    for line in importlib.import_module(BENCHMARKS[name]).measure(folder, quick=quick):
        print(f"  {line.what}: {line.baseline} → {line.ours}", flush=True)
        lines.append(line)
    table = markdown(lines)
    print(f"\n{table}\n\n{time.perf_counter() - start:.0f} s", flush=True)
    return f"{title}\n\n{table}"


if __name__ == "__main__":
    main()
