"""What jobs took is read as Snakemake writes it, and summed up by rule beside what was declared."""

import csv
import io
import logging
from pathlib import Path

import pytest
from snakemake.benchmark import BenchmarkRecord

from atlas.benchmarks import records, summary
from atlas.benchmarks.declared import Declared
from atlas.benchmarks.records import SAMPLED_FROM, Record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder of benchmarks."""
    return tmp_path / "benchmarks"


def lay(folder: Path, job: str, seconds: float, mem_mb: float | None = None) -> None:
    """Write a benchmark by Snakemake's own writer."""
    record = BenchmarkRecord(running_time=seconds, max_rss=mem_mb, cpu_time=seconds / 2)
    record.data_collected = mem_mb is not None
    record.process_gone = True
    file = folder / f"{job}.tsv"
    file.parent.mkdir(parents=True, exist_ok=True)
    header = "\t".join(BenchmarkRecord.get_header())
    file.write_text(f"{header}\n{record.to_tsv(extended_fmt=False)}\n")


def granted(job: str, mem_mb: int, minutes: int) -> Declared:
    """Return what a job was granted."""
    return Declared(f"benchmarks/{job}.tsv", mem_mb, minutes, 1, 0)


def test_a_job_stands_beside_what_it_was_granted(folder: Path) -> None:
    lay(folder, "compare_pair/a/b", 90.0, 500.0)
    (found,) = records.read(folder, [granted("compare_pair/a/b", 2000, 10)])
    assert (found.rule, found.job) == ("compare_pair", "compare_pair/a/b")
    assert found.mem_share == 0.25
    assert found.time_share == 0.15


def test_memory_that_could_not_be_seen_is_none(folder: Path) -> None:
    lay(folder, "a/short", SAMPLED_FROM - 0.01, 7.0)
    lay(folder, "a/unseen", 60.0)
    lay(folder, "a/seen", SAMPLED_FROM, 7.0)
    found = {each.job: each.mem_mb for each in records.read(folder, [])}
    assert found == {"a/short": None, "a/unseen": None, "a/seen": 7.0}


@pytest.mark.parametrize("text", ["s\tmax_rss\n1.0\t5\n", "s\n\x00\n", "\xff", "s\tmax_rss\nx\ty"])
def test_what_is_no_benchmark_is_left_out_by_name(
    folder: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    lay(folder, "a/whole", 5.0, 100.0)
    (folder / "a" / "cut.tsv").write_text(text, encoding="latin-1")
    with caplog.at_level(logging.WARNING):
        assert [each.job for each in records.read(folder, [])] == ["a/whole"]
    assert "a/cut.tsv is left out" in caplog.text


def record(
    job: str, seconds: float, mem_mb: float | None, limits: tuple[int, int] | None
) -> Record:
    """Return a record of a job of the rule that its name begins with."""
    declared = granted(job, *limits) if limits else None
    return Record(job.partition("/")[0], job, seconds, None, mem_mb, declared)


def test_a_rule_is_judged_by_the_job_closest_to_its_limit() -> None:
    small = record("a/small", 30.0, 90.0, (100, 1))
    large = record("a/large", 60.0, 500.0, (1000, 10))
    (row,) = summary.summarised([small, large])
    assert (row.largest, row.mem_share) == ("a/small", 0.9)
    assert (row.longest, row.time_share) == ("a/small", 0.5)
    assert (row.jobs, row.seconds, row.seconds_median) == (2, 90.0, 45.0)


def test_a_job_without_a_limit_counts_where_none_has_one() -> None:
    (row,) = summary.summarised([record("a/1", 5.0, 10.0, None), record("a/2", 9.0, 8.0, None)])
    assert (row.longest, row.largest) == ("a/2", "a/1")
    assert row.mem_share is row.time_share is row.declared_mem_mb is None


def test_rules_that_took_most_stand_first() -> None:
    took = {"a/1": 5.0, "b/1": 3.0, "b/2": 3.0}
    rows = summary.summarised([record(job, time, None, None) for job, time in took.items()])
    assert [row.rule for row in rows] == ["b", "a"]


def test_the_table_is_read_back_with_empty_cells_for_what_was_not_seen() -> None:
    rows = summary.summarised(
        [record("a/1", 12345.678, 1234.56, (2000, 600)), record("b/1", 0.5, None, None)]
    )
    a, b = csv.DictReader(io.StringIO(summary.as_csv(rows)))
    assert (a["seconds"], a["mem_mb_largest"], a["mem_share"]) == ("12346", "1235", "0.6173")
    assert b["mem_mb_largest"] == b["declared_mem_mb"] == b["mem_share"] == b["largest"] == ""
    assert b["sampled"] == "0"
