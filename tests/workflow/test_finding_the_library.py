"""A script finds the library beside it: in a conda environment, on a node of a cluster, alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import factory
from rule_files import SCRIPTS
from workflow_runs import REPOSITORY, Atlas

STAND_INS = REPOSITORY / "tests" / "stand_ins"
"""Programs in the place of conda's and SLURM's, which run what they are handed at once."""

TARGET = "results/fingerprints/base.parquet"


@pytest.fixture
def base(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> Atlas:
    """Return a roster of one model, and let no variable lead Python to the library."""
    factory.diffusers_folder(atlas.folder / "base", factory.weights(seed=1))
    atlas.models["base"] = {"path": "base"}
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return atlas


def lead(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let programs be looked for in a folder first, and this Python found."""
    places = (folder, Path(sys.executable).parent, os.environ["PATH"])
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, places)))


def test_in_a_conda_environment(base: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch, STAND_INS / "conda" / "bin")
    done = base.run(TARGET, options=("--sdm", "conda"))
    assert done.success, done.output
    assert "Activating conda environment: .snakemake/conda/" in done.output
    assert (base.folder / TARGET).is_file()


def test_on_a_node_of_a_cluster_that_reads_the_workflow_again(
    base: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, STAND_INS / "slurm")
    profile = str(REPOSITORY / "profiles" / "slurm")
    waits = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")
    done = base.run(TARGET, options=("--workflow-profile", profile, *waits))
    assert done.success, done.output
    assert "has been submitted with SLURM jobid 1" in done.output
    assert (base.folder / TARGET).is_file()


def test_with_a_python_that_looks_at_nothing_but_its_own_packages(tmp_path: Path) -> None:
    script = SCRIPTS / "fingerprints" / "fingerprint.py"
    command = [sys.executable, "-I", str(script), "--help"]
    subprocess.run(command, cwd=tmp_path, env={}, check=True, capture_output=True)
