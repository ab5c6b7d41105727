"""Which of a folder's files are read: variants in order of preference."""

from pathlib import Path

import pytest

from atlas.checkpoint.selection import weight_sets

MARKS = ("", ".fp32", ".non_ema", ".ema", ".bf16", ".fp16", ".q8")


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        (None, ["", "fp32", "non_ema", "bf16", "fp16", "ema", "q8"]),
        ("raw", ["non_ema", "", "fp32", "bf16", "fp16", "ema", "q8"]),
        ("ema", ["ema", "", "fp32", "bf16", "fp16", "non_ema", "q8"]),
    ],
)
def test_full_precision_comes_before_copies(tmp_path: Path, weights, order) -> None:
    for mark in MARKS:
        (tmp_path / f"diffusion_pytorch_model{mark}.safetensors").touch()
    assert [each.variant for each in weight_sets(tmp_path, weights)] == order


def test_precision_matters_more_than_the_format(tmp_path: Path) -> None:
    names = ["model.safetensors", "model.bin", "model.pt", "model.fp16.safetensors"]
    for name in [*names, "optimizer.pt", "readme.txt"]:
        (tmp_path / name).touch()
    assert [each.files[0].name for each in weight_sets(tmp_path)] == names
