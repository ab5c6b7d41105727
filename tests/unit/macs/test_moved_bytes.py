"""The bytes that a forward moves, by hand: half precision, weights once, attention fused."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from atlas.architectures.counting import count
from atlas.macs.profile import bytes_moved


def moved(module: nn.Module, *shape: int) -> int:
    """Return the bytes that one call of a module moves."""
    given = {"input": torch.empty(shape, device="meta")}
    return bytes_moved(count(module.to("meta"), given))


def test_a_layer_moves_its_input_its_output_and_its_weights():
    assert moved(nn.Sequential(nn.Linear(10, 1000)), 3, 10) == 2 * (30 + 3000 + 1000 * 10 + 1000)


def test_a_layer_that_is_called_twice_moves_its_weights_twice():
    layer = nn.Linear(10, 10, bias=False)
    assert moved(nn.Sequential(layer, layer), 3, 10) == 2 * 2 * (30 + 30 + 100)


class Attention(nn.Module):
    """All queries on the first two keys."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Attend."""
        return scaled_dot_product_attention(input, input[:, :2], input[:, :2])


def test_attention_moves_queries_keys_values_and_results_and_no_scores():
    assert moved(Attention(), 1, 8, 5) == 2 * 5 * (8 + 2 + 2 + 8)
