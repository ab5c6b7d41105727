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
"""Programs in the place of conda, Apptainer and SLURM, which run what they are handed at once."""

TARGET = "results/fingerprints/base.parquet"


@pytest.fixture
def namesake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead Python to another package of the library's name, which no one may import."""
    package = tmp_path / "elsewhere" / "atlas"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('the wrong atlas')")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


@pytest.fixture
def base(atlas: Atlas, namesake: None) -> Atlas:
    """Return a roster of one model."""
    factory.diffusers_folder(atlas.folder / "base", factory.weights(seed=1))
    atlas.models["base"] = {"path": "base"}
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


def test_in_an_image(base: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    lead(monkeypatch, STAND_INS / "apptainer")
    done = base.run(TARGET, options=("--sdm", "apptainer"), container="images/atlas.sif")
    assert done.success, done.output
    assert (base.folder / "images.txt").read_text() == "images/atlas.sif\n"
    assert (base.folder / TARGET).is_file()
    without = base.run("results/renamings.json", options=("--sdm", "apptainer"))
    assert without.success, without.output
    assert (base.folder / "images.txt").read_text().count("\n") == 1, "null: none"


@pytest.mark.parametrize("image", ["a b.sif", "$(touch x).sif", "a.sif;ls"])
def test_an_images_name_never_reaches_a_shell_as_code(base: Atlas, image: str) -> None:
    done = base.run(TARGET, options=("--dry-run",), container=image)
    assert not done.success
    assert "container" in done.output
    assert "an image file or address, without spaces" in done.output


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


@pytest.mark.usefixtures("namesake")
@pytest.mark.parametrize("isolation", [(), ("-I",)])
def test_alone_with_another_package_about_and_with_none(
    isolation: tuple[str, ...], tmp_path: Path
) -> None:
    script = SCRIPTS / "fingerprints" / "fingerprint.py"
    command = [sys.executable, *isolation, str(script), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("usage: fingerprint.py"), done.stderr
