"""What a measurement on a GPU runs, here on the CPU; and that it needs a GPU."""

from dataclasses import replace

import pytest
import torch

from atlas.architectures import catalogue
from atlas.architectures.architecture import Architecture
from atlas.basis.errors import AtlasError
from atlas.macs import measuring

SMALL = {
    "sdxl": {
        "block_out_channels": [32, 64, 64],
        "attention_head_dim": [1, 2, 2],
        "transformer_layers_per_block": [1, 1, 1],
        "norm_num_groups": 8,
    },
    "sd3_medium": {"num_layers": 2, "num_attention_heads": 2, "caption_projection_dim": 128},
}
"""Changes that make the measured architectures small enough for a test."""


def small(name: str) -> Architecture:
    entry = catalogue.load(name)
    facts = replace(
        entry.denoiser, config={**entry.denoiser.config, **SMALL[name]}, parameters=None
    )
    return replace(entry, components={**entry.components, entry.denoiser_name: facts})


@pytest.mark.parametrize("name", SMALL)
def test_a_forward_runs_with_finite_numbers(name: str) -> None:
    torch.manual_seed(0)
    entry = small(name)
    call, macs = measuring.forward(entry, side=128, device="cpu")
    with torch.no_grad():
        (result,) = call()
    assert result.shape == (1, entry.latent.channels, 16, 16)
    assert result.dtype == torch.bfloat16
    assert bool(result.isfinite().all())
    assert macs > 10**6


def test_inputs_have_values_of_their_own_kind() -> None:
    meta = {
        "floats": [torch.empty(100, dtype=torch.float16, device="meta")],
        "whole": torch.empty(3, dtype=torch.int64, device="meta"),
        "plain": False,
    }
    real = measuring.with_values(meta, "cpu")
    assert real["floats"][0].float().std() > 0.5
    assert real["whole"].tolist() == [0, 0, 0]
    assert real["plain"] is False


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
def test_a_measurement_without_a_gpu_is_told() -> None:
    with pytest.raises(AtlasError, match=r"measure: torch finds no CUDA GPU here; set it to false"):
        measuring.measure([small("sdxl")])


def test_two_operations_per_mac() -> None:
    assert measuring.tflops_per_second(10**12, 500.0) == 4.0
