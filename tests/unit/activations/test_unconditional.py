"""UNet2DModels of pixels: drawn and shown as their preconditioning says, labels and all."""

import json
from math import log, prod, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel, UNet2DModel
from diffusers.models.embeddings import TimestepEmbedding
from safetensors.torch import load_file, save_file

import narrow
from atlas.activations.probes import registry
from atlas.activations.probes.pixel_probe import as_images, as_pixels
from atlas.activations.probes.unconditional import UNetProbe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, batches
from atlas.basis.errors import AtlasError
from atlas.basis.shipped import load
from atlas.networks.sources import Source

CPU = torch.device("cpu")
CONFIG = {
    "sample_size": 8,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [32, 64],
    "layers_per_block": 1,
    "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"],
    "attention_head_dim": 32,
    "resnet_time_scale_shift": "scale_shift",
    "attn_norm_num_groups": 32,
}
CLASSES = {"num_class_embeds": 6}
NUMBER = {"class_embed_type": "identity"}
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def written(folder: Path, scheduler: str | None = None, **changes) -> Path:
    """Write a pipeline's folder with a random network; a numeric label's layers are in its file."""
    torch.manual_seed(0)
    network = UNet2DModel(**CONFIG | changes)
    network.save_pretrained(folder / "unet")
    if changes.get("class_embed_type") == "identity":
        layers = TimestepEmbedding(1, 16, out_dim=128).state_dict()
        save_file(
            load_file(folder / WEIGHTS) | {f"label_embedding.{k}": v for k, v in layers.items()},
            folder / WEIGHTS,
        )
    index = {"_class_name": "Pipeline", "unet": ["diffusers", "UNet2DModel"]}
    if scheduler:
        index["scheduler"] = ["diffusers", scheduler]
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def probe_of(path: Path, configuration: Path | None = None, **options) -> UNetProbe:
    probe = registry.chosen(Source("m", path, configuration=configuration), options)
    assert isinstance(probe, UNetProbe)
    return probe


def drawn(probe: UNetProbe, batch: Batch, layers=()):
    """Return images and what was kept of a batch."""
    network = probe.load(CPU)
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(layers), has_maps=True, dtype="float32") as kept,
    ):
        return probe.draw(batch, kept), kept.taken()


def plain(folder: Path) -> UNet2DModel:
    return UNet2DModel.from_pretrained(folder / "unet").eval()


def estimate(network, noisy, sigma, kind, **labels):
    """Return the image behind a noisy one by the formulas as the papers have them."""
    least = 0.002 if kind == "consistency" else 0
    skip = 0.25 / ((sigma - least) ** 2 + 0.25)
    out = (sigma - least) * 0.5 / sqrt(sigma**2 + 0.25)
    time = log(sigma) / 4 * (1000 if kind == "consistency" else 1)
    with torch.no_grad():
        times = torch.full((len(noisy),), time)
        change = network(noisy / sqrt(sigma**2 + 0.25), times, **labels).sample
    return skip * noisy + out * change


def check_images(images, pixels):
    """Hold images against pixels, to a level of grey: formulas round in another order."""
    assert images.std() > 5
    assert np.abs(images.astype(int) - as_images(pixels.clamp(-1, 1)).astype(int)).max() <= 1


@pytest.mark.parametrize("kind", ["edm", "consistency"])
def test_one_step_of_a_network_without_labels(tmp_path, kind):
    probe = probe_of(written(tmp_path), preconditioning=kind)
    batch = Batch(3, (5, 6))
    images, taken = drawn(probe, batch)
    assert probe.conditions(3, batch.indices) == {}
    check_images(images, estimate(plain(tmp_path), 80 * batch.noise((3, 8, 8)), 80.0, kind))
    assert images.shape == (2, 8, 8, 3)
    assert taken.keys() == {("mid", 80.0)}
    assert taken["mid", 80.0].maps[0].shape == (2, *probe.layers()[0].shape) == (2, 64, 4, 4)


