"""
How profiles/slurm submits each rule: the lines of today beside those that are kept.

`python tests/sbatch_lines.py` tells what differs; with --fix it writes the lines of today.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workflow_runs import REPOSITORY

TESTS = REPOSITORY / "tests"
KEPT = TESTS / "workflow" / "sbatch_lines.golden.yaml"
FIX = "python tests/sbatch_lines.py --fix"
HEADER = (
    f"# Rule to its lines and the number of jobs of each, for each case of tests/sbatch_lines.py.\n"
    f"# Written by `{FIX}`.\n"
)
STAND_INS = TESTS / "stand_ins" / "queue"
PROFILE = REPOSITORY / "profiles" / "slurm"

CUDA: Mapping[str, Any] = {
    "distances": {"device": "cuda"},
    "embeddings": {"device": "cuda"},
    "activations": {name: {"device": "cuda"} for name in ("terrain", "digits")},
}
"""Settings that let GPUs be used, wherever one can be; the demo's datasets are among them."""

ROSTERS = {1: 1, 232: 8, 1000: 64}
"""Models of a roster to the shards that its distances are measured in: each within a day."""
GIGABYTES = 7
"""Of a checkpoint: a Stable Diffusion XL in float16."""

Lines = dict[str, dict[str, int]]
"""Rule (or group of jobs) to line to how often."""


@dataclass(frozen=True)
class Call:
    """One call of sbatch."""

    arguments: tuple[str, ...]

    def value(self, option: str) -> str:
        """Return what follows an option."""
        return self.arguments[self.arguments.index(option) + 1]

    @property
    def rule(self) -> str:
        """The rule or group, as told in the comment."""
        return re.sub(r"^rule_|_wildcards_.*", "", self.value("--comment"))

    @property
    def line(self) -> str:
        """The arguments without those that name the run, the job, its log and its folder."""
        kept = list(self.arguments)
        for option in ("--job-name", "--output", "--comment", "-D"):
            place = kept.index(option)
            del kept[place : place + 2]
        return " ".join(kept)


def submitted(folder: Path, *arguments: str | Path) -> list[Call]:
    """
    Run Snakemake on a cluster on which all jobs succeed, and return the calls of sbatch.

    Raises
    ------
    AssertionError
        The run failed.
    """
    record = folder / "sbatch.calls"
    record.unlink(missing_ok=True)
    places = (STAND_INS, Path(sys.executable).parent, os.environ["PATH"])
    done = subprocess.run(
        [
            *(sys.executable, TESTS / "pretended_cluster.py"),
            *("--snakefile", REPOSITORY / "Snakefile", "--workflow-profile", PROFILE),
            *("--latency-wait", "1", "--retries", "0", *arguments),
        ],
        cwd=folder,
        env=os.environ | {"PATH": ":".join(map(str, places)), "SBATCH_CALLS": str(record)},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    records = record.read_text(encoding="utf-8").split("\t\n")
    return [Call(tuple(line.split("\t"))) for line in records[:-1]]


def lines_of(calls: Sequence[Call]) -> Lines:
    """Return the lines of each rule, in order of their names."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for call in calls:
        found[call.rule][call.line] += 1
    return {rule: dict(sorted(found[rule].items())) for rule in sorted(found)}


def write_roster(folder: Path, models: int, size: int = GIGABYTES * 10**9) -> None:
    """Write a roster of single files of a size in bytes; they take no room, having no content."""
    (folder / "models").mkdir()
    roster: dict[str, Any] = {"models": {}}
    for number in range(models):
        file = folder / "models" / f"{number:04}.safetensors"
        with file.open("wb") as stream:
            stream.truncate(size)
        roster["models"][f"m{number:04}"] = {"path": f"models/{file.name}"}
    if models > 1:
        roster["groups"] = {"all": {"models": list(roster["models"])}}
    (folder / "roster.yaml").write_text(yaml.safe_dump(roster, sort_keys=False))


def of_roster(folder: Path, models: int, device: str) -> list[Call]:
    """Return the calls for all results of a roster of so many models."""
    write_roster(folder, models)
    settings = ["roster=roster.yaml", f"distances={{device: {device}, shards: {ROSTERS[models]}}}"]
    return submitted(folder, "all", "distances", "--config", *settings)


def of_demo(folder: Path, device: str) -> list[Call]:
    """Return the calls of the demo, which has something of everything."""
    lay_wheels(folder)
    files: list[Path] = [REPOSITORY / "config" / "demo.yaml"]
    if device == "cuda":
        files.append(folder / "cuda.yaml")
        files[-1].write_text(yaml.safe_dump(dict(CUDA)))
    return submitted(folder, "tour", "results/macs/measured.csv", "--configfile", *files)


def lay_wheels(folder: Path) -> None:
    """Put stand-ins where the demo's networks would be fetched to, which is done without a job."""
    place = folder / "resources" / "wheels"
    place.mkdir(parents=True)
    for name in wheels():
        (place / name).touch()


def wheels() -> list[str]:
    """Return the names of the files that the demo fetches."""
    text = (REPOSITORY / "config" / "demo" / "wheels.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text))


def found(case: str) -> Lines:
    """Return the lines of a case, `cpu 232` or `cuda demo`."""
    device, _, what = case.partition(" ")
    folder = Path(tempfile.mkdtemp())
    try:
        calls = (
            of_demo(folder, device)
            if what == "demo"
            else of_roster(folder, models=int(what), device=device)
        )
    finally:
        shutil.rmtree(folder)
    return lines_of(calls)


CASES = tuple(f"{device} {what}" for device in ("cpu", "cuda") for what in (*ROSTERS, "demo"))


def kept() -> dict[str, Lines]:
    """Return the golden file."""
    return dict(yaml.safe_load(KEPT.read_text(encoding="utf-8")) or {}) if KEPT.exists() else {}


def main(cases: Sequence[str], *, fix: bool) -> None:
    """Tell which cases differ, and keep their lines if that is wanted."""
    today = {case: found(case) for case in cases}
    before = kept()
    print("\n".join(case for case in cases if today[case] != before.get(case)) or "nothing changed")
    if fix:
        whole = before | today
        text = yaml.safe_dump({case: whole[case] for case in CASES if case in whole}, width=200)
        KEPT.write_text(HEADER + text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write the lines of today")
    parser.add_argument("--only", nargs="+", default=CASES, choices=CASES, metavar="CASE")
    asked = parser.parse_args()
    main(asked.only, fix=asked.fix)
