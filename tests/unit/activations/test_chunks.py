"""Chunks hold the same samples however they are cut, and are noticed when they are damaged."""

from __future__ import annotations

import dataclasses
import json
import logging

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

import pocket_probe
from atlas.activations import chunks, datasets, exporting, images, layer_files
from atlas.activations.collection import collected, opened
from atlas.activations.drawing import device_of
from atlas.activations.places import Places
from atlas.basis.errors import AtlasError
from atlas.basis.sealing import DamagedFileError
from pocket_chunks import made


def all_values(places):
    """Return maps, means and rows of the samples of all chunks."""
    found = collected(places)
    values = {
        (layer, time, of): found.rows("pocket", layer, time, of)[0:100]
        for layer in ("first", "second")
        for time in found.times
        for of in ("mean", "maps")
    }
    return values, found.table().drop_columns(["image"]).to_pylist()


def pngs(places):
    return [file.read_bytes() for each in places for file in sorted(each.folder.rglob("*.png"))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("whole"), pocket_probe.dataset())


def test_one_chunk_of_forty_equals_eight_of_five_in_any_order_bit_for_bit(whole, tmp_path):
    cut = pocket_probe.dataset(chunk=5)
    places = made(tmp_path, cut, names=cut.chunks[::-1])[::-1]
    assert len(places) == 8
    values, rows = all_values(places)
    expected, expected_rows = all_values(whole)
    assert rows == expected_rows
    for key, array in expected.items():
        np.testing.assert_array_equal(values[key], array)
    assert pngs(places) == pngs(whole)


def test_a_chunk_made_again_has_equal_bytes(whole, tmp_path):
    again = made(tmp_path, pocket_probe.dataset())
    files = {file.relative_to(again[0].folder) for file in again[0].folder.rglob("*.*")}
    assert len(files) == 40 + 2 + 2  # images, two layers, means and the table
    for file in files:
        assert (again[0].folder / file).read_bytes() == (whole[0].folder / file).read_bytes()


def test_more_samples_change_no_sample_that_there_was(whole, tmp_path):
    more = made(tmp_path, pocket_probe.dataset(samples=44, chunk=11))
    values, rows = all_values(more)
    expected, expected_rows = all_values(whole)
    assert rows[: len(expected_rows)] == expected_rows
    for key, array in expected.items():
        np.testing.assert_array_equal(values[key][:40], array)


def test_another_seed_is_other_samples(whole, tmp_path):
    other = made(tmp_path, pocket_probe.dataset(seed=1, samples=8, chunk=8))
    values, rows = all_values(other)
    expected, expected_rows = all_values(whole)
    for key, array in expected.items():
        assert not np.allclose(values[key], array[:8])
    assert not {row["seed"] for row in rows} & {row["seed"] for row in expected_rows}


def test_means_are_those_of_the_maps_and_rows_tell_their_size(whole):
    values, rows = all_values(whole)
    for layer in ("first", "second"):
        maps = values[layer, 2.0, "maps"]
        means = maps.mean((2, 3), dtype=np.float64)
        np.testing.assert_allclose(values[layer, 2.0, "mean"], means, rtol=1e-4, atol=1e-6)
        told = [row[f"rms {layer}"] for row in rows if row["timestep"] == 2.0]
        rms = np.sqrt((maps.astype(np.float64) ** 2).mean((1, 2, 3)))
        np.testing.assert_allclose(told, rms, rtol=1e-5)


def test_layer_files_show_maps_of_all_chunks_and_name_the_rows(tmp_path):
    dataset = pocket_probe.dataset(samples=11, chunk=4)
    found = collected(made(tmp_path / "chunks", dataset))
    (tmp_path / "layers").mkdir()
    layer_files.write(found, "second", tmp_path / "layers/second.h5")
    values, rows = all_values(made(tmp_path / "again", dataset))
    with h5py.File(tmp_path / "layers/second.h5") as file:
        np.testing.assert_array_equal(
            file["pocket/0.5/maps"][:], values["second", 0.5, "maps"], strict=True
        )
        np.testing.assert_array_equal(
            file["pocket/0.5/mean"][:], values["second", 0.5, "mean"], strict=True
        )
        ids = [name.decode() for name in file["pocket/ids"][:]]
    assert ids == [row["id"] for row in rows[::2]]
    assert ids[-1] == "pocket/000010"


def test_real_images_are_seen_too_with_noise_of_their_own(tmp_path):
    pocket_probe.noise_images(tmp_path / "real", 7)
    real = datasets.Real(tmp_path / "real", 5)
    dataset = pocket_probe.dataset(samples=8, chunk=8, real=real)
    assert dataset.chunks == ("0000", "real-0000")
    found = collected(made(tmp_path / "chunks", dataset))
    rows = found.samples("pocket").to_pylist()
    assert [row["kind"] for row in rows] == ["drawn"] * 8 + ["real"] * 5
    assert rows[8]["id"] == "pocket/real-000000"
    assert rows[8]["label"] is None
    assert rows[0]["file"] is None
    assert len({row["file"] for row in rows[8:]}) == 5
    assert len(found.rows("pocket", "second", 0.5, "maps")) == 13


