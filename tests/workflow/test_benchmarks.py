"""The summary of benchmarks reads what is there: it makes nothing, and runs on demand alone."""

import csv
from pathlib import Path

import pytest

import factory
from workflow_runs import Atlas

SUMMARY = {"summarise_benchmarks": 1, "benchmarks": 1}


@pytest.fixture(scope="module")
def fingerprinted(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Return a roster of two models, one of which is fingerprinted."""
    atlas = Atlas(tmp_path_factory.mktemp("fingerprinted"))
    for name in ("base", "other"):
        factory.diffusers_folder(atlas.folder / name, factory.weights(seed=1))
        atlas.models[name] = {"path": name}
    done = atlas.run("results/fingerprints/base.parquet")
    assert done.success, done.output
    return atlas


def rows(file: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_run_keeps_what_its_jobs_were_granted(fingerprinted: Atlas) -> None:
    (kept,) = rows(fingerprinted.folder / "benchmarks" / "declared.csv")
    assert kept["benchmark"] == "benchmarks/fingerprint/base.tsv"
    assert int(kept["mem_mb"]) > 0
    assert (kept["minutes"], kept["threads"], kept["gpus"]) == ("2", "1", "0")


def test_no_other_job_is_made_for_the_summary(fingerprinted: Atlas) -> None:
    done = fingerprinted.run("benchmarks")
    assert done.success, done.output
    assert done.jobs == SUMMARY
    (row,) = rows(fingerprinted.folder / "results" / "benchmarks.csv")
    assert (row["rule"], row["jobs"], row["longest"]) == ("fingerprint", "1", "fingerprint/base")
    assert float(row["time_share"]) == pytest.approx(float(row["seconds_longest"]) / 120, rel=0.01)
    assert (fingerprinted.folder / "results" / "benchmarks.png").is_file()


def test_it_runs_again_where_more_was_measured_and_never_by_itself(fingerprinted: Atlas) -> None:
    assert fingerprinted.run("benchmarks").jobs == {}
    more = fingerprinted.run("results/fingerprints/other.parquet")
    assert more.jobs == {"fingerprint": 1}
    assert fingerprinted.run("benchmarks").jobs == SUMMARY
    (row,) = rows(fingerprinted.folder / "results" / "benchmarks.csv")
    assert row["jobs"] == "2"


def test_where_nothing_was_measured_that_is_said(atlas: Atlas) -> None:
    factory.diffusers_folder(atlas.folder, factory.weights(seed=1))
    atlas.models["own"] = {"path": "."}
    done = atlas.run("benchmarks")
    assert not done.success
    assert "benchmarks/ holds no benchmarks: make something first" in done.output
    assert done.output.rstrip().splitlines()[-2].startswith("  summarise_benchmarks: logs/")
