"""Run the real workflow on tiny checkpoints, in a folder of the test's own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
DEMO = ("--config", "roster=config/roster.yaml")
"""What takes the demo's roster with all settings as they are."""


@dataclass(frozen=True)
class Run:
    """One call of Snakemake: whether it succeeded, what it printed, which jobs it ran."""

    success: bool
    output: str
    jobs: dict[str, int]
    """Rule to number of jobs; empty when there was nothing to do."""
    measured: int
    """Pairs of contents that the distances jobs of this run measured."""


@dataclass
class Atlas:
    """A working directory with a roster; `run` calls Snakemake there."""

    folder: Path
    models: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)

    def run(self, *targets: str, options: tuple[str, ...] = (), **settings: Any) -> Run:
        """Write the roster, run the targets, and return what happened."""
        self.write_roster()
        records = self.folder / "logs" / "measure_distances"
        before = {path: path.stat().st_mtime_ns for path in records.glob("*.json")}
        done = subprocess.run(
            self.command(*targets, options=options, **settings),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        measured = sum(
            json.loads(path.read_text())["measured"]
            for path in records.glob("*.json")
            if path.stat().st_mtime_ns != before.get(path)
        )
        output = done.stdout + done.stderr
        return Run(done.returncode == 0, output, jobs_of(output), measured)

    def write_roster(self) -> None:
        """Write the models and groups as they are now."""
        roster = {"models": self.models} | ({"groups": self.groups} if self.groups else {})
        (self.folder / "roster.yaml").write_text(yaml.safe_dump(roster, sort_keys=False))

    def command(self, *targets: str, options: tuple[str, ...] = (), **settings: Any) -> list[str]:
        """Return the command line of a run."""
        config = {"roster": "roster.yaml"} | settings
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")),
            *("--workflow-profile", str(REPOSITORY / "profiles" / "default")),
            *("--cores", "2", *targets, *options),
            *("--config", *(f"{key}={json.dumps(value)}" for key, value in config.items())),
        ]


def link_workflow(folder: Path) -> Path:
    """Lay all that `make` and Snakemake need into a folder, by links, and return it."""
    folder.mkdir(exist_ok=True)
    parts = ("rules", "scripts", "envs", "docs", "profiles", "config", "bench", "tests")
    for part in ("Snakefile", "Makefile", "requirements.lock", *parts):
        (folder / part).symlink_to(REPOSITORY / part)
    (folder / "ready").touch()  # newer than the lock: no environment is made
    return folder


def run_demo(
    folder: Path, wheels: Iterable[Path], *targets: str, options: Sequence[str] = DEMO
) -> Path:
    """Make targets of the demo in a folder, from wheels at hand, and return its results."""
    place = folder / "resources" / "wheels"
    place.mkdir(parents=True)
    for wheel in wheels:
        shutil.copy(wheel, place)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    done = subprocess.run(
        [*command, "--directory", str(folder), "--cores", "2", *targets, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results"


def jobs_of(output: str) -> dict[str, int]:
    """Read the table of job counts that Snakemake prints before it starts."""
    jobs: dict[str, int] = {}
    for table in re.findall(r"Job stats:\njob +count\n[- ]+\n((?:\S+ +\d+\n)+)", output):
        jobs = {name: int(count) for name, count in (line.split() for line in table.splitlines())}
    jobs.pop("total", None)
    return jobs