def test_classes_are_told_as_diffusers_tells_them(tmp_path):
    probe = probe_of(written(tmp_path, **CLASSES))
    batch = Batch(0, (4, 5, 6))
    assert probe.conditions(0, batch.indices) == {"label": [4, 5, 0]}
    theirs = estimate(
        plain(tmp_path),
        80 * batch.noise((3, 8, 8)),
        80.0,
        "consistency",
        class_labels=torch.tensor([4, 5, 0]),
    )
    check_images(drawn(probe, batch)[0], theirs)


def test_no_label_adds_nothing_and_a_blend_is_the_blend_of_embeddings(tmp_path):
    folder = written(tmp_path, **CLASSES)
    probe = probe_of(folder, labels=["none", {1: 0.25, 2: 0.75}])
    _, taken = drawn(probe, Batch(0, (0, 1)), ["time_embedding", "mid"])
    network = plain(folder)
    rows = network.class_embedding.weight
    added = torch.stack([torch.zeros(128), 0.25 * rows[1] + 0.75 * rows[2]])
    network.class_embedding = torch.nn.Identity()
    seen = []
    network.mid_block.register_forward_hook(lambda *call: seen.append(call[2]))
    noisy = 80 * Batch(0, (0, 1)).noise((3, 8, 8))
    estimate(network, noisy, 80.0, "consistency", class_labels=added)
    torch.testing.assert_close(taken["mid", 80.0].maps[0], seen[0], rtol=1e-4, atol=1e-5)


def test_a_number_is_embedded_by_the_layers_in_the_unets_file(tmp_path):
    folder = written(tmp_path, in_channels=1, out_channels=1, **NUMBER)
    probe = probe_of(folder, labels={"name": "height", "from": 100, "to": 300})
    batch = Batch(1, (0, 1, 2))
    values = torch.tensor(probe.conditions(1, batch.indices)["height"])
    weights = load_file(folder / WEIGHTS)
    w1, b1, w2, b2 = (
        weights[f"label_embedding.linear_{i}.{kind}"] for i in (1, 2) for kind in ("weight", "bias")
    )
    hidden = torch.nn.functional.silu(((values - 100) / 200)[:, None] @ w1.T + b1)
    network, seen = plain(folder), []
    network.mid_block.register_forward_hook(lambda *call: seen.append(call[2]))
    label = hidden @ w2.T + b2
    noisy = 80 * batch.noise((1, 8, 8))
    theirs = estimate(network, noisy, 80.0, "consistency", class_labels=label)
    images, taken = drawn(probe, batch)
    check_images(images, theirs)
    torch.testing.assert_close(taken["mid", 80.0].maps[0], seen[0], rtol=1e-4, atol=1e-5)
    assert (images[..., 0] == images[..., 1]).all()
    assert (images[..., 0] == images[..., 2]).all()


@pytest.mark.parametrize("kind", ["edm", "consistency"])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("sigma", [80, 2, [0.5, 80, 0.5, 7]])
def test_layers_are_kept_at_each_level_and_forwards_are_counted(tmp_path, kind, steps, sigma):
    probe = probe_of(written(tmp_path), preconditioning=kind, steps=steps, sigma=sigma)
    levels = sorted(set(sigma if isinstance(sigma, list) else [sigma]), reverse=True)
    assert probe.times == tuple(levels)
    calls = []
    network = probe.load(CPU)
    network.register_forward_pre_hook(lambda *_: calls.append(1))
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(), has_maps=False, dtype="float32") as kept,
    ):
        images = probe.draw(Batch(0, (0, 1)), kept)
        taken = kept.taken()
    assert len(calls) == probe.forwards
    assert [time for _, time in taken] == levels
    assert all(len(value.means) == 1 for value in taken.values())
    # what is kept does not change the image
    only, _ = drawn(probe_of(tmp_path, preconditioning=kind, steps=steps), Batch(0, (0, 1)))
    assert np.array_equal(images, only)


