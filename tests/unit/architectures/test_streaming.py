"""Weights that come and go: against sums by hand, and against diffusers' own casting."""

from typing import Any

import diffusers
import pytest
import torch
from torch import nn

from atlas.architectures import build, catalogue, memory
from atlas.architectures.memory import live_bytes
from atlas.architectures.streaming import cast_layers, streams

GIVEN = {"input": torch.empty(3, 10, dtype=torch.float16, device="meta")}


def peak_of(module: nn.Module) -> dict[Any, int]:
    module.to(device="meta", dtype=torch.float16)
    live = live_bytes(module, GIVEN, pixels=1, streams=streams(module))
    return dict(memory.peak(live).streamed)


def test_one_layer_is_there_at_a_time() -> None:
    found = peak_of(nn.Sequential(nn.Linear(10, 100, bias=False), nn.Linear(100, 10, bias=False)))
    # Input, first output and second output are alive beside the second layer's weights.
    assert found["layer", "half"] == 2 * (30 + 300 + 30 + 1000)
    assert found["layer", "single"] == 4 * (30 + 300 + 30 + 1000)


def test_weights_count_with_what_is_alive_beside_them() -> None:
    found = peak_of(nn.Sequential(nn.Linear(10, 100, bias=False), nn.Linear(100, 1, bias=False)))
    # The first layer is gone when most activations are alive.
    assert found["layer", "half"] == 2 * (30 + 300 + 1000)


def test_weights_are_in_float8_and_in_16_bit_while_they_are_cast() -> None:
    found = peak_of(nn.Sequential(nn.Linear(10, 100, bias=False), nn.Linear(100, 10, bias=False)))
    # Both stored in 1 byte; the second is cast back while its result is there.
    assert found["float8", "half"] == 2000 + 2 * (30 + 300 + 30) + 2 * 1000


class Net(nn.Module):
    """A list of blocks between two layers, as transformers have."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(10, 10, bias=False)
        self.blocks = nn.ModuleList(nn.Linear(10, 10, bias=False) for _ in range(5))
        self.last = nn.Linear(10, 10, bias=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        value = self.first(input)
        for block in self.blocks:
            value = block(value)
        return self.last(value)


def test_one_block_is_there_beside_all_that_is_no_block() -> None:
    found = peak_of(Net())
    # Input, a block's input and its output, beside the first and last layer and the block.
    assert found["block", "half"] == 2 * 3 * 30 + 2 * 300
    assert found["layer", "half"] == 2 * 3 * 30 + 2 * 100


@pytest.mark.parametrize("name", ["sd15", "flux1_dev", "sana_600m", "pixart_alpha_512"])
def test_float8_stores_what_diffusers_stores(name: str) -> None:
    entry = catalogue.load(name)
    module: Any = build.component(entry, entry.denoiser_name)
    stored = streams(module)["float8"].resident
    module.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.float16)
    assert stored == sum(each.numel() * each.element_size() for each in module.parameters())


def test_casting_skips_layers_within_modules_of_sensitive_names() -> None:
    module = nn.ModuleDict({"norm_out": nn.ModuleDict({"linear": nn.Linear(2, 2)})})
    module["proj_in"] = nn.Linear(2, 2)
    module["block"] = nn.ModuleDict({"proj_in": nn.Linear(2, 2)})
    assert cast_layers(module) == [module["block"]["proj_in"]]


def test_tied_weights_come_once() -> None:
    net = Net()
    net.last.weight = net.first.weight
    assert streams(net)["block"].resident == 100


def test_an_autoencoder_lists_blocks_in_its_decoder() -> None:
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
    ).to("meta")
    found = streams(vae)["block"]
    assert found.resident == 0
    assert set(vae.decoder.up_blocks) <= set(found.visits)
    assert sum(each.held for each in found.visits.values()) == build.parameters(vae)
