"""EDM's state dicts run as UNet2DModel: equal to a plain forward, at every block."""

from pathlib import Path

import numpy as np
import pytest
import torch

import plain_dhariwal
from atlas.activations.probes import dhariwal_keys, registry
from atlas.activations.probes.dhariwal import DhariwalProbe
from atlas.activations.probes.pixel_probe import as_images
from atlas.activations.probes.preconditioning import Edm
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source
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


@pytest.fixture
def full_size(tmp_path):
    """Yield a file of 1.2 GB, and remove it."""
    yield tmp_path / "m.pt", plain_dhariwal.written(tmp_path / "m.pt", FULL)
    (tmp_path / "m.pt").unlink()


def test_the_full_size_equals_a_plain_forward(full_size):
    file, weights = full_size
    trained = sum(w.numel() for key, w in weights.items() if not key.endswith("resample_filter"))
    assert trained == 295_899_267
    probe = DhariwalProbe(source(file), {})
    assert probe.weight_bytes == 4 * trained
    check_equal_to_plain_forward(probe, FULL, weights, samples=1)


def test_the_published_network_has_the_37_layers_of_the_table():
    made = dhariwal_keys.structure(plain_dhariwal.shapes(FULL), "m.pt")
    published = dhariwal_keys.facts()["published"]
    assert len(published) == 37
    assert [(block.name, block.key, block.module) for block in made.blocks] == [
        (name, facts["block"], facts["module"]) for name, facts in published.items()
    ]


def test_layers_of_the_published_network_have_the_tables_shapes():
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
        rows = weight.flatten(1) if weight.ndim > 1 else weight
        return dict(zip(names, rows.chunk(3), strict=True))

    monkeypatch.setattr(dhariwal_keys, "_parts", chunked)
    assert relative(estimate(probe.load(CPU), noise, 1.0, shares), theirs) > 0.02


def test_one_number_of_groups_for_all_layers_would_give_another_output(narrow, monkeypatch):
    probe, weights = DhariwalProbe(narrow[0], {}), narrow[1]
    shares, noise = torch.eye(5)[:2], Batch(0, (0, 1)).noise((3, 16, 16))
    theirs, _ = plain_dhariwal.denoised(weights, noise, 1.0, shares)
    network = probe.load(CPU)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.GroupNorm)]
    assert {norm.num_groups for norm in norms} == {8, 16, 24, 32}
    assert relative(estimate(network, noise, 1.0, shares), theirs) < 1e-5
    for norm in norms:
        norm.num_groups = 32
    assert relative(estimate(network, noise, 1.0, shares), theirs) > 0.02


def test_a_base_of_64_channels_is_run_exactly(tmp_path):
    plan = Plan(16, (64, 128), (8,), depth=1, classes=4)
    weights = plain_dhariwal.written(tmp_path / "m.pt", plan)
    check_equal_to_plain_forward(DhariwalProbe(source(tmp_path / "m.pt"), {}), plan, weights, 2)


@pytest.mark.parametrize(
    ("preconditioning", "scale"), [(None, 1), ("edm", 1), ("consistency", 1000)]
)
def test_the_network_is_told_a_quarter_of_ln_sigma_as_float(narrow, preconditioning, scale):
    told = []
    probe = DhariwalProbe(narrow[0], {"sigma": [80, 0.5], "preconditioning": preconditioning})
    network = probe.load(CPU)
    network.register_forward_pre_hook(lambda _, given: told.append(given[1]))
    with Recorder(network, probe.layers(), has_maps=False, dtype="float32") as kept:
        probe.draw(Batch(0, (0, 1)), kept)
    assert [time.dtype for time in told] == [torch.float32] * 2
    expected = [[scale * np.log(sigma) / 4] * 2 for sigma in (80, 0.5)]
    np.testing.assert_allclose([time.tolist() for time in told], expected, rtol=1e-6)


def drawn(probe: DhariwalProbe, batch: Batch):
    network = probe.load(CPU)
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(), has_maps=True, dtype="float32") as kept,
    ):
        return probe.draw(batch, kept), kept.taken()


