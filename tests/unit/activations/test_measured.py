"""Plans are held against what chunks, files and the embedding took."""

from __future__ import annotations

import csv
import importlib
import json
import logging

import pytest

import planned_networks
from atlas.activations import measured, plan_files
from atlas.activations.measured import compared
from atlas.activations.plan import planned
from atlas.activations.plan_assumptions import assumed
from atlas.basis.errors import AtlasError

script = importlib.import_module("activations.compare_plan")


def plan_of(*models, **changes):
    declared = planned_networks.dataset(*models, **changes)
    return planned(planned_networks.probes(declared), declared)


def records(plan, times=1.0, models=("one",), device=0):
    """Return records of two chunks of each model that took so many times what was planned."""
    return [
        {
            "model": model,
            "chunk": chunk,
            "seconds": {"load": 1.0, "draw": 2.0, "write": 0.5},
            "peak_rss_bytes": plan.value("RAM of a job", model) * times,
            "peak_device_bytes": device,
            "bytes": {
                kind: plan.value(f"chunks: {kind}", model) * times / 2 for kind in measured.KINDS
            },
        }
        for model in models
        for chunk in ("0000", "0001")
    ]


def estimates(found):
    return [each for each in found if each.kind == "estimate"]


@pytest.mark.parametrize(
    ("times", "is_within"), [(1, True), (1.49, True), (0.68, True), (1.6, False), (0.6, False)]
)
def test_a_figure_holds_within_one_and_a_half_times_either_way(times, is_within):
    plan = plan_of("one", "two", store="both")
    found = estimates(compared(plan.rows, records(plan, times, ("one", "two"))))
    assert {each.of for each in found} == {"one", "two"}
    assert len(found) == 2 * 5
    for each in found:
        assert each.is_within == is_within
        assert each.ratio == pytest.approx(1 / times, rel=1e-2)


def test_chunks_add_up_and_the_largest_memory_counts():
    plan = plan_of()
    told = records(plan)
    told[1]["peak_rss_bytes"] = 2 * told[0]["peak_rss_bytes"]
    found = {each.quantity: each for each in compared(plan.rows, told)}
    assert found["chunks: means"].measured == sum(each["bytes"]["means"] for each in told)
    assert found["RAM of a job"].measured == told[1]["peak_rss_bytes"]
    assert found["drawing"].measured == 7.0


def test_what_is_neither_planned_nor_there_is_left_out():
    plan = plan_of(store="mean")
    assert "chunks: maps" not in {each.quantity for each in compared(plan.rows, records(plan))}


def test_planned_maps_that_were_not_written_are_told():
    plan = plan_of(store="both")
    told = records(plan)
    for each in told:
        each["bytes"]["maps"] = 0
    found = {each.quantity: each for each in compared(plan.rows, told)}
    assert not found["chunks: maps"].is_within


def test_a_gpu_holds_its_context_too():
    plan = plan_of(device="cuda")
    used = plan.value("VRAM of a job") - assumed()["cuda"]["device"]
    found = {each.quantity: each for each in compared(plan.rows, records(plan, device=used))}
    assert found["VRAM of a job"].ratio == 1


def test_a_bound_holds_from_above_alone():
    plan = plan_of()
    bound = plan.value("viewer.html")
    sizes = [bound // 100, bound, bound + 1]
    found = [compared(plan.rows, [], sizes={"viewer.html": size})[0] for size in sizes]
    assert [each.is_within for each in found] == [True, True, False]


def test_files_of_other_names_are_passed_over():
    plan = plan_of()
    found = compared(plan.rows, [], sizes={"umap.csv": plan.value("umap.csv"), "map.png": 5})
    assert [(each.quantity, each.is_within) for each in found] == [("umap.csv", True)]


def test_another_datasets_records_are_refused():
    plan = plan_of("one")
    told = [each | {"model": "three"} for each in records(plan)]
    with pytest.raises(AtlasError, match="of three, which was measured"):
        compared(plan.rows, told)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": "one"}', "nothing"])
def test_a_broken_record_is_refused(tmp_path, text):
    (tmp_path / "0000.json").write_text(text)
    with pytest.raises(AtlasError, match=r"0000.json: is no record of a chunk"):
        measured.read_record(tmp_path / "0000.json")


def test_what_the_embedding_took_is_read(tmp_path):
    path = tmp_path / "embedding.json"
    assert measured.read_peak(path) is None
    path.write_text(json.dumps({"peak_rss_bytes": 450 * 2**20}))
    assert measured.read_peak(path) == 450


def test_the_script_writes_the_table_and_tells_what_does_not_hold(tmp_path, caplog):
    plan = plan_of()
    plan_files.write(plan.rows, tmp_path / "plan.csv")
    told = records(plan)
    told[0]["bytes"]["images"] *= 10
    files = []
    for each in told:
        files.append(tmp_path / f"{each['chunk']}.json")
        files[-1].write_text(json.dumps(each))
    embedding = tmp_path / "embedding.json"
    embedding.write_text(json.dumps({"peak_rss_bytes": plan.value("RAM of the embedding")}))
    (tmp_path / "umap.csv").write_bytes(bytes(plan.value("umap.csv")))
    with caplog.at_level(logging.WARNING):
        script.main(
            plan=tmp_path / "plan.csv",
            records=files,
            made=[tmp_path / "umap.csv"],
            embedding=embedding,
            table=tmp_path / "compared.csv",
        )
    rows = list(csv.DictReader((tmp_path / "compared.csv").open(encoding="utf-8")))
    assert {row["quantity"] for row in rows if row["kind"] == "estimate"} == {
        "chunks: samples", "chunks: means", "chunks: images", "RAM of a job", "umap.csv",
        "RAM of the embedding",
    }  # fmt: skip
    failing = [row["quantity"] for row in rows if row["kind"] == "estimate"
               and row["is_within"] != "True"]  # fmt: skip
    assert failing == ["chunks: images"]
    assert [record.getMessage().split(" of ")[0] for record in caplog.records] == ["chunks: images"]
