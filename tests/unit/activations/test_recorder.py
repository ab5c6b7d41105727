"""What layers give is kept in the forwards that are asked for, and nowhere else."""

import pytest
import torch
from torch import nn

from atlas.activations import recorder
from atlas.activations.layers import Layer, Place
from atlas.activations.recorder import Recorder
from atlas.basis.errors import AtlasError


class Network(nn.Module):
    """A convolution, an activation that writes into its input, and one that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.wide = nn.Conv2d(2, 3, 3)
        self.inplace = nn.ReLU(inplace=True)
        self.shared = nn.Tanh()
        self.pool = nn.Linear(3, 4)
        self.unused = nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.shared(self.shared(self.inplace(self.conv(x))))
        return self.pool(input=self.wide(x).mean((2, 3)))


SHAPES = {
    "conv": (2, 6, 6),
    "conv.update": (2, 6, 6),
    "wide": (3, 4, 4),
    "pool": (4,),
}


def layers(*names: str) -> list[Layer]:
    return [Layer(name, name.removesuffix(".update"), SHAPES[name]) for name in names]


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network().eval()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(5, 2, 6, 6, generator=torch.Generator().manual_seed(1))


def kept_of(network, images, *names, has_maps=True, dtype="float32", rows=None):
    with torch.no_grad(), Recorder(network, layers(*names), has_maps=has_maps, dtype=dtype) as kept:
        with kept.keeping(80.0, rows):
            network(images)
        return {name: value for (name, _), value in kept.taken().items()}


def test_maps_are_the_modules_output_whatever_the_network_writes_into_it_later(network, images):
    (kept,) = kept_of(network, images, "conv")["conv"].maps
    with torch.no_grad():
        assert torch.equal(kept, network.conv(images))
    assert (kept < 0).any()


def test_updates_are_output_less_input(network, images):
    kept = kept_of(network, images, "conv", "conv.update")
    assert torch.equal(kept["conv.update"].maps[0], kept["conv"].maps[0] - images)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_means_are_the_maps_means_in_float32(network, images, dtype):
    kept = kept_of(network, images, "wide", "pool", dtype=dtype)
    assert kept["wide"].maps[0].dtype == recorder.DTYPES[dtype]
    means = kept["wide"].means[0]
    assert means.dtype == torch.float32
    slow = torch.stack(
        [torch.stack([c.sum() / c.numel() for c in m]) for m in kept["wide"].maps[0]]
    )
    torch.testing.assert_close(
        means, slow.float(), rtol=0, atol=1e-6 if dtype == "float32" else 1e-3
    )
    # what has no space is its own mean
    torch.testing.assert_close(
        kept["pool"].means[0].to(recorder.DTYPES[dtype]), kept["pool"].maps[0], rtol=0, atol=0
    )


def test_means_over_tokens_and_over_more_dimensions():
    tokens = torch.arange(24.0).reshape(2, 3, 4)
    assert torch.equal(recorder.mean_over_space(tokens)[1], torch.tensor([16.0, 17, 18, 19]))
    film = torch.arange(48.0).reshape(1, 2, 2, 3, 4)
    assert torch.equal(recorder.mean_over_space(film), torch.tensor([[11.5, 35.5]]))


def test_means_alone_keep_no_maps(network, images):
    kept = kept_of(network, images, "wide", has_maps=False)["wide"]
    assert kept.maps == []
    assert kept.means[0].shape == (5, 3)


def test_chosen_rows_alone_are_kept(network, images):
    some, whole = (kept_of(network, images, "wide", rows=rows) for rows in (slice(2, 4), None))
    assert torch.equal(some["wide"].maps[0], whole["wide"].maps[0][2:4])
    assert torch.equal(some["wide"].means[0], whole["wide"].means[0][2:4])


def test_nothing_is_kept_outside_and_taken_forgets(network, images):
    with (
        torch.no_grad(),
        Recorder(network, layers("wide"), has_maps=False, dtype="float32") as kept,
    ):
        network(images)
        assert kept.taken() == {}
        for time in (80.0, 0.5, 80.0):
            with kept.keeping(time):
                network(images)
        taken = kept.taken()
        assert {key: len(value.means) for key, value in taken.items()} == {
            ("wide", 80.0): 2,
            ("wide", 0.5): 1,
        }
        assert kept.taken() == {}


def test_hooks_are_removed(network):
    with Recorder(network, layers("wide", "conv"), has_maps=False, dtype="float32"):
        assert len(network.wide._forward_hooks) == 1
    assert not network.wide._forward_hooks
    assert not network.conv._forward_hooks


def test_a_module_called_twice_or_never_is_refused(network, images):
    for module, times in (("shared", 2), ("unused", 0)):
        layer = Layer(module, module, (2, 6, 6))
        with (
            Recorder(network, [layer], has_maps=False, dtype="float32") as kept,
            pytest.raises(AtlasError, match=f"called {times} times"),
            kept.keeping(80.0),
        ):
            network(images)


def test_a_fault_of_the_forward_is_told_as_it_is(network):
    with Recorder(network, layers("wide"), has_maps=False, dtype="float32") as kept:
        with pytest.raises(ZeroDivisionError), kept.keeping(80.0):
            raise ZeroDivisionError
        with torch.no_grad():
            network(torch.zeros(1, 2, 6, 6))
        assert kept.taken() == {}


def shapes(network: nn.Module, *names: str) -> dict[str, tuple[int, ...]]:
    places = {name: Place(name.removesuffix(".update")) for name in names}
    given = torch.empty(1, 2, 6, 6, device="meta")
    return recorder.shapes(network.to("meta"), places, lambda: network(given))


def test_shapes_are_watched_on_the_meta_device(network):
    assert shapes(network, *SHAPES) == SHAPES
    assert not network.conv._forward_hooks


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("unused", "does not reach unused"),
        ("shared", "called 2 times"),
        ("wide.update", "its input is .2, 6, 6. and its output .3, 4, 4."),
        ("pool.update", "given no tensor to work on"),
    ],
)
def test_layers_that_have_no_one_value_are_refused_before_a_weight_is_read(network, name, problem):
    with pytest.raises(AtlasError, match=problem):
        shapes(network, name)
    assert not network.shared._forward_hooks
