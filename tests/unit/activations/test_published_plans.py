"""Published resource tables come out as printed under their assumptions, beside right figures."""

from __future__ import annotations

import csv
import importlib
import io
from pathlib import Path

import numpy as np
import pytest

from atlas.activations import published, published_page
from atlas.activations.published import agrees

script = importlib.import_module("activations.reproduce_published_plans")
PAGE = Path(__file__).parents[3] / "docs" / "activation_plan.md"


@pytest.fixture(scope="module")
def rows():
    return published.rows()


def of(rows, name, quantity, what=None):
    return [
        row for row in rows
        if name in row["set"] and row["quantity"] == quantity and what in (None, row["of"])
    ]  # fmt: skip


def test_what_is_stored_comes_out_as_printed_but_for_one_sum(rows):
    """Of 1,000 samples of SDXL the parts are 2.5 and 1 GB, and 3.6 GB are printed."""
    stored = [row for row in rows if row["agrees"] is not None
              and row["quantity"] not in ("UMAP's memory", "a GPU's memory")]  # fmt: skip
    assert len(stored) > 50
    wrong = [(row["quantity"], row["of"], row["published"]) for row in stored if not row["agrees"]]
    assert wrong == [("disk", "1000 samples", "3.6 GB")]
    assert "another total" in of(rows, "SDXL 1024 x 1024, mid", *wrong[0][:2])[0]["causes"]


def test_every_difference_has_a_cause(rows):
    for row in rows:
        over = row["published_over_right_float32"]
        if over is not None and not 0.9 < over < 1.1:
            assert row["causes"], row
        if row["agrees"] is False:
            assert row["causes"], row


def test_shapes_are_those_that_networks_give(rows):
    """98,304 values; 1,310,720; those of all seven blocks; a quarter of 327,680."""
    values = {"ImageNet": 98304, "SDXL 1024 x 1024, mid": 1310720, "SD 1.5": 327680 // 4}
    blocks = [(320, 64), (640, 32), (1280, 32), (1280, 32), (1280, 64), (640, 128), (320, 128)]
    values["seven"] = sum(channels * side**2 for channels, side in blocks)
    for name, count in values.items():
        raw = of(rows, name, "activations, raw")[0]
        assert raw["right_float32_bytes"] == 4 * count
        assert raw["right_float16_bytes"] == 2 * count


def test_means_are_channels_alone(rows):
    widths = {"ImageNet": 768 * 2, "SDXL 1024 x 1024, mid": 1280, "SD 1.5": 1280}
    for name, width in widths.items():
        assert of(rows, name, "activations, raw")[0]["right_means_bytes"] == 4 * width


def test_tables_go_from_100_to_50000_samples_in_proportion(rows):
    for name in ("ImageNet", "SDXL 1024 x 1024, mid", "seven", "SD 1.5"):
        found = of(rows, name, "activations")
        counts = [int(row["of"].split()[0]) for row in found]
        assert counts == [100, 1000, 5000, 10000, 50000]
        for kind in ("float32", "float16", "means"):
            each = {row[f"right_{kind}_bytes"] / count
                    for row, count in zip(found, counts, strict=True)}  # fmt: skip
            assert len(each) == 1


def test_umap_needs_values_and_their_standardised_copy(rows):
    found = of(rows, "ImageNet", "UMAP's memory", "10000 samples")[0]
    assert found["agrees"]
    assert found["right_float32_bytes"] == 2 * 10000 * 98304 * 4
    assert "standardising" in found["causes"]


def test_a_latent_is_a_thousandth_of_what_is_printed(rows):
    for name, kilobytes in (("SDXL 1024 x 1024, mid", 256), ("SD 1.5", 64)):
        latent = of(rows, name, "latent")[0]
        assert latent["agrees"]
        assert latent["right_float32_bytes"] == kilobytes * 1024
        assert "KB" in latent["causes"]


def test_weights_are_those_of_all_components(rows):
    adm = of(rows, "ImageNet", "weights")[0]
    assert adm["right_float32_bytes"] == 4 * 295899267
    for name in ("SDXL 1024 x 1024, mid", "SD 1.5"):
        found = of(rows, name, "weights")[0]
        assert found["agrees"]
        assert (
            found["right_float16_bytes"]
            > 1.2 * min(found["recomputed_bytes"], found["recomputed_bytes"] / 2)
            or "single" in found["causes"]
        )


def test_what_is_said_of_a_gpus_memory_is_true(rows):
    """Causes that compare with a forward's activations in half precision."""
    entry = published.catalogue.load("adm64_diffusers")
    for batch, is_below in ((64, False), (128, True)):
        _, half = published.forward_peaks(entry, side=64, batch=batch)
        row = of(rows, "ImageNet", "a GPU's memory", f"batch of {batch}")[0]
        assert ("less than the activations" in row["causes"]) == is_below
        assert (row["published_bytes"] < 0.95 * half) == is_below
        if not is_below:
            assert row["published_bytes"] == pytest.approx(half, rel=0.02)


def test_dense_float32_values_shrink_by_7_to_8_percent():
    values = np.random.default_rng(0).standard_normal((16, 32, 32, 32)).astype(np.float32)
    file = io.BytesIO()
    np.savez_compressed(file, values)
    assert 0.07 <= 1 - len(file.getvalue()) / values.nbytes <= 0.08


def test_a_printed_figure_is_met_by_its_digits_or_nearly():
    assert agrees("203 MB", 202.5e6)
    assert agrees("203 MB", 203.4e6)
    assert agrees("1.9 GB", 1.95e9)
    assert not agrees("3.6 GB", 3.5e9)
    assert agrees("3.5 GB", 3.438e9)


def test_the_script_writes_table_and_page(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(published, "rows", lambda: rows)
    script.main(table=tmp_path / "as_published.csv", page=tmp_path / "as_published.md")
    with (tmp_path / "as_published.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(rows)
    assert read[0]["right_float32_bytes"] == str(rows[0]["right_float32_bytes"])
    page = (tmp_path / "as_published.md").read_text(encoding="utf-8")
    assert page.count("\n## ") == 4
    assert "19.5 times its mid block" in page


def test_the_documentation_shows_the_same_figures(rows):
    page = PAGE.read_text(encoding="utf-8")
    for finding in published_page.findings(rows):
        assert published_page.plain(finding) in page
    for row in rows:
        if row["of"] in ("a sample", "10000 samples", "all components") or "batch" in row["of"]:
            assert published_page.line(row) in page
