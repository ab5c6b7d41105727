"""Plans tell bytes, memory and work as slow obvious ways do, and follow the settings."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

import planned_networks
from atlas.activations import plan_bytes, plan_files, plan_forward, plan_room, plan_summary
from atlas.activations.plan import Plan, planned
from atlas.activations.plan_assumptions import assumed
from atlas.activations.plan_bytes import Picture
from atlas.activations.probes.probe import Call
from atlas.basis.errors import AtlasError

script = importlib.import_module("activations.plan_activations")


def plan_of(*models, **changes) -> Plan:
    declared = planned_networks.dataset(*models, **changes)
    return planned(planned_networks.probes(declared), declared)


def test_bytes_of_a_sample_are_those_that_layers_give():
    network, kept = planned_networks.PlannedNetwork(), {}
    for name in ("down", "mid"):
        network.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: kept.update({name: output})
        )
    network(torch.zeros(1, 3, planned_networks.SIDE, planned_networks.SIDE))
    plan = plan_of(store="both", dtype="float16")
    for name, value in kept.items():
        assert plan.value("map of a sample", f"one, {name}") == value.half().nbytes
        means = value.flatten(2).mean(2)
        assert plan.value("mean of a sample", f"one, {name}") == means.nbytes


@pytest.mark.parametrize("samples", [5, 40])
def test_files_are_about_as_large_as_they_get(tmp_path, samples):
    layers = planned_networks.probes(planned_networks.dataset())["one"].layers()
    with h5py.File(tmp_path / "means.h5", "w", libver=("v110", "v110")) as file:
        for layer in layers:
            for time in "80", "0.5":
                file[f"{layer.name}/{time}"] = np.zeros((samples, layer.width), np.float32)
    for layer in layers:
        with h5py.File(tmp_path / f"{layer.name}.h5", "w", libver=("v110", "v110")) as file:
            for time in "80", "0.5":
                shape = (samples, *layer.shape)
                file.create_dataset(
                    time, data=np.zeros(shape, np.float16), chunks=(1, *layer.shape)
                )
    sizes = {path.stem: path.stat().st_size for path in tmp_path.iterdir()}
    assert plan_bytes.means_file(layers, 2, samples) == pytest.approx(sizes["means"], rel=0.2)
    maps = plan_bytes.maps_files(layers, 2, samples, "float16")
    assert maps == pytest.approx(sizes["down"] + sizes["mid"], rel=0.2)


@pytest.mark.parametrize("side", [16, 48, 100, 200, 400])
def test_a_picture_is_about_as_large_as_photographs_are(side):
    datasets = pytest.importorskip("sklearn.datasets")
    for photograph in datasets.load_sample_images().images:
        whole = Image.fromarray(photograph)
        file = io.BytesIO()
        whole.crop((0, 0, 427, 427)).resize((side, side)).save(file, "PNG", compress_level=4)
        assert 1 / 1.5 < Picture(side, side).png_bytes / len(file.getvalue()) < 1.5


def test_a_thumbnail_is_no_larger_than_64_pixels_and_never_enlarged():
    assert Picture(100, 200).as_thumbnail() == Picture(32, 64)
    assert Picture(30, 20, is_grey=True).as_thumbnail() == Picture(30, 20, is_grey=True)
    assert Picture(2, 1000).as_thumbnail().height == 1


def test_a_forward_takes_what_its_tensors_do():
    """Input and first layer, then first and second layer, are alive together."""
    probe = planned_networks.probes(planned_networks.dataset())["one"]
    image, wide, narrow = planned_networks.CHANNELS
    pixels = planned_networks.SIDE**2
    for batch in (1, 4):
        found = plan_forward.forward(probe, batch)
        values = image * pixels + wide * pixels // 4 + narrow * pixels // 4
        assert found.activation_bytes == 4 * batch * values
        assert found.macs == batch * pixels // 4 * (9 * image * wide + wide * narrow)


class DecodingProbe(planned_networks.PlannedProbe):
    """Runs both branches of guidance at once, and a decoder for each batch."""

    def inputs(self, batch):
        return super().inputs(2 * batch)

    def further_calls(self, batch):
        image = torch.empty(batch, 3, 128, 128, device="meta")
        return (Call(self.skeleton, "forward", {"x": image}),)


def test_a_decoder_counts_once_for_each_batch():
    declared = planned_networks.dataset(samples=20, chunk=20, batch=4)
    plain = planned(planned_networks.probes(declared), declared)
    guided = planned(planned_networks.probes(declared, DecodingProbe), declared)
    one, other = (
        plan_forward.forward(planned_networks.probes(declared, kind)["one"], 4)
        for kind in (planned_networks.PlannedProbe, DecodingProbe)
    )
    assert other.macs == 2 * one.macs
    assert (one.rows, other.rows) == (4, 8)
    # forwards are of samples: the same work whether branches run at once or not
    assert guided.value("operations") == plain.value("operations") + 5 * other.further_macs
    # 64 times the pixels of an image are more than the rows of a forward
    assert guided.value("activations") == 64 * plain.value("activations")


def test_whole_batches_are_drawn():
    assert plan_of(samples=20, chunk=8, batch=4).value("forwards") == 20 * planned_networks.FORWARDS
    assert plan_of(samples=5, chunk=8, batch=4).value("forwards") == 8 * planned_networks.FORWARDS
    # a chunk that begins within a batch draws all of it
    assert plan_of(samples=6, chunk=3, batch=4).value("forwards") == 12 * planned_networks.FORWARDS


def test_only_what_is_kept_is_planned():
    mean, both = plan_of(store="mean"), plan_of(store="both")
    assert not mean.has("map of a sample")
    assert mean.sum("chunks: maps") == 0
    assert mean.value("disk at most") < both.value("disk at most")
    assert not plan_of(images="none").has("image of a sample")
    assert plan_of(images="none").sum("chunks: images") == 0


def test_float32_maps_take_twice_the_bytes_of_float16():
    wide, narrow = (plan_of(store="maps", dtype=dtype) for dtype in ("float32", "float16"))
    assert wide.sum("map of a sample") == 2 * narrow.sum("map of a sample")


def test_maps_that_go_are_on_the_disk_at_most_and_not_in_the_end():
    kept, passing = (plan_of(store="maps", embed="maps", keep_raw=keep) for keep in (True, False))
    assert kept.value("disk in the end") == kept.value("disk at most")
    assert passing.value("disk at most") == kept.value("disk at most")
    gone = passing.value("disk at most") - passing.value("disk in the end")
    assert gone == passing.sum("chunks: maps") > 0


def test_the_disk_is_the_sum_of_all_files():
    plan = plan_of("one", "two", store="both")
    files = [
        row.value for row in plan.rows
        if row.quantity.startswith("chunks: ") or row.quantity.endswith((".csv", ".parquet"))
        or row.quantity in ("layers", "viewer.html")
    ]  # fmt: skip
    assert plan.value("disk at most") == sum(files)


def test_each_model_has_its_rows():
    one, two = plan_of("one"), plan_of("one", "two")
    assert two.value("jobs") == 2 * one.value("jobs")
    assert two.sum("forwards") == 2 * one.sum("forwards")
    assert two.value("chunks: means", "two") == one.value("chunks: means", "one")
    assert two.value("RAM of a job", "two") == one.value("RAM of a job", "one")


def test_real_images_are_more_jobs_and_files(tmp_path):
    drawn = plan_of()
    shown = plan_of(real={"folder": str(tmp_path), "samples": 16})
    assert shown.value("jobs") == drawn.value("jobs") + 2
    assert shown.sum("chunks: means") > drawn.sum("chunks: means")
    # each is shown to the network once at every noise level
    more = shown.sum("forwards") - drawn.sum("forwards")
    assert more == 16 * len(planned_networks.TIMES)


def test_a_gpu_takes_activations_from_the_ram():
    cpu, cuda = plan_of(batch=64), plan_of(batch=64, device="cuda")
    assert not cpu.has("VRAM of a job")
    context = assumed()["cuda"]["device"]
    held = cuda.value("weights") + cuda.value("activations") + context
    assert cuda.value("VRAM of a job") == held
    assert cuda.value("gpu") == 1
    assert cpu.value("gpu") == 0


def test_memory_grows_with_the_batch_and_the_maps():
    small, large = plan_of(batch=4), plan_of(batch=64, chunk=64)
    assert large.value("activations") == 16 * small.value("activations")
    grown = large.value("RAM of a job") - small.value("RAM of a job")
    assert grown > large.value("activations") - small.value("activations")
    assert plan_of(store="maps").value("kept") > plan_of(store="mean").value("kept")


def test_the_embedding_keeps_to_its_setting():
    settings = {"store": "maps", "embed": "maps", "samples": 20000, "chunk": 128}
    free, bound = (plan_of(**settings, memory_mb=limit) for limit in (10**6, 50))
    rows = {
        "free": free.value("RAM of the embedding"),
        "bound": bound.value("RAM of the embedding"),
    }
    assert rows["bound"] < rows["free"]
    less = plan_of(**settings, memory_mb=40).value("RAM of the embedding")
    assert rows["bound"] - less == 10 * 10**6


def test_a_grey_network_is_known_by_its_input():
    declared = planned_networks.dataset()
    grey = planned(planned_networks.probes(declared, grey=True), declared)
    assert grey.value("image of a sample") < plan_of().value("image of a sample")


def test_a_misspelt_layer_is_refused():
    with pytest.raises(AtlasError, match="there is no layer 'midd'; did you mean mid"):
        plan_of(layers=["midd"])


def test_resources_are_read_back_from_the_file(tmp_path):
    plan = plan_of("one", "two", store="both")
    plan_files.write(plan.rows, tmp_path / "plan.csv")
    read = plan_files.read(tmp_path / "plan.csv")
    needs = {(row.of, row.quantity): row.value for row in plan.rows}
    assert all(needs[rule, name] == value for rule in read for name, value in read[rule].items())
    needs = read["generate_activations"]
    assert needs["mem_mb"] * 10**6 > plan.value("RAM of a job")
    assert needs["disk_mb"] * 10**6 > plan.value("disk of a job")


def test_more_operations_take_longer():
    few, many = plan_of(), plan_of(samples=10**6, chunk=10**6)
    assert many.value("drawing") > few.value("drawing")
    assert many.value("runtime") > few.value("runtime")


def with_disk(monkeypatch, free):
    monkeypatch.setattr(plan_room.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def test_a_disk_that_is_too_small_is_told_before_the_start(tmp_path, monkeypatch):
    declared = planned_networks.dataset(store="both", dtype="float32", images="full")
    plan = planned(planned_networks.probes(declared), declared)
    needed = plan.value("disk at most")
    with_disk(monkeypatch, needed - 1)
    with pytest.raises(AtlasError) as caught:
        plan_room.require_room(plan, declared, tmp_path / "not" / "yet")
    told = str(caught.value)
    for part in (str(tmp_path), "small", "GB free", "store: mean", "dtype: float16",
                 "images: thumbnail", "fewer samples", "--directory"):  # fmt: skip
        assert part in told
    with_disk(monkeypatch, needed)
    plan_room.require_room(plan, declared, tmp_path)


def test_what_is_on_the_disk_already_needs_no_more_room(tmp_path, monkeypatch):
    declared = planned_networks.dataset()
    plan = planned(planned_networks.probes(declared), declared)
    with_disk(monkeypatch, plan.value("disk at most") - 1000)
    with pytest.raises(AtlasError, match="fewer samples"):
        plan_room.require_room(plan, declared, tmp_path)
    (tmp_path / "chunks").mkdir()
    (tmp_path / "chunks" / "made").write_bytes(bytes(1000))
    plan_room.require_room(plan, declared, tmp_path)


def test_remedies_are_those_that_help(tmp_path, monkeypatch):
    declared = planned_networks.dataset(store="mean")
    plan = planned(planned_networks.probes(declared), declared)
    with_disk(monkeypatch, 0)
    with pytest.raises(AtlasError) as caught:
        plan_room.require_room(plan, declared, tmp_path)
    assert "float16" not in str(caught.value)
    assert "store" not in str(caught.value)


def test_the_summary_says_what_matters():
    told = plan_summary.told(plan_of("one", "two"), planned_networks.dataset("one", "two"))
    assert told.startswith("small\n")
    assert "20 of each of 2: one, two" in told
    assert "6 of at most 8 samples; 120 forwards" in told
    assert "VRAM" not in told


def test_the_script_writes_plan_summary_and_dataset(tmp_path, monkeypatch):
    declared = planned_networks.dataset()
    probes = planned_networks.probes(declared)
    monkeypatch.setattr(script.opening, "probe_of", lambda _, model: probes[model])
    files = {name: tmp_path / name for name in ("plan.csv", "plan.txt", "dataset.json")}
    script.main(
        dataset=declared.plain(),
        plan=files["plan.csv"],
        summary=files["plan.txt"],
        record=files["dataset.json"],
    )
    assert script.datasets.from_plain(json.loads(files["dataset.json"].read_text())) == declared
    assert tuple(plan_files.rows(files["plan.csv"])) == planned(probes, declared).rows
    assert files["plan.txt"].read_text().startswith("small\n")


def test_the_page_tells_what_is_taken_for_granted():
    page = (Path(__file__).parents[3] / "docs" / "activation_plan.md").read_text(encoding="utf-8")
    own = assumed()
    megabytes = [*own["libraries"].values(), own["forward"]["bytes"], own["cuda"]["device"]]
    for value in megabytes:
        assert f"{value // 10**6} MB" in page
    room = own["room"]
    assert f"{room['memory']}, {room['disk']} and {room['time']} times" in page
    assert f"{own['forward']['times']} × activations" in page
    assert f"{own['speed']['cpu']} GMAC/s" in page
    assert f"{own['speed']['cuda']:,} for a GPU" in page
    assert f"UMAP, {own['umap']['sample'] // 1000} kB a sample" in page
