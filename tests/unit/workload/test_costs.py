"""What jobs cost follows from the rates that their limits are reckoned by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas.basis.shipped import load
from atlas.distances import resources
from atlas.workload import files, imagined
from atlas.workload.batches import Batch, from_plain, gathered
from atlas.workload.checkpoints import Checkpoint
from atlas.workload.costs import Extent, Rates, cost
from atlas.workload.pairs import alike
from atlas.workload.summary import TOTAL, largest, rows

FACTS = load("workload/costs")
START = FACTS["start_seconds"]
JOB = Batch("plot_group", "all", 1, 0, 2000, None, 20, 0)


def extent_of(models: int, **changed) -> Extent:
    """Return the extent of so many models of Stable Diffusion XL's size."""
    one = Checkpoint(6940.0, 2515, 3_470_000_000)
    pairs = alike(models, one)
    return Extent(
        models, models * one.size_mb, models * one.tensors, models * one.elements, pairs, **changed
    )


def test_fingerprints_cost_their_bytes():
    jobs = replace(JOB, rule="fingerprint", jobs=10, read_mb=69_400.0)
    found = cost(jobs, extent_of(10))
    assert found.seconds == pytest.approx(69_400 / resources.READ_MB_PER_SECOND + 10 * START)
    assert found.read_mb == 69_400
    quicker = cost(jobs, extent_of(10, rates=Rates(read_mb=1000.0)))
    assert quicker.seconds == pytest.approx(69.4 + 10 * START)


@pytest.mark.parametrize("threads", [1, 4])
def test_shards_cost_their_pairs_and_each_content_once(threads):
    extent = extent_of(100)
    jobs = replace(JOB, rule="measure_distances", threads=threads, jobs=16, models=100)
    found = cost(jobs, extent)
    elements = 3_470_000_000 * 100 * 99 // 2
    measuring = elements / (resources.PAIR_ELEMENTS_PER_SECOND * threads)
    assert found.seconds == pytest.approx(
        measuring + 694_000 / resources.READ_MB_PER_SECOND + 16 * START
    )
    assert found.written_mb == pytest.approx(2515 * 4950 * resources.ROW_BYTES / 1e6)


def test_limits_leave_room_for_what_the_plan_expects():
    for models, shards in ((10, 2), (232, 32), (1000, 64)):
        extent = extent_of(models)
        jobs = replace(JOB, rule="measure_distances", threads=2, jobs=shards, models=models)
        each = cost(jobs, extent).seconds / shards
        limit = resources.distances_minutes(
            models=models, size_mb=extent.size_mb, shards=shards, threads=2
        )
        assert each < limit * 60 < 4 * each + 1200


def test_a_group_of_some_models_adds_up_their_pairs_alone():
    extent = extent_of(100)
    all_of_them = cost(replace(JOB, rule="compare_group", models=100), extent)
    half = cost(replace(JOB, rule="compare_group", models=50), extent)
    assert (half.seconds - START) / (all_of_them.seconds - START) == pytest.approx(1225 / 4950)


def test_choosing_pairs_grows_with_all_pairs():
    choosing = replace(JOB, rule="choose_pairs", models=10_000)
    found = cost(choosing, extent_of(10_000)).seconds - START
    pairs = 10_000 * 9999 / 2
    expected = pairs * FACTS["sketch_pair_seconds"] + 10_000 * FACTS["sketch_read_seconds"]
    assert found == pytest.approx(expected)


def test_other_rules_take_what_they_took():
    extent = extent_of(10)
    typical = FACTS["typical_seconds"]["plot_group"]
    assert cost(JOB, extent).seconds == typical + START
    known = cost(replace(JOB, jobs=3), replace(extent, earlier={"plot_group": 50.0}))
    assert (known.seconds, known.how) == (3 * (50 + START), "earlier")
    at_most = cost(replace(JOB, rule="generate_activations", runtime=7), extent)
    assert (at_most.seconds, at_most.how) == (420, "limit")
    later = cost(replace(JOB, rule="generate_activations", runtime=None), extent)
    assert (later.seconds, later.how) == (START, "unknown")
    assert cost(replace(JOB, rule="all", mem_mb=None, runtime=None), extent).seconds == 0


