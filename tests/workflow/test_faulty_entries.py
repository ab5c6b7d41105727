"""Entries that fail end a run with their names; a key that nobody knows makes figures doubtful."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from workflow_runs import REPOSITORY, Atlas, Run

ENTRY = (REPOSITORY / "tests" / "architectures" / "pocket_unet.yaml").read_text()
TYPO = ENTRY.replace("layers_per_block", "layer_per_block", 1)
BROKEN = ENTRY.replace("UNet2DConditionModel", "UNet2DConditionModle")
UNKNOWN = "does not know the key layer_per_block and ignores it; did you mean layers_per_block?"


@dataclass(frozen=True)
class Made:
    """A run on entries of one's own, and where it was."""

    run: Run
    results: Path


def run(folder: Path, entries: dict[str, str], *targets: str) -> Made:
    """Make targets of entries by name."""
    atlas = Atlas(folder)
    # A roster without models, as neither wing needs any.
    (atlas.folder / "published.json").write_text("{}")
    atlas.groups["published"] = {"matrices": "published.json"}
    for name, text in entries.items():
        (atlas.folder / f"{name}.yaml").write_text(text.replace("Pocket UNet", name.title()))
    names = [f"{name}.yaml" for name in entries]
    settings = {
        "architectures": {"names": names, "sides": [64]},
        "macs": {"architectures": names, "resolutions": [[64, 64], [128, 128]]},
    }
    done = atlas.run(*targets, **settings)
    return Made(done, atlas.folder / "results")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a run on a sound entry, one with a misspelt key, and one of an unknown class."""
    entries = {"sound": ENTRY, "typo": TYPO, "broken": BROKEN}
    return run(tmp_path_factory.mktemp("faulty"), entries, "macs", "architectures")


def rows(table: Path, name: str) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["architecture"] == name]


def test_a_run_with_a_failed_entry_fails_and_names_it_last(faulty: Made) -> None:
    assert not faulty.run.success
    *_, doubtful, failed = faulty.run.output.rstrip().split("\n\n")
    first, named = failed.splitlines()
    assert first.startswith("1 of 3 architectures failed; the others' tables are made")
    assert named.startswith("  broken: ")
    assert "did you mean UNet2DConditionModel?" in named
    first, named = doubtful.splitlines()
    assert first.startswith("The figures of 1 of 3 architectures are doubtful")
    assert named.startswith("  typo: ")
    assert UNKNOWN in named
    assert "Traceback" not in faulty.run.output


@pytest.mark.parametrize("table", ["architectures/summary", "architectures/memory", "macs/summary"])
def test_all_summaries_tell_the_problem_and_the_figures_of_the_others(
    faulty: Made, table: str
) -> None:
    path = faulty.results / f"{table}.csv"
    assert any(UNKNOWN in row["problem"] for row in rows(path, "typo"))
    sound = rows(path, "sound")
    assert sound
    assert not any(row["problem"] for row in sound)
    if not table.endswith("memory"):
        for broken in rows(path, "broken"):
            assert broken["status"] == "failed"
            assert "has no class UNet2DConditionModle" in broken["problem"]


@pytest.mark.parametrize("wing", ["architectures", "macs"])
def test_pages_tell_the_problem(faulty: Made, wing: str) -> None:
    for suffix in ("md", "html"):
        page = (faulty.results / wing / f"summary.{suffix}").read_text().replace("\\", "")
        assert UNKNOWN in page
        assert "UNet2DConditionModle" in page


def test_a_doubtful_entry_is_not_quoted(faulty: Made) -> None:
    found = (faulty.results / "macs" / "findings.txt").read_text().splitlines()
    told = [line for line in found if "Typo" in line or "typo" in line]
    assert [line for line in told if not line.startswith("Doubtful, and not compared: ")] == []
    assert len(told) == 1


def test_a_doubtful_entry_alone_fails_no_run(tmp_path: Path) -> None:
    mark = "results/architectures/.checked"
    done = run(tmp_path, {"sound": ENTRY, "typo": TYPO}, mark).run
    assert done.success, done.output
    assert done.output.rstrip().splitlines()[-1].startswith("  typo: ")
