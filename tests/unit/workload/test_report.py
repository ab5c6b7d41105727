"""A plan reads the same as text, page and table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from atlas.workload import earlier, report
from atlas.workload.batches import Batch
from atlas.workload.planning import planned

NOWHERE = Path("there is no such folder")
NO_RATES = {"read_mb_per_second": None, "pair_elements_per_second": None}
JOBS = [
    Batch("fingerprint", "all", 1, 0, 320, None, 12, 0, jobs=1000, read_mb=6.9e6),
    Batch("measure_distances", "all", 2, 1, 803, 3522, 271, 0, jobs=64),
    Batch("all", "all", 1, 0, None, None, None, 0),
    Batch("encode_words", "embeddings", 2, 0, None, None, 60, 0),
]


def plan_of(models: int = 1000, size_mb: float | None = 6900.0, **changed):
    roster = {"present": {}, "size_mb": size_mb, "models": models, "measured": None}
    return planned(JOBS, roster | {"rates": NO_RATES} | changed, results=NOWHERE, earlier={})


def test_a_plan_in_a_terminal():
    lines = report.text(plan_of()).splitlines()
    assert " ".join(lines[:3]) == (
        "The plan of a run of 1,000 imagined models of 6.9 GB - 499,500 pairs of models; at most "
        "1.5e9 pairs of contents and 1.7e15 pairs of elements, as if every   tensor differed"
    )
    assert lines[3].startswith("- 1,066 jobs, of which 0 have made their files; 298 core-hours, ")
    assert lines[4:6] == [
        "- 13.8 TB of checkpoints read, 75.5 GB written",
        "- the largest job: measure_distances, 803 MB of memory",
    ]
    start = next(number for number, line in enumerate(lines) if line.startswith("  rule"))
    table = [line for line in lines[start:] if line.startswith("  ")]
    assert max(map(len, lines)) <= 110
    shards = next(line for line in table if line.startswith("  measure_distances"))
    for cell in ("rule", "jobs", "memory", "ends after", "core-hours", "GPUs"):
        assert cell in table[0]
    ends = [table[0].index(cell) + len(cell) for cell in ("jobs", "memory", "ends after", "reads")]
    assert [shards[:end].split()[-1] for end in ends] == ["64", "MB", "h", "TB"]
    assert "later" in next(line for line in table if line.startswith("  encode_words"))


def test_a_table_has_a_row_for_each_rule_and_sums():
    rows = list(csv.DictReader(io.StringIO(report.table(plan_of()))))
    assert [(row["target"], row["rule"]) for row in rows] == [
        ("all", "fingerprint"),
        ("all", "measure_distances"),
        ("all", "all"),
        ("all", "total"),
        ("embeddings", "encode_words"),
        ("embeddings", "total"),
        ("", "total"),
    ]
    assert rows[4]["mem_mb"] == ""
    assert float(rows[0]["core_hours"]) == round((6.9e6 / 100 + 1000 * 3) / 3600, 4)
    assert int(rows[-1]["jobs"]) == 1066


def test_a_page_has_all_rows():
    page = report.page(plan_of())
    assert page.startswith("# The plan of a run of 1,000 imagined models of 6.9 GB\n")
    for heading in ("## all\n", "## embeddings\n", "## all of these\n"):
        assert heading in page
    assert "| measure_distances | 64 | 0 | 2 | 1 |" in page.replace("\\_", "_")


def test_a_run_without_a_roster_has_no_pairs():
    text = report.text(plan_of(models=0, size_mb=None))
    assert text.startswith("The plan of a run without a roster\n- 0 pairs of models; 0 pairs of")


def test_chosen_pairs_are_told_as_such():
    (first, *_) = report.findings(plan_of(measured=50_000))
    assert first.startswith("at most 50,000 of 499,500 pairs of models; at most 150,000,000 pairs")


def test_rates_of_the_settings_are_taken():
    rates = {"read_mb_per_second": 1000, "pair_elements_per_second": 8e9}
    quick, slow = plan_of(rates=rates), plan_of()
    assert quick.rows[-1].core_hours < slow.rows[-1].core_hours / 3
    assert "1,000 MB/s a job and measuring with 8e+09" in " ".join(report.reckoned(quick))


def test_earlier_jobs_are_found(tmp_path):
    for name, seconds in (("all/1", "2.0"), ("all/2", "4.0"), ("all/3", "9.0"), ("all/4", "")):
        file = tmp_path / "plot_group" / f"{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")
    (tmp_path / "plot_pair.tsv").write_text("")
    assert earlier.seconds(tmp_path) == {"plot_group": 4.0}
    assert earlier.seconds(tmp_path / "absent") == {}
