"""Peak activations: against sums by hand, other precisions and other sizes."""

import pytest
import torch
from torch import nn

from atlas.architectures import build, catalogue, inputs, memory
from atlas.architectures.memory import live_bytes
from meta_modules import REMEMBERED, denoiser


def test_two_layers_hold_input_and_two_outputs() -> None:
    # The input is the caller's; the first output is freed once the second is made.
    layers = nn.Sequential(nn.Linear(10, 1000), nn.Linear(1000, 10))
    module = layers.to(device="meta", dtype=torch.float16)
    given = torch.empty(3, 10, dtype=torch.float16, device="meta")
    live = live_bytes(module, {"input": given}, pixels=1)
    assert live.half == [2 * 30, 2 * (30 + 3000), 2 * (30 + 3000 + 30)]
    assert live.single == [2 * value for value in live.half]


def test_a_conversion_takes_nothing_in_single_precision() -> None:
    def call(value: torch.Tensor) -> torch.Tensor:
        return value.float().mul(2).half()

    given = torch.empty(100, dtype=torch.float16, device="meta")
    live = live_bytes(call, {"value": given}, pixels=1)
    assert max(live.half) == 200 + 400 + 400
    assert max(live.single) == 400 + 400


def test_attention_never_stores_its_scores() -> None:
    def call(value: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(value, value, value)

    given = torch.empty(1, 2, 500, 8, dtype=torch.float16, device="meta")
    live = live_bytes(call, {"value": given}, pixels=1)
    assert max(live.half) == 2 * given.nbytes


def test_chroma_is_not_affine_in_pixels_so_that_two_sizes_do_not_give_a_third() -> None:
    # Its attention makes a mask of all pairs of tokens.
    entry = catalogue.load("chroma")
    found = {}
    for side in (512, 1024, 2048):
        given = inputs.denoiser(entry, width=side, height=side)
        live = live_bytes(denoiser("chroma"), given, pixels=side**2, remembered=REMEMBERED)
        found[side] = memory.peak(live).half
    assert found == {512: 166_936_580, 1024: 510_257_156, 2048: 2_261_026_820}
    share = (1024**2 - 512**2) / (2048**2 - 512**2)
    assert found[512] + share * (found[2048] - found[512]) > 1.14 * found[1024]


@pytest.mark.parametrize("name", ["sd15", "lumina2"])
def test_single_precision_is_that_of_a_model_in_float32(name: str) -> None:
    entry = catalogue.load(name)
    peaks = {}
    for dtype in (torch.float16, torch.float32):
        module = build.component(entry, entry.denoiser_name, dtype)
        arguments = inputs.denoiser(entry, width=512, height=512, dtype=dtype)
        peaks[dtype] = live_bytes(module, arguments, pixels=512**2)
    assert max(peaks[torch.float16].single) == max(peaks[torch.float32].half)