def test_images_of_one_step_from_noise_of_level_80(narrow):
    probe, batch = DhariwalProbe(narrow[0], {}), Batch(7, (3, 4, 5))
    images, taken = drawn(probe, batch)
    shares = torch.eye(5)[[3, 4, 0]]
    assert probe.conditions(7, batch.indices) == {"label": [3, 4, 0]}
    theirs, outputs = plain_dhariwal.denoised(
        narrow[1], 80 * batch.noise((3, 16, 16)), 80.0, shares
    )
    expected = as_images(theirs.clamp(-1, 1))
    assert np.abs(images.astype(int) - expected.astype(int)).max() <= 1
    assert images.shape == (3, 16, 16, 3)
    assert images.std() > 10
    assert set(taken) == {("encoder_bottleneck", 80.0), ("midblock", 80.0)}
    torch.testing.assert_close(taken["midblock", 80.0].maps[0], outputs["dec.8x8_in0"])
    assert probe.forwards == 1


def test_blends_and_no_label(narrow):
    labels = [2, "none", {1: 0.5, 3: 0.5}]
    probe, batch = DhariwalProbe(narrow[0], {"labels": labels}), Batch(0, (0, 1, 2, 3))
    assert probe.conditions(0, batch.indices) == {"label": ["2", "none", "0.5*1 + 0.5*3", "2"]}
    shares = torch.eye(5)[[2, 0, 1, 2]]
    shares[1], shares[2] = 0, torch.tensor([0, 0.5, 0, 0.5, 0])
    _, outputs = plain_dhariwal.denoised(narrow[1], 80 * batch.noise((3, 16, 16)), 80.0, shares)
    _, taken = drawn(probe, batch)
    torch.testing.assert_close(taken["midblock", 80.0].maps[0], outputs["dec.8x8_in0"])


def test_given_images_are_shown_with_noise_and_without_a_label(narrow):
    probe, batch = DhariwalProbe(narrow[0], {"sigma": 0.5}), Batch(0, (0, 1))
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    network = probe.load(CPU)
    seen = []
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with Recorder(network, probe.layers(), has_maps=False, dtype="float32") as kept:
        probe.observe(images, batch, kept)
        taken = kept.taken()
    noise = seen[0] * np.sqrt(0.5) - (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1)
    assert abs(noise.std() - 0.5) < 0.03
    _, outputs = plain_dhariwal.forward(narrow[1], seen[0], np.log(0.5) / 4, torch.zeros(2, 5))
    torch.testing.assert_close(taken["midblock", 0.5].means[0], outputs["dec.8x8_in0"].mean((2, 3)))


@pytest.mark.parametrize("prefix", ["", "model.", "module.", "feedforward_model.model."])
def test_prefixes_are_taken_off(tmp_path, prefix):
    plain_dhariwal.written(tmp_path / "m.pt", NARROW, prefix)
    probe = registry.chosen(source(tmp_path / "m.pt"), {})
    assert isinstance(probe, DhariwalProbe)
    assert probe.layers()[0].shape == (64, 8, 8)


def test_of_a_training_folders_networks_the_one_that_draws_is_run(tmp_path):
    others = {"guidance_model.real_unet.model.out_conv.bias": torch.ones(3), "step": torch.ones(1)}
    weights = plain_dhariwal.written(
        tmp_path / "m.pt", NARROW, "feedforward_model.model.", **others
    )
    probe = registry.chosen(source(tmp_path / "m.pt"), {})
    network = probe.load(CPU)
    assert torch.equal(network.conv_out.bias, weights["out_conv.bias"])
    assert network.get_submodule("label_embedding").weight.shape == (5, 128)


def test_a_network_without_labels(tmp_path):
    weights = plain_dhariwal.weights(NARROW)
    del weights["map_label.weight"]
    torch.save(weights, tmp_path / "m.pt")
    probe = DhariwalProbe(source(tmp_path / "m.pt"), {})
    assert probe.conditions(0, (0, 1)) == {}
    assert drawn(probe, Batch(0, (0,)))[0].shape == (1, 16, 16, 3)
    with pytest.raises(AtlasError, match="takes no label"):
        DhariwalProbe(source(tmp_path / "m.pt"), {"labels": [1]})


