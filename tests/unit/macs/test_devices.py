"""GPUs: facts that hang together, and misspelt names."""

from __future__ import annotations

from pathlib import Path

import pytest

from atlas.basis.errors import AtlasError
from atlas.macs import devices

GPUS, CACHING = devices.read()


@pytest.mark.parametrize("gpu", GPUS.values(), ids=lambda gpu: gpu.name)
def test_no_figure_is_one_with_sparsity(gpu):
    """Tensor cores halve with each doubling of the bytes; a sparse figure would be twice."""
    rates = gpu.tflops
    if "bf16" in rates:
        assert rates["bf16"] == rates["f16"]
        assert rates["f16"] == pytest.approx(2 * rates["tf32"], rel=0.02)
    if "f8" in rates:
        assert rates["f8"] == pytest.approx(2 * rates["f16"], rel=0.02)
    assert rates["f32"] <= rates.get("tf32", rates["f16"])


def test_there_are_a_dozen_with_sources():
    assert len(GPUS) >= 12
    assert all(gpu.source and gpu.memory_bytes > 10**10 for gpu in GPUS.values())
    assert all(0 < way.work < 1 and way.source for way in CACHING.values())
    assert len({gpu.label for gpu in GPUS.values()}) == len(GPUS)


def test_the_rate_of_float32_is_the_fastest_and_of_none_none():
    assert GPUS["a100_80gb"].rate("f32") == 156e12
    assert GPUS["t4"].rate("f32") == 8.1e12
    assert GPUS["t4"].rate("bf16") is None
    assert GPUS["a100_40gb"].rate("f8") is None


def test_a_misspelt_name_is_told_with_the_nearest():
    with pytest.raises(AtlasError, match=r"rtx_4009.*rtx_4090"):
        devices.chosen(["rtx_4009"])
    assert devices.chosen("all") == list(GPUS.values())


def test_faults_of_a_file_are_told_at_once(tmp_path: Path):
    file = tmp_path / "devices.yaml"
    file.write_text(
        "devices: {one: {label: One, memory_gib: -1, bandwidth_gb_per_s: 5, tflops: {f16: 1},"
        " source: me}}\ncaching: {}\n"
    )
    with pytest.raises(AtlasError) as told:
        devices.read(file)
    assert "2 problems" in str(told.value)
    assert "memory_gib" in str(told.value)
    assert "f32" in str(told.value)