def test_a_batch_that_does_not_fit_is_halved_and_that_is_said(whole, tmp_path, caplog):
    probe = pocket_probe.probe()
    probe.most = 3
    dataset = pocket_probe.dataset(samples=16, chunk=16)
    with caplog.at_level(logging.WARNING):
        places = made(tmp_path, dataset, probe=probe)
    assert probe.batches == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
    assert "too little memory for 8 samples at once: going on with 4" in caplog.text
    values, _ = all_values(places)
    expected, _ = all_values(whole)
    for key, array in expected.items():
        np.testing.assert_allclose(values[key], array[:16], rtol=1e-4, atol=1e-5)
    assert opened(places[0]).notes["batch"] == 2


def test_a_sample_that_does_not_fit_ends_in_a_message(tmp_path):
    probe = pocket_probe.probe()
    probe.most = 0
    with pytest.raises(AtlasError, match="too little memory for one sample"):
        made(tmp_path, pocket_probe.dataset(), probe=probe)


def test_other_faults_of_a_network_are_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch):
    probe = pocket_probe.probe()
    monkeypatch.setattr(probe, "draw", lambda *_: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        made(tmp_path, pocket_probe.dataset(), probe=probe)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_missed_before_anything_is_drawn():
    with pytest.raises(AtlasError, match="cuda is asked for, but torch finds no GPU"):
        device_of("cuda")


def test_values_that_are_not_finite_are_counted_and_told(tmp_path, caplog):
    probe = pocket_probe.probe()
    load = probe.load

    def broken(device):
        network = load(device)
        with torch.no_grad():
            network.second.bias[1] = 1e5  # beyond float16
        return network

    probe.load = broken
    dataset = pocket_probe.dataset(samples=8, chunk=8, dtype="float16")
    with caplog.at_level(logging.WARNING):
        places = made(tmp_path, dataset, probe=probe)
    _, rows = all_values(places)
    assert {row["nonfinite"] for row in rows} == {64}  # one channel of 8 x 8
    assert "1024 values are NaN or infinite" in caplog.text
    assert "float32 does" in caplog.text


@pytest.mark.parametrize("damaged", ["means.h5", "maps/second.h5", "images/000005.png"])
def test_a_damaged_chunk_is_found_and_moved_aside(tmp_path, damaged):
    places = made(tmp_path, pocket_probe.dataset(samples=8, chunk=4))
    folder = places[1].folder
    content = bytearray((folder / damaged).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / damaged).write_bytes(content)
    found = collected(places)
    with pytest.raises(DamagedFileError, match=f"{damaged}: is damaged or missing.*run again"):
        found.require_whole()
    assert not folder.exists()
    assert folder.with_name("0001.damaged").is_dir()
    assert places[0].folder.is_dir()


def test_a_missing_file_is_noticed(tmp_path):
    places = made(tmp_path, pocket_probe.dataset(samples=4, chunk=4))
    places[0].means.unlink()
    with pytest.raises(DamagedFileError, match=r"means\.h5: is damaged or missing"):
        collected(places).require_whole()


def test_a_damaged_table_is_moved_aside(tmp_path):
    places = made(tmp_path, pocket_probe.dataset(samples=4, chunk=4))
    content = bytearray(places[0].table.read_bytes())
    content[100] ^= 1
    places[0].table.write_bytes(content)
    with pytest.raises(DamagedFileError):
        opened(places[0])


class LaterProbe(pocket_probe.PocketProbe):
    """Draws in one step."""

    times = (3.0,)


def test_models_of_other_times_are_not_taken_together(tmp_path):
    dataset = pocket_probe.dataset(samples=4, chunk=4)
    first = made(tmp_path / "a", dataset)
    later = LaterProbe(pocket_probe.probe().source, {})
    second = made(tmp_path / "b", dataset, model="later", probe=later)
    with pytest.raises(AtlasError, match=r"its times are 3, those of .* 2, 0.5"):
        collected([*first, *second])


def test_no_maps_and_no_images_are_written_where_none_are_asked_for(tmp_path):
    dataset = pocket_probe.dataset(samples=4, chunk=4, store="mean", images="none")
    places = Places(tmp_path / "0000", None)
    chunks.make(pocket_probe.probe(), dataset, model="pocket", chunk="0000", places=places)
    assert {file.name for file in places.folder.iterdir()} == {"means.h5", "samples.parquet"}
    assert opened(places).table["image"].null_count == 8


def test_thumbnails_are_at_most_64_pixels(tmp_path):
    images.write(np.zeros((100, 300, 3), np.uint8), tmp_path / "x.png", is_thumbnail=True)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (64, 21)


def test_datasets_are_read_back_as_they_were_told():
    dataset = pocket_probe.dataset(options={"labels": [1, "none"]})
    assert datasets.from_plain(dataset.plain()) == dataset
    assert dataclasses.replace(dataset, samples=1) != dataset


def test_an_archive_has_flat_layers_by_name_and_what_is_known_of_the_samples(tmp_path):
    dataset = pocket_probe.dataset(samples=4, chunk=4)
    (places,) = made(tmp_path / "chunks", dataset)
    chunk = opened(places)
    exporting.write(chunk, list(collected([places]).layers), tmp_path / "0000.npz")
    with np.load(tmp_path / "0000.npz") as archive:
        arrays = dict(archive)
    assert sorted(arrays) == ["first@0.5", "first@2", "second@0.5", "second@2"]
    values, _ = all_values([places])
    flat = values["second", 0.5, "maps"].reshape(4, -1)
    np.testing.assert_array_equal(arrays["second@0.5"], flat, strict=True)
    told = json.loads((tmp_path / "0000.json").read_text())
    assert told["samples"]["label"] == [0, 1, 2, 0]
    assert told["samples"]["image"][2] == "chunks/pocket/0000/images/000002.png"