def test_rows_add_up():
    batches = [
        replace(JOB, rule="fingerprint", jobs=3, done=1, read_mb=30.0, mem_mb=320, runtime=10),
        replace(JOB, jobs=2),
        replace(JOB, mem_mb=5000, models=9),
        replace(JOB, rule="measure_macs", target="macs", gpu=1, runtime=30, jobs=1),
        replace(JOB, rule="encode_words", target="embeddings", mem_mb=None, threads=2),
    ]
    found = rows(batches, extent_of(3))
    assert [(row.target, row.rule, row.jobs) for row in found] == [
        ("all", "fingerprint", 3),
        ("all", "plot_group", 3),
        ("all", TOTAL, 6),
        ("macs", "measure_macs", 1),
        ("macs", TOTAL, 1),
        ("embeddings", "encode_words", 1),
        ("embeddings", TOTAL, 1),
        ("", TOTAL, 8),
    ]
    everything = found[-1]
    singles = [row for row in found if row.rule != TOTAL]
    assert everything.core_hours == pytest.approx(sum(row.core_hours for row in singles))
    assert everything.gpu_hours == 0.5
    assert everything.done == 1
    fingerprints = found[0]
    assert fingerprints.core_hours_left == pytest.approx(fingerprints.core_hours * 2 / 3)
    assert found[1].mem_mb == 5000
    assert found[5].mem_mb is None
    assert largest(found, "mem_mb") == found[1]
    assert largest(found, "runtime") == found[3]


def test_jobs_that_ask_for_the_same_are_one_batch():
    jobs = [replace(JOB, done=number % 2, read_mb=1.0) for number in range(5)]
    (batch,) = gathered(jobs)
    assert (batch.jobs, batch.done, batch.left, batch.read_mb) == (5, 2, 3, 5.0)
    assert len(gathered([*jobs, replace(JOB, mem_mb=1)])) == 2
    assert from_plain([batch.plain()]) == [batch]


def test_large_files_are_foreseen():
    def size(file: str) -> float:
        return files.expected_mb(Path("results", file), models=100, pairs=4950, shards=4)

    assert size("distances/1.parquet") * 4 == pytest.approx(
        4950 * resources.TENSORS * resources.ROW_BYTES / 1e6
    )
    # each content stands in one shard's table, and in its model's fingerprint
    assert size("contents/1.parquet") * 4 == pytest.approx(size("fingerprints/a.parquet") * 100)
    assert size("models.csv") == 0


def test_an_imagined_roster_needs_a_size(tmp_path):
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"0" * 1000)
    large.write_bytes(b"0" * 3000)
    assert files.imagined_mb(6.9, {}) == 6900
    present = {"a": [str(small)], "b": [str(large)], "c": [str(tmp_path / "absent")]}
    assert files.imagined_mb(None, present) == 0.001
    with pytest.raises(AtlasError, match="size_gb"):
        files.imagined_mb(None, {"c": [str(tmp_path / "absent")]})


def test_an_imagined_roster_has_one_group():
    roster = imagined.roster(5)
    assert roster.groups["all"].models == tuple(roster.models)
    assert all(imagined.is_imagined(model.path) for model in roster.models.values())
    assert imagined.roster(1).groups == {}
    config = load("config") | {"activations": {"faces": {"model": "a"}}}
    config = config | {"macs": {"architectures": ["a"]}, "architectures": {"names": ["sdxl"]}}
    told = imagined.settings(config, present={"a"})
    assert told["activations"] == {}
    assert told["macs"]["architectures"] == "all"
    assert told["architectures"]["names"] == ["sdxl"]
    assert config["macs"]["architectures"] == ["a"]
