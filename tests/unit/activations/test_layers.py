"""Layers are found by short name or module path; their shapes follow without a weight."""

import pytest
import torch
from torch import nn

from atlas.activations.layers import Layer, Place, found
from atlas.activations.outputs import first_tensor, input_tensor
from atlas.basis.errors import AtlasError

SHORT = {"mid": Place("body.1"), "down.0": Place("body.0", element=1)}


def network() -> nn.Module:
    return nn.ModuleDict({"body": nn.Sequential(nn.Conv2d(3, 4, 1), nn.SiLU())})


def test_short_names_and_module_paths_in_the_order_asked():
    places = found(["body.0", "mid", "down.0", "mid.update"], short=SHORT, network=network())
    assert list(places.items()) == [
        ("body.0", Place("body.0")),
        ("mid", Place("body.1")),
        ("down.0", Place("body.0", 1)),
        ("mid.update", Place("body.1")),
    ]


def test_all_wrong_names_are_told_at_once_each_with_the_nearest():
    with pytest.raises(AtlasError) as problem:
        found(["midd", "mid", "body.9", "quux.update"], short=SHORT, network=network())
    text = str(problem.value)
    assert "'midd'; did you mean mid?" in text
    assert "'body.9'; did you mean body." in text
    assert "'quux.update'\n" in text
    assert "'mid'" not in text
    assert "short names are: mid, down.0" in text


@pytest.mark.parametrize(
    ("shape", "width", "numel"), [((8, 4, 2), 8, 64), ((77, 16), 16, 1232), ((5,), 5, 5)]
)
def test_width_is_that_of_the_mean_over_space_or_tokens(shape, width, numel):
    layer = Layer("mid", "mid_block", shape)
    assert (layer.width, layer.numel, layer.is_update) == (width, numel, False)
    assert Layer("mid.update", "mid_block", shape).is_update


def test_the_tensor_of_an_output():
    one, two = torch.ones(1), torch.zeros(2)
    assert first_tensor(one, 0) is one
    assert first_tensor((one, two), 1) is two
    assert first_tensor([(one, two)], 0) is one
    assert first_tensor({"sample": one, "rest": two}, 1) is two


@pytest.mark.parametrize("output", [None, (), "text", (None,)])
def test_an_output_without_a_tensor_is_refused(output):
    with pytest.raises(AtlasError, match="without a tensor"):
        first_tensor(output, 0)


def test_the_input_is_the_first_argument_or_hidden_states():
    given = torch.ones(1)
    assert input_tensor((given, torch.zeros(2)), {}) is given
    assert input_tensor((), {"temb": torch.zeros(2), "hidden_states": given}) is given
    assert input_tensor((), {"temb": given}) is None
    assert input_tensor(((given,),), {}) is None