def test_at_80_the_first_forward_is_kept_and_at_other_levels_the_drawn_image_with_noise(tmp_path):
    probe = probe_of(written(tmp_path), steps=2, sigma=[80, 1])
    batch = Batch(0, (0, 1))
    seen = []
    network = probe.load(CPU)
    hook = network.conv_in.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with Recorder(network, probe.layers(["conv_in"]), has_maps=True, dtype="float32") as kept:
        images = probe.draw(batch, kept)
        taken = kept.taken()
    hook.remove()
    assert len(seen) == 3
    assert torch.equal(taken["conv_in", 80.0].maps[0], network.conv_in(seen[0]))
    torch.testing.assert_close(seen[0], batch.noise((3, 8, 8)), rtol=1e-4, atol=1e-4)
    assert torch.equal(taken["conv_in", 1.0].maps[0], network.conv_in(seen[-1]))
    noise = seen[-1] * sqrt(1.25) - as_pixels(images, channels=3)
    assert abs(noise.std() - 1) < 0.1
    assert abs(torch.corrcoef(torch.stack([noise.flatten(), seen[0].flatten()]))[0, 1]) < 0.15


def test_of_a_drawn_image_what_can_be_seen_is_shown_again(tmp_path):
    probe = probe_of(written(tmp_path), sigma=0.002)
    network = probe.load(CPU)
    network.conv_out.weight.mul_(20)
    seen = []
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with Recorder(network, probe.layers(), has_maps=False, dtype="float32") as kept:
        images = probe.draw(Batch(0, (0, 1)), kept)
    assert ((images == 0) | (images == 255)).mean() > 0.3
    shown = seen[-1] * sqrt(0.002**2 + 0.25)
    torch.testing.assert_close(shown, as_pixels(images, channels=3), rtol=0, atol=0.02)


def test_a_sample_does_not_depend_on_the_chunk_it_is_drawn_in(tmp_path):
    probe = probe_of(written(tmp_path, **CLASSES), steps=2, sigma=[80, 0.5], labels="random")

    def all_of(starts, stop):
        means, images = [], []
        for start, end in zip(starts, [*starts[1:], stop], strict=True):
            for batch in batches(start, end, size=4, seed=9):
                image, taken = drawn(probe, batch)
                rows = [row for row, index in enumerate(batch.indices) if start <= index < end]
                images.append(image[rows])
                means.append(torch.stack([v.means[0][rows] for v in taken.values()], 1))
        return np.concatenate(images), torch.cat(means)

    one, several = all_of([0], 12), all_of([0, 3, 5, 10], 12)
    assert np.array_equal(one[0], several[0])
    assert torch.equal(one[1], several[1])


@pytest.mark.parametrize(("changes", "channels"), [(CLASSES, 3), ({}, 3), (NUMBER, 1)])
def test_given_images_are_shown_at_each_level_without_a_label(tmp_path, changes, channels):
    sizes = {"in_channels": channels, "out_channels": channels}
    probe = probe_of(written(tmp_path, **changes, **sizes), sigma=[80, 0.25])
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    network = probe.load(CPU)
    seen = []
    network.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append((args[0], kwargs["class_labels"])), with_kwargs=True
    )
    with Recorder(network, probe.layers(), has_maps=False, dtype="float32") as kept:
        probe.observe(images, Batch(0, (0, 1, 2)), kept)
        taken = kept.taken()
    assert [(time, len(kept.means[0])) for (_, time), kept in taken.items()] == [
        (80.0, 3),
        (0.25, 3),
    ]
    shown = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    if channels == 1:
        shown = shown.mean(1, keepdim=True)
    noise = seen[1][0] * sqrt(0.25**2 + 0.25) - shown
    assert abs(noise.std() - 0.25) < 0.05
    assert all(not label.any() if changes else label is None for _, label in seen)


