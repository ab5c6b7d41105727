"""LoRAs: what they compute, how many parameters they have, and what they cost."""

from collections.abc import Sequence
from math import prod

import pytest
import torch

from atlas.architectures import catalogue, inputs
from atlas.architectures.counting import count
from atlas.basis.errors import AtlasError
from atlas.macs import additions
from atlas.macs.additions_lora import Adapted, adapted, matching
from meta_modules import REMEMBERED, denoiser

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")


def test_beside_a_layer_it_computes_what_its_product_in_the_weights_does() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(6, 5)
    beside = Adapted(layer, 2)
    hidden = torch.randn(3, 6)
    merged = layer.weight + beside.up.weight @ beside.down.weight
    expected = torch.nn.functional.linear(hidden, merged, layer.bias)
    torch.testing.assert_close(beside(hidden), expected)


def test_beside_a_convolution_too() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1)
    beside = Adapted(layer, 2)
    image = torch.randn(1, 4, 8, 8)
    product = torch.einsum("or,rikl->oikl", beside.up.weight[:, :, 0, 0], beside.down.weight)
    expected = torch.nn.functional.conv2d(
        image, layer.weight + product, layer.bias, stride=2, padding=1
    )
    torch.testing.assert_close(beside(image), expected)


@pytest.mark.parametrize(
    ("name", "entry", "parameters"),
    [
        ("sdxl", "lora_r16_attention", 23_224_320),
        # As public logs of trainings with this rank print.
        ("flux1_dev", "lora_r16_attention", 26_148_864),
    ],
)
def test_parameters_are_those_of_a_slow_sum(name: str, entry: str, parameters: int) -> None:
    addition = additions.read(additions.file_of(entry))
    module = denoiser(name)
    with adapted(module, addition.modules["denoiser"], addition.rank) as counted:
        assert counted == parameters
    assert counted == slow_parameters(module, addition.modules["denoiser"], addition.rank)


def slow_parameters(module: torch.nn.Module, names: Sequence[str], rank: int) -> int:
    """Sum rank x (in + out) over the linear layers whose last names are those."""
    total = 0
    for path, layer in module.named_modules():
        words = path.split(".")
        if any(words[-len(name.split(".")) :] == name.split(".") for name in names):
            outputs, received = layer.weight.shape
            total += rank * (outputs + received)
    return total


@pytest.mark.parametrize("name", ["sd15", "pixart_sigma_1024"])
def test_macs_on_top_are_rank_times_widths_per_token(name: str) -> None:
    module, rank = denoiser(name), 4
    entry = catalogue.load(name)
    given = inputs.denoiser(entry, width=256, height=256)
    alone = count(module, given, remembered=REMEMBERED)
    paths = set(matching(module, ATTENTION))
    expected = sum(
        prod(call.returned[:-1]) * rank * (call.received[-1] + call.returned[-1])
        for call in alone.layers
        if call.path in paths
    )
    with adapted(module, ATTENTION, rank):
        both = count(module, given, remembered=REMEMBERED)
    assert both.total - alone.total == expected > 0
    assert count(module, given, remembered=REMEMBERED).total == alone.total


def test_names_match_whole_last_names_and_stars_anything() -> None:
    module = denoiser("flux1_dev")
    whole = matching(module, ["to_q"])
    assert whole
    assert all(path.endswith(".to_q") for path in whole)
    assert matching(module, ["o_q"]) == []
    starred = matching(module, ["single_transformer_blocks.*.proj_out"])
    assert len(starred) == 38
    assert "proj_out" not in starred


@pytest.mark.parametrize("names", [["attn1"], ["depthwise"]])
def test_what_it_can_not_go_beside_is_told_and_left_as_it_was(names: list[str]) -> None:
    module = torch.nn.ModuleDict(
        {
            "first": torch.nn.Linear(4, 4),
            "attn1": torch.nn.LayerNorm(4),
            "depthwise": torch.nn.Conv2d(4, 4, 3, groups=4),
        }
    )
    with pytest.raises(AtlasError, match=names[0]), adapted(module, ["first", *names], 2):
        pass
    assert isinstance(module["first"], torch.nn.Linear)
