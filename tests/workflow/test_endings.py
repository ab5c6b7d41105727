"""What a run says last: what to open, what is lacking, what is broken, how to get a roster."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import factory
from workflow_runs import REPOSITORY, Atlas, jobs_of, link_workflow

BASE = factory.weights(seed=1)
OPENED = re.compile(r"The atlas is in results/\. Open first:\n((?:  \S+ +.+\n)+)")


@dataclass(frozen=True)
class Made:
    """What `make report` left."""

    folder: Path
    status: int
    output: str


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a run of `make report` on a roster with a broken file, in a copy of the workflow."""
    folder = link_workflow(tmp_path_factory.mktemp("reported"))
    atlas = Atlas(folder)
    for name, weights in {"base": BASE, "tuned": factory.changed(BASE, 2, "unet/")}.items():
        factory.diffusers_folder(folder / "models" / name, weights)
        atlas.models[name] = {"path": f"models/{name}"}
    (folder / "models" / "cut.safetensors").write_bytes(b"x")
    atlas.models["cut"] = {"path": "models/cut.safetensors"}
    atlas.groups["all"] = {"models": list(atlas.models)}
    atlas.write_roster()
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        ["make", "report", f"BIN={bin_folder}", "READY=ready", "CORES=2"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Made(folder, done.returncode, done.stdout)


def test_a_report_is_made_of_the_others_and_the_status_tells_of_the_broken(reported: Made) -> None:
    assert reported.status != 0
    assert (reported.folder / "results" / "report.html").is_file(), reported.output


def test_a_failed_run_names_what_to_open_and_the_broken_last_of_all(reported: Made) -> None:
    _, run, report = reported.output.split("Using workflow specific profile")
    pages = re.findall(r"^  (\S+)", OPENED.findall(run)[0], re.M)
    assert pages[:3] == [
        "results/groups/all/identity.md",
        "results/groups/all/identity.png",
        "results/groups/all/plots/unet.tree.png",
    ]
    assert all((reported.folder / page).is_file() for page in pages)
    for printed in (run, re.sub(r"(\nmake(\[\d+\])?: .+)+\n$", "\n", report)):
        *_, first, last = printed.rstrip("\n").splitlines()
        assert "1 of 3 models could not be read" in first
        assert last.startswith("  cut: models/cut.safetensors: ")


def test_a_run_that_compares_nothing_says_what_is_missing(atlas: Atlas) -> None:
    factory.diffusers_folder(atlas.folder, BASE)
    atlas.models["own"] = {"path": "."}
    done = atlas.run(distances={"shards": 1})
    assert done.success, done.output
    assert "  results/models.md  what each file holds\n\nroster.yaml has one model" in done.output
    assert done.output.endswith("and none to compare it with: add another.\n")


def plan(folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    """Plan targets in a folder, with no roster given."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    return subprocess.run(
        [*command, "--cores", "1", "--dry-run", *targets],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("target", ["", "groups", "results/groups/terrain/identity.md"])
def test_without_a_roster_two_lines_tell_how_to_get_one(tmp_path: Path, target: str) -> None:
    done = plan(tmp_path, *filter(None, [target]))
    assert done.returncode != 0
    assert done.stderr.splitlines()[-3:] == [
        "",
        "There is no roster. Of your own checkpoints: make roster DIR=/path/to/checkpoints",
        "Of small real models, with the demo's: make demo",
    ]
    assert "terrain-041" not in done.stdout + done.stderr


def test_macs_need_no_roster(tmp_path: Path) -> None:
    done = plan(tmp_path, "macs", "architectures")
    assert done.returncode == 0, done.stderr
    assert "fingerprint" not in done.stdout + done.stderr


def test_published_matrices_need_no_models(atlas: Atlas) -> None:
    (atlas.folder / "published.json").write_text("{}")
    (atlas.folder / "roster.yaml").write_text("groups: {am: {matrices: published.json}}\n")
    done = plan(atlas.folder)
    assert done.returncode == 0, done.stderr
    jobs = jobs_of(done.stdout + done.stderr)
    assert set(jobs) == {"all", "import_matrices", "export_notebook", "plot_group"}