def test_all_greys_go_to_pixels_and_back():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)
    for channels in (1, 3):
        pixels = as_pixels(levels, channels=channels)
        assert (pixels.min(), pixels.max()) == (-1, 1)
        assert np.array_equal(as_images(pixels), levels)


def test_pixels_beyond_the_range_are_cut_off_and_what_is_no_number_is_black():
    pixels = torch.tensor([-9.0, 9.0, float("nan"), 0.0]).reshape(1, 1, 2, 2)
    assert as_images(pixels)[0, ..., 0].flatten().tolist() == [0, 255, 0, 128]


def test_layers_by_short_name_and_path(tmp_path):
    probe = probe_of(written(tmp_path))
    assert list(probe.short_names) == ["conv_in", "down.0", "down.1", "mid", "up.0", "up.1"]
    layers = probe.layers([*probe.short_names, "mid_block"])
    assert [layer.shape for layer in layers] == [
        (32, 8, 8),
        (32, 4, 4),
        (64, 4, 4),
        (64, 4, 4),
        (64, 8, 8),
        (32, 8, 8),
        (64, 4, 4),
    ]
    (inner,) = probe.layers(["mid_block.resnets.0.update"])
    assert inner.is_update
    with pytest.raises(AtlasError, match=r"'midd'; did you mean mid\?"):
        probe.layers(["midd"])
    with pytest.raises(AtlasError, match="has no update"):
        probe.layers(["down.0.update"])


def test_edms_networks_are_told_levels_as_low_as_one_likes(tmp_path):
    assert probe_of(written(tmp_path), preconditioning="edm", sigma=0.001).times == (0.001,)


def test_weights_are_planned_as_they_run(tmp_path):
    probe = probe_of(written(tmp_path, **CLASSES))
    network = probe.load(CPU)
    held = sum(p.numel() * p.element_size() for p in network.parameters())
    assert probe.weight_bytes == held
    assert not any(p.is_meta for p in [*network.parameters(), *network.buffers()])
    assert {n for n, _ in network.named_modules()} == {n for n, _ in probe.skeleton.named_modules()}


@pytest.mark.parametrize(
    ("scheduler", "kind"),
    [
        (None, "consistency"),
        ("CMStochasticIterativeScheduler", "consistency"),
        ("EDMEulerScheduler", "edm"),
    ],
)
def test_the_scheduler_tells_the_preconditioning(tmp_path, scheduler, kind):
    assert probe_of(written(tmp_path, scheduler)).preconditioning.name == kind


def test_networks_that_are_told_timesteps_are_refused_unless_stated_otherwise(tmp_path):
    folder = written(tmp_path, "DDPMScheduler")
    with pytest.raises(AtlasError, match=r"scheduler is DDPMScheduler.*preconditioning: edm"):
        probe_of(folder)
    assert probe_of(folder, preconditioning="edm").preconditioning.name == "edm"


def test_a_file_with_the_configuration_of_a_folder(tmp_path):
    folder = written(tmp_path / "folder", **CLASSES)
    file = tmp_path / "m.safetensors"
    (folder / WEIGHTS).rename(file)
    probe = probe_of(file, configuration=folder)
    assert drawn(probe, Batch(0, (0,)))[0].shape == (1, 8, 8, 3)
    (folder / "unet" / "config.json").unlink()
    for configuration in (folder, None):
        with pytest.raises(AtlasError, match=r"m\.safetensors: has no unet/config\.json"):
            probe_of(file, configuration)


