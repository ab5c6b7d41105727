"""`snakemake --generate-unit-tests` in the workflow's folder writes tests that pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import factory
from workflow_runs import REPOSITORY, Atlas, link_workflow

pytestmark = pytest.mark.slow

TARGET = "results/groups/all/notebook.json"
RULES = {"fingerprint", "match_names", "measure_distances", "compare_group", "write_matrices"}
RULES |= {"export_notebook", "collect_contents"}
"""All that the target needs."""
TESTED = ("fingerprint", "match_names", "write_matrices", "export_notebook")
"""A few of them: each starts Snakemake anew."""


def called(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of this Python in a folder; `python` is this one, also to what it calls."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the workflow with settings of its own and tests of a finished run."""
    folder = link_workflow(tmp_path_factory.mktemp("workflow") / "atlas")
    (folder / "config").unlink()
    shutil.copytree(REPOSITORY / "config", folder / "config")
    settings = folder / "config" / "config.yaml"
    text = settings.read_text().replace("\nroster: null\n", "\nroster: roster.yaml\n")
    settings.write_text(text.replace("  shards: 2\n", "  shards: 1\n"))
    atlas = Atlas(folder)
    base = factory.weights(seed=1)
    for name, weights in {"base": base, "tuned": factory.changed(base, 2, "unet/")}.items():
        # outside: the notebook's file tells paths, relative ones of what is in the folder
        checkpoint = folder.parent / "models" / name
        factory.diffusers_folder(checkpoint, weights)
        atlas.models[name] = {"path": str(checkpoint)}
    atlas.groups["all"] = {"models": list(atlas.models)}
    atlas.write_roster()
    for options in ((), ("--generate-unit-tests", ".tests/unit")):
        done = called(folder, "snakemake", "--cores", "2", TARGET, *options)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_each_rule_has_a_test(folder: Path) -> None:
    written = {path.stem for path in (folder / ".tests" / "unit").glob("test_*.py")}
    assert written == {f"test_{rule}" for rule in RULES}


@pytest.mark.parametrize("rule", TESTED)
def test_a_generated_test_passes(folder: Path, rule: str) -> None:
    file = f".tests/unit/test_{rule}.py"
    done = called(folder, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, file)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_generated_test_notices_other_results(folder: Path) -> None:
    expected = folder / ".tests/unit/match_names/expected/results/renamings.json"
    before = expected.read_bytes()
    expected.chmod(0o644)
    expected.write_bytes(before + b" ")
    file = ".tests/unit/test_match_names.py"
    done = called(folder, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, file)
    expected.write_bytes(before)
    assert done.returncode == 1
    assert "renamings.json" in done.stdout
