"""EDM's state dicts run as UNet2DModel: equal to a plain forward, at every block."""

from pathlib import Path

import numpy as np
import pytest
import torch

import plain_dhariwal
from atlas.activations.probes import dhariwal_keys, registry
from atlas.activations.probes.dhariwal import DhariwalProbe
from atlas.activations.probes.pixel_probe import as_images
from atlas.activations.probes.preconditioning import Consistency, Edm
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.activations.sources import Source
from atlas.basis.errors import AtlasError
from plain_dhariwal import FULL, NARROW, WIDE, Plan

CPU = torch.device("cpu")
SIGMAS = (80.0, 0.5, 0.002)


def source(file: Path) -> Source:
    return Source("m", file)


@pytest.fixture
def narrow(tmp_path):
    weights = plain_dhariwal.written(tmp_path / "m.pt", NARROW)
    return source(tmp_path / "m.pt"), weights


def relative(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


def estimate(network, noisy: torch.Tensor, sigma: float, shares: torch.Tensor) -> torch.Tensor:
    label = network.label_embedding(shares)

    def forward(given, time):
        return network(given, time, class_labels=label, return_dict=False)[0]

    return Edm().denoised(forward, noisy, torch.full((len(noisy),), sigma))


def check_equal_to_plain_forward(probe: DhariwalProbe, plan: Plan, weights, samples: int) -> None:
    """Hold the estimate and every block's output against the plain forward, at three levels."""
    layers = probe.layers(list(probe.short_names))
    network = probe.load(CPU)
    shares = torch.zeros(samples, plan.classes)
    shares[0, 1], shares[-1, 3] = 0.25, 0.75
    noise = Batch(0, tuple(range(samples))).noise((plan.image_channels, plan.side, plan.side))
    blocks = {block.name: block.key for block in probe.structure.blocks}
    with Recorder(network, layers, has_maps=True, dtype="float32") as kept, torch.inference_mode():
        for sigma in SIGMAS:
            with kept.keeping(sigma):
                ours = estimate(network, sigma * noise, sigma, shares)
            theirs, outputs = plain_dhariwal.denoised(weights, sigma * noise, sigma, shares)
            assert (ours - theirs).abs().max() < 1e-5
            assert relative(ours, theirs) < 1e-5
            assert len(outputs) == len(layers)
            taken = kept.taken()
            for layer in layers:
                (value,) = taken[layer.name, sigma].maps
                block = outputs[blocks[layer.name]]
                assert value.shape[1:] == layer.shape
                assert (value - block).abs().max() < 1e-5 * block.abs().max(), layer.name


@pytest.mark.parametrize("plan", [NARROW, WIDE], ids=["narrow", "wide"])
def test_output_and_every_block_equal_a_plain_forward(tmp_path, plan):
    weights = plain_dhariwal.written(tmp_path / "m.pt", plan)
    probe = DhariwalProbe(source(tmp_path / "m.pt"), {})
    check_equal_to_plain_forward(probe, plan, weights, samples=2)


@pytest.mark.slow
def test_the_full_size_equals_a_plain_forward(tmp_path):
    weights = plain_dhariwal.written(tmp_path / "m.pt", FULL)
    trained = sum(w.numel() for key, w in weights.items() if not key.endswith("resample_filter"))
    assert trained == 295_899_267
    probe = DhariwalProbe(source(tmp_path / "m.pt"), {})
    assert probe.weight_bytes == 4 * trained
    check_equal_to_plain_forward(probe, FULL, weights, samples=1)


def test_the_published_network_has_the_37_layers_of_the_table():
    made = dhariwal_keys.structure(plain_dhariwal.shapes(FULL), "m.pt")
    published = dhariwal_keys.facts()["published"]
    assert len(published) == 37
    assert [(block.name, block.key, block.module) for block in made.blocks] == [
        (name, facts["block"], facts["module"]) for name, facts in published.items()
    ]


def test_layers_of_the_published_network_have_the_tables_shapes(monkeypatch):
    tensors = plain_dhariwal.shapes(FULL)

    class Header(Source):
        def required(self, component):
            return self.tensors(component)

        def tensors(self, component):
            return {key: torch.empty(shape, device="meta") for key, shape in tensors.items()}

    probe = DhariwalProbe(Header("m", Path("m.pt")), {})
    shapes = {layer.name: list(layer.shape) for layer in probe.layers(list(probe.short_names))}
    assert shapes == {n: f["shape"] for n, f in dhariwal_keys.facts()["published"].items()}
    assert [layer.shape for layer in probe.layers()] == [(768, 8, 8), (768, 8, 8)]
    assert probe.default_layers == ("encoder_bottleneck", "midblock")


def test_queries_keys_and_values_cut_as_in_consistency_models_give_another_output(
    narrow, monkeypatch
):
    probe, weights = DhariwalProbe(narrow[0], {}), narrow[1]
    shares, noise = torch.eye(5)[:2], Batch(0, (0, 1)).noise((3, 16, 16))
    theirs, _ = plain_dhariwal.denoised(weights, noise, 1.0, shares)
    assert relative(estimate(probe.load(CPU), noise, 1.0, shares), theirs) < 1e-5

    def chunked(names, weight):
        return dict(zip(names, weight.flatten(1).squeeze(-1).chunk(3), strict=True))

    monkeypatch.setattr(
        dhariwal_keys,
        "_parts",
        lambda names, w: dict(
            zip(names, (w.flatten(1) if w.ndim > 1 else w).chunk(3), strict=True)
        ),
    )
    assert relative(estimate(probe.load(CPU), noise, 1.0, shares), theirs) > 0.02


def test_one_number_of_groups_for_all_layers_would_give_another_output(narrow, monkeypatch):
    probe, weights = DhariwalProbe(narrow[0], {}), narrow[1]
    shares, noise = torch.eye(5)[:2], Batch(0, (0, 1)).noise((3, 16, 16))
    theirs, _ = plain_dhariwal.denoised(weights, noise, 1.0, shares)
    network = probe.load(CPU)
    assert {m.num_groups for m in network.modules() if isinstance(m, torch.nn.GroupNorm)} == {
        8,
        16,
        24,
        32,
    }
    assert relative(estimate(network, noise, 1.0, shares), theirs) < 1e-5
    for module in network.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.num_groups = 32
    assert relative(estimate(network, noise, 1.0, shares), theirs) > 0.02