def test_half_precision_files_run_in_float32(tmp_path):
    weights = {key: value.half() for key, value in plain_dhariwal.weights(NARROW).items()}
    torch.save(weights, tmp_path / "m.pt")
    network = DhariwalProbe(source(tmp_path / "m.pt"), {}).load(CPU)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert torch.equal(network.conv_in.bias, weights["enc.16x16_conv.bias"].float())


@pytest.mark.parametrize(
    ("keys", "network"),
    [
        (["enc.32x32_aux_residual.weight", "dec.32x32_aux_conv.weight"], "NCSN++"),
        (["map_augment.weight", "dec.32x32_aux_conv.weight"], "DDPM++"),
        (["map_augment.weight"], "DDPM++ or NCSN++"),
    ],
)
def test_songunets_are_refused_by_name(tmp_path, keys, network):
    own = {"map_layer0.weight": torch.ones(4, 4), "enc.32x32_conv.weight": torch.ones(4, 3, 3, 3)}
    torch.save(own | {key: torch.ones(2, 2) for key in keys}, tmp_path / "m.pt")
    for act in (registry.chosen, DhariwalProbe):
        with pytest.raises(AtlasError, match=r"m\.pt: is a SongUNet") as problem:
            act(source(tmp_path / "m.pt"), {})
        assert f"({network}, as its" in str(problem.value)


def test_an_edm_pickle_is_refused_with_what_to_give_instead(tmp_path):
    asks = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
    (tmp_path / "edm.pkl").write_bytes(b"\x80\x02}X\x03\x00\x00\x00ema" + asks + b"(dtRs.")
    with pytest.raises(AtlasError, match=r"edm.pkl.*nothing of it was run.*state_dict\(\) alone"):
        registry.chosen(source(tmp_path / "edm.pkl"), {})


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"labels": [5]}, "labels: 5 is none of the network's classes, 0 to 4"),
        ({"labels": [-1]}, "0 to 4"),
        ({"labels": {"name": "x", "from": 0, "to": 1}}, "takes one of 5 classes, not a number"),
        ({"sigma": 0}, "sigma: 0 is no noise level"),
        ({"sigma": [80, -1]}, "sigma: -1 is no noise level"),
        ({"steps": 0}, "steps: 0 is no number of steps"),
        ({"preconditioning": "emd"}, "none called emd; did you mean edm?"),
        ({"sigmas": 3}, "takes no such option; did you mean sigma?"),
    ],
)
def test_wrong_options_are_refused(narrow, options, problem):
    with pytest.raises(AtlasError) as refusal:
        registry.chosen(narrow[0], options)
    assert problem in str(refusal.value)


def without(*keys):
    return lambda weights: [weights.pop(key) for key in keys]


def with_other(key, *shape):
    return lambda weights: weights.update({key: torch.ones(shape)})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            without("dec.8x8_in1.conv0.weight", "out_conv.bias"),
            r"2 of \d+ are missing \(conv_out.bias",
        ),
        (with_other("dec.8x8_in0.extra.weight", 2, 2), r"1 of its keys have no place .*in0.extra"),
        (with_other("out_conv.bias", 9), r"1 are of other shape \(conv_out.bias: \[9\] instead of"),
        (without("enc.8x8_block0.conv0.weight"), "has no enc.8x8_block0.conv0.weight"),
        (with_other("dec.5x5_block0.conv0.weight", 2, 2), "sides .* are not halved"),
        (with_other("enc.8x8_block0.conv0.weight", 96, 32, 3, 3), "no multiple of 64"),
        (
            with_other("enc.16x16_block0.conv0.weight", 6, 32, 3, 3),
            "can't be cut into the 17 groups",
        ),
        (with_other("enc.16x16_conv.weight", 32, 4, 3, 3), "draws 4 channels"),
        (
            with_other("enc.8x8_down.conv0.resample_filter", 1, 1, 4, 4),
            r"a filter of \[1, 1, 4, 4\]",
        ),
        (with_other("map_label.weight", 5), "has no map_label.weight of a DhariwalUNet"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_weight_is_read(tmp_path, change, problem):
    weights = plain_dhariwal.weights(NARROW)
    change(weights)
    torch.save(weights, tmp_path / "m.pt")
    with pytest.raises(AtlasError, match=problem) as refusal:
        DhariwalProbe(source(tmp_path / "m.pt"), {}).layers()
    assert "m.pt" in str(refusal.value)
