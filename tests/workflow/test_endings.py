"""What a run says last: what to open, what is lacking, what is broken, how to get a roster."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import factory
import reports
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
    report = reports.read(reported.folder / "results" / "report.html")
    assert "results/benchmarks.png" in report.results


def test_a_failed_run_names_what_to_open_and_the_broken_last_of_all(reported: Made) -> None:
    _, run, _, report = reported.output.split("Using workflow specific profile")
    pages = re.findall(r"^  (\S+)", OPENED.findall(run)[0], re.M)
    assert pages[:3] == [
        "results/atlas.html",
        "results/groups/all/atlas.html",
        "results/groups/all/recipes.html",
    ]
    assert all((reported.folder / page).is_file() for page in pages)
    for printed in (run, re.sub(r"(\nmake(\[\d+\])?: .+)+\n$", "\n", report)):
        *_, first, last = printed.rstrip("\n").splitlines()
        assert "1 of 3 models could not be read" in first
        assert last.startswith("  cut: models/cut.safetensors: ")


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Return a roster with a broken file, and with published matrices that none can read."""
    atlas = Atlas(tmp_path_factory.mktemp("failing"))
    (atlas.folder / "cut.safetensors").write_bytes(b"x")
    (atlas.folder / "published.json").write_text("{}")
    atlas.models["cut"] = {"path": "cut.safetensors"}
    atlas.groups["published"] = {"matrices": "published.json"}
    return atlas


FAULT = "published.json: not the notebook's form"
FAILED = ("results/groups/published/matrices", "results/.models_checked")


def paragraphs_after_the_error(output: str) -> list[str]:
    """Return what is said behind Snakemake's own last words."""
    *_, said = output.split("At least one job did not complete successfully.\n")
    return [text.strip("\n") for text in said.split("\n\n") if text.strip()]


def test_a_failed_job_is_named_with_its_log_before_what_is_broken(failing: Atlas) -> None:
    done = failing.run(*FAILED)
    assert not done.success
    _, failed, broken = paragraphs_after_the_error(done.output)
    first, job, line = failed.splitlines()
    assert first == "1 job failed; the end of each log:"
    assert job == "  import_matrices (group=published): logs/import_matrices/published.log"
    assert FAULT in line
    assert broken.startswith("1 of 1 models could not be read")
    assert done.output.count(FAULT) == 2, "as it happens and at the end: no third time"


def test_on_a_terminal_nothing_is_written_across_the_bars(failing: Atlas) -> None:
    command = shlex.join(failing.command(*FAILED, options=("--logger", "rich")))
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", f"stty cols 200; {command}", "/dev/null"],
        cwd=failing.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "Workflow Progress" in done.stdout, "bars are drawn"
    printed = done.stdout.replace("\r\n", "\n")
    before, _, ended = printed.partition("Log file: logs/import_matrices/published.log")
    assert FAULT not in before, "a job's own words"
    assert ended.count(FAULT) == 2, "its log, and the run's last words"
    assert paragraphs_after_the_error(printed)[-1].startswith("1 of 1 models could not be read")


def test_make_asks_for_bars_on_a_terminal_alone(tmp_path: Path) -> None:
    folder = link_workflow(tmp_path / "workflow")
    command = "make --dry-run demo BIN=bin READY=ready"
    told = {
        "file": ["bash", "-c", command],
        "terminal": ["script", "--quiet", "--return", "--command", command, "/dev/null"],
    }
    said = {
        place: subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
        ).stdout
        for place, words in told.items()
    }
    assert "--logger rich" not in said["file"]
    assert "--logger rich --cores" in said["terminal"]


def test_a_run_that_compares_nothing_says_what_is_missing(atlas: Atlas) -> None:
    factory.diffusers_folder(atlas.folder, BASE)
    atlas.models["own"] = {"path": "."}
    done = atlas.run(distances={"shards": 1})
    assert done.success, done.output
    assert "  results/models.md   what each file holds\n\nroster.yaml has one model" in done.output
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


PAGES = {"write_atlas", "write_index"}
LINEAGE = {"fit_recipes", "write_recipes", "plot_recipes", "trace_lineage", "draw_lineage"}


def test_published_matrices_need_no_models(atlas: Atlas) -> None:
    (atlas.folder / "published.json").write_text("{}")
    (atlas.folder / "roster.yaml").write_text("groups: {am: {matrices: published.json}}\n")
    done = plan(atlas.folder)
    assert done.returncode == 0, done.stderr
    jobs = jobs_of(done.stdout + done.stderr)
    assert (
        set(jobs) == {"all", "import_matrices", "export_notebook", "plot_group"} | PAGES | LINEAGE
    )