def test_a_file_of_an_architecture_of_the_catalogue_needs_no_configuration(tmp_path):
    told = load("architectures/adm64_diffusers")["denoiser"]
    header, size = {}, 0
    for name, shape in narrow.module_shapes(told["class"], told["config"]).items():
        places = [size, size := size + 2 * prod(shape)]
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": places}
    text = json.dumps(header).encode()
    file = tmp_path / "cd_imagenet64.safetensors"
    with file.open("wb") as written_to:
        written_to.write(len(text).to_bytes(8, "little") + text)
        written_to.truncate(8 + len(text) + size)  # no weight is read, so none is there
    probe = probe_of(file, labels=[999])
    assert probe.preconditioning.name == "consistency"
    assert probe.layers()[0].shape == (768, 8, 8)
    assert probe.weight_bytes == 4 * told["parameters"]
    with pytest.raises(AtlasError, match="1000 is none of the network's classes, 0 to 999"):
        probe_of(file, labels=[1000])


def test_a_folder_of_the_network_alone(tmp_path):
    probe = probe_of(written(tmp_path) / "unet")
    assert probe.image_size == (8, 8)
    assert drawn(probe, Batch(0, (0,)))[0].shape == (1, 8, 8, 3)


def test_networks_that_read_a_text_are_not_this_probes(tmp_path):
    network = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
    )
    network.save_pretrained(tmp_path / "unet")
    assert not UNetProbe.fits(Source("m", tmp_path))
    (tmp_path / "unet" / "config.json").unlink()
    assert not UNetProbe.fits(Source("m", tmp_path))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"time_embedding_type": "fourier"}, "its time embedding is fourier, as in NCSN++"),
        ({"in_channels": 4, "out_channels": 4}, "takes 4 channels and gives 4"),
        ({"out_channels": 6}, "takes 3 channels and gives 6"),
        ({"class_embed_type": "timestep"}, "embeds labels by timestep"),
        ({"sample_size": None}, "has no sample_size"),
    ],
)
def test_other_networks_are_refused(tmp_path, changes, problem):
    folder = written(tmp_path, **changes)
    with pytest.raises(AtlasError, match=problem):
        probe_of(folder)


def test_a_number_without_layers_that_embed_it_is_refused(tmp_path):
    folder = written(tmp_path, **NUMBER)
    weights = load_file(folder / WEIGHTS)
    named = {k: v for k, v in weights.items() if not k.startswith("label_embedding")}
    save_file(named, folder / WEIGHTS)
    with pytest.raises(AtlasError, match=r"no layers of its file.*label_embedding\.linear_1"):
        probe_of(folder)


def test_a_configuration_of_another_network_is_refused_before_a_weight_is_read(tmp_path):
    folder = written(tmp_path)
    config = folder / "unet" / "config.json"
    told = json.loads(config.read_text())
    config.write_text(json.dumps(told | {"layers_per_block": 2}))
    problem = r"\d+ of \d+ are missing \(down_blocks\.0\.resnets\.1.*"
    with pytest.raises(AtlasError, match=problem):
        probe_of(folder).layers()
    config.write_text(json.dumps(told | {"block_out_channels": [32, 96]}))
    with pytest.raises(AtlasError, match=r"\d+ are of other shape \(.*instead of"):
        probe_of(folder).layers()
    config.write_text(json.dumps(told | {"down_block_types": ["Nothing", "AttnDownBlock2D"]}))
    with pytest.raises(AtlasError, match="diffusers can't make a UNet2DModel"):
        probe_of(folder).layers()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"labels": [1]}, "takes no label"),
        ({"sigma": []}, "the list is empty"),
        ({"sigma": "80"}, "'80' is no noise level"),
        ({"sigma": [float("inf")]}, "inf is no noise level"),
        ({"sigma": True}, "True is no noise level"),
        ({"sigma": [80, 0.001]}, "0.001 is below 0.002"),
        ({"steps": 1.5}, "1.5 is no number of steps"),
        ({"preconditioning": "Edm"}, "none called Edm; did you mean edm?"),
        ({"step": 2}, "did you mean steps?"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, problem):
    written(tmp_path)
    with pytest.raises(AtlasError) as refusal:
        probe_of(tmp_path, **options)
    assert problem in str(refusal.value)
