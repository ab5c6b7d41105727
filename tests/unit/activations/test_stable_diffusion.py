"""Stable Diffusion 1 and 2: images of diffusers' own pipeline, branches, steps, what is refused."""

import json
import shutil
from math import prod
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import narrow_diffusion
from atlas.activations.layers import Layer
from atlas.activations.probes import registry, scheduling, texts
from atlas.activations.probes.latents import Autoencoder, rounded
from atlas.activations.probes.stable_diffusion import OTHER_CHANNELS, StableDiffusionProbe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.architectures import catalogue, expected_tables
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source

CPU = torch.device("cpu")
PROMPTS = ["a cat", "a dog on a mat"]
SHAPE = (4, 8, 8)
RANDOM = ("DDPMScheduler", "EulerAncestralDiscreteScheduler", "LCMScheduler", "SASolverScheduler")
"""Schedulers that draw noise in their steps."""


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sd") / "m"
    return folder, narrow_diffusion.stable_diffusion(folder)


@pytest.fixture
def folder(narrow, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(narrow[0], tmp_path / "copy")


def source(path: Path, configuration: Path | None = None) -> Source:
    return Source("m", path, configuration=configuration)


def probe_of(path: Path, **options) -> StableDiffusionProbe:
    return StableDiffusionProbe(source(path), {"prompts": PROMPTS, "steps": 3} | options)


def seen_by(probe: StableDiffusionProbe, layers: tuple[Layer, ...], work):
    """Return the maps that layers gave while the probe did some work."""
    with Recorder(probe.load(CPU), layers, has_maps=True, dtype="float32") as kept:
        with torch.inference_mode():
            work(kept)
        return {key: torch.cat(value.maps) for key, value in kept.taken().items()}


def drawn(probe: StableDiffusionProbe, batch: Batch, monkeypatch) -> torch.Tensor:
    """Return images before they are rounded, 0 to 1."""
    decode, seen = Autoencoder.pixels, []
    with monkeypatch.context() as patch:
        patch.setattr(
            Autoencoder, "pixels", lambda self, given: seen.append(decode(self, given)) or seen[-1]
        )
        seen_by(probe, probe.layers(), lambda kept: probe.draw(batch, kept))
    return (seen[-1] / 2 + 0.5).clamp(0, 1)


def generators(batch: Batch) -> list[torch.Generator]:
    return [
        torch.Generator().manual_seed(seed_of(batch.seed, index, scheduling.PURPOSE))
        for index in batch.indices
    ]


@pytest.mark.parametrize(
    "name", ["DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler"]
)
@pytest.mark.parametrize("guidance", [7.5, None])
def test_images_equal_those_of_diffusers(narrow, monkeypatch, name, guidance):
    folder, pipeline = narrow
    batch = Batch(3, (0, 1))
    ours = drawn(probe_of(folder, scheduler=name, guidance=guidance), batch, monkeypatch)
    further = {"skip_prk_steps": True} if name == "PNDMScheduler" else {}
    told = getattr(diffusers, name).from_pretrained(folder, subfolder="scheduler", **further)
    monkeypatch.setattr(pipeline, "scheduler", told)
    theirs = narrow_diffusion.images_of(
        pipeline,
        PROMPTS,
        batch.noise(SHAPE),
        num_inference_steps=3,
        guidance_scale=guidance or 1.0,
    )
    assert theirs.std() > 0.01
    assert (ours - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("name", RANDOM)
def test_what_a_scheduler_draws_is_each_samples_own(narrow, monkeypatch, name):
    folder, pipeline = narrow
    batch = Batch(3, (0, 1))
    probe = probe_of(folder, scheduler=name)
    ours = drawn(probe, batch, monkeypatch)
    told = getattr(diffusers, name).from_pretrained(folder, subfolder="scheduler")
    monkeypatch.setattr(pipeline, "scheduler", told)
    theirs = narrow_diffusion.images_of(
        pipeline,
        PROMPTS,
        batch.noise(SHAPE),
        num_inference_steps=3,
        guidance_scale=7.5,
        generator=generators(batch),
    )
    assert (ours - theirs).abs().max() < 1e-4
    alone = drawn(probe, Batch(3, (1,)), monkeypatch)
    assert (ours[1] - alone[0]).abs().max() < 1e-4
    other = drawn(probe, Batch(4, (1,)), monkeypatch)
    assert (other - alone).abs().max() > 1e-3


@pytest.mark.parametrize("branch", ["conditional", "unconditional"])
@pytest.mark.parametrize("negative", [None, "a bird"])
def test_the_asked_branch_is_kept(narrow, branch, negative):
    folder, pipeline = narrow
    batch = Batch(3, (0, 1))
    told = {} if negative is None else {"negative_prompt": negative}
    probe = probe_of(folder, timesteps=[0], branch=branch, **told)
    seen = seen_by(probe, probe.layers(["mid"]), lambda kept: probe.draw(batch, kept))
    told = PROMPTS if branch == "conditional" else [negative or ""] * 2
    embedded, _ = pipeline.encode_prompt(told, CPU, 1, do_classifier_free_guidance=False)
    outputs = []
    handle = pipeline.unet.mid_block.register_forward_hook(lambda *args: outputs.append(args[2]))
    with torch.no_grad():
        pipeline.unet(batch.noise(SHAPE), probe.times[0], encoder_hidden_states=embedded)
    handle.remove()
    assert (seen["mid", probe.times[0]] - outputs[0]).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["DDIMScheduler", "EulerDiscreteScheduler"])
def test_real_images_are_shown_with_noise_and_without_a_text(narrow, name):
    folder, pipeline = narrow
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    batch = Batch(3, (0, 1))
    probe = probe_of(folder, timesteps=[0, 2], scheduler=name, negative_prompt="a bird")
    seen = seen_by(probe, probe.layers(["mid"]), lambda kept: probe.observe(images, batch, kept))
    embedded, _ = pipeline.encode_prompt([""] * 2, CPU, 1, do_classifier_free_guidance=False)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    scheduler = getattr(diffusers, name).from_pretrained(folder, subfolder="scheduler")
    outputs = []
    handle = pipeline.unet.mid_block.register_forward_hook(lambda *args: outputs.append(args[2]))
    with torch.no_grad():
        latents = pipeline.vae.encode(pixels).latent_dist.mean * pipeline.vae.config.scaling_factor
        scheduler.set_timesteps(3)
        for number in (0, 2):
            time = scheduler.timesteps[number]
            noise = batch.noise(SHAPE, f"noise at {float(time)!r}")
            noisy = scheduler.add_noise(latents, noise, time.expand(2))
            scheduler._step_index = None
            noisy = scheduler.scale_model_input(noisy, time)
            pipeline.unet(noisy, time, encoder_hidden_states=embedded)
    handle.remove()
    assert list(seen) == [("mid", time) for time in probe.times]
    for value, output in zip(seen.values(), outputs, strict=True):
        assert (value - output).abs().max() < 1e-5


def single_file(folder: Path, path: Path) -> None:
    """Write a folder's weights in one file, with positions as old ones have them."""
    weights = {
        f"{part}.{name}": tensor
        for part in ("unet", "vae", "text_encoder")
        for file in sorted((folder / part).glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }
    positions = torch.arange(narrow_diffusion.TOKENS)[None]
    weights["text_encoder.text_model.embeddings.position_ids"] = positions
    save_file(weights, path)


def test_a_single_file_with_a_configuration_draws_the_same(narrow, tmp_path, monkeypatch):
    folder, _ = narrow
    single_file(folder, tmp_path / "m.safetensors")
    given = source(tmp_path / "m.safetensors", configuration=folder)
    probe = registry.chosen(given, {"prompts": PROMPTS, "steps": 3})
    batch = Batch(3, (0, 1))
    assert torch.equal(
        drawn(probe, batch, monkeypatch), drawn(probe_of(folder), batch, monkeypatch)
    )


def test_a_single_file_of_unknown_widths_needs_a_configuration(narrow, tmp_path):
    single_file(narrow[0], tmp_path / "m.safetensors")
    with pytest.raises(AtlasError, match=r"name a diffusers folder that has unet/config\.json"):
        StableDiffusionProbe(source(tmp_path / "m.safetensors"), {})


def test_kept_steps_are_counted_by_distinct_timesteps(narrow):
    folder, _ = narrow
    probe = probe_of(folder, scheduler="PNDMScheduler", steps=4, timesteps="all")
    assert probe.times == (751.0, 501.0, 251.0, 1.0)
    assert probe.forwards == 2 * 5  # the first but one is passed twice
    assert probe_of(folder, steps=4).times == (251.0,)
    assert probe_of(folder, steps=4, timesteps=[3, 0, 3]).times == (751.0, 1.0)
    seen = seen_by(probe, probe.layers(), lambda kept: probe.draw(Batch(0, (0,)), kept))
    assert [value.shape[0] for value in seen.values()] == [1] * 4


def test_layers_have_short_names_and_updates(narrow):
    folder, pipeline = narrow
    probe = probe_of(folder)
    names = [
        "conv_in",
        "down.0",
        "down.0.resnets.0",
        "down.1",
        "down.1.resnets.0",
        "down.1.attentions.0",
        "mid_block",
        "mid",
        "mid.resnets.0",
        "mid.resnets.1",
        "mid.attentions.0",
    ]
    assert list(probe.short_names)[: len(names)] == names
    assert len(probe.short_names) == len(set(probe.short_names))
    modules = dict(pipeline.unet.named_modules())
    assert all(place.module in modules for place in probe.short_names.values())
    updates = ["mid.update", "down.1.attentions.0.update", "up.0.attentions.1.update"]
    shapes = [layer.shape for layer in probe.layers(updates)]
    assert shapes == [(16, 4, 4), (16, 4, 4), (16, 4, 4)]
    with pytest.raises(AtlasError, match=r"down\.0\.update: has no update"):
        probe.layers(["down.0.update"])
    with pytest.raises(AtlasError, match=r"no layer 'dwn\.0'"):
        probe.layers(["dwn.0"])


def test_inputs_have_a_row_for_each_branch(narrow):
    folder, _ = narrow
    assert probe_of(folder).inputs(3)["sample"].shape == (6, *SHAPE)
    one = probe_of(folder, guidance=1, size=[32, 16]).inputs(3)
    assert one["sample"].shape == (3, 4, 8, 16)
    assert one["encoder_hidden_states"].shape == (3, narrow_diffusion.TOKENS, 8)
    assert probe_of(folder, precision="float16").skeleton.dtype == torch.float16


def test_samples_have_their_prompts_as_a_column(narrow):
    columns = probe_of(narrow[0]).conditions(0, [0, 1, 2])
    assert columns == {"prompt": ["a cat", "a dog on a mat", "a cat"]}


def test_a_prompts_embedding_does_not_depend_on_what_came_before(narrow, monkeypatch):
    monkeypatch.setattr(texts, "REMEMBERED", 1)
    probe = probe_of(narrow[0])
    probe.load(CPU)
    with torch.inference_mode():
        first = probe._texts.told(["a", "b", "a"]).states
        again = probe._texts.told(["a"]).states
    assert torch.equal(first[0], first[2])
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], first[1])
    assert len(probe._texts._remembered) == 1


def test_a_long_prompt_is_cut_and_said_so(narrow, caplog):
    probe = probe_of(narrow[0], prompts=["many words " * 9])
    probe.load(CPU)
    with torch.inference_mode():
        assert probe._texts.told(["many words " * 9]).states.shape == (1, 16, 8)
    assert "the network reads the first 16" in caplog.text


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_a_narrower_precision_is_near(narrow, precision, monkeypatch):
    batch = Batch(3, (0, 1))
    half = drawn(probe_of(narrow[0], precision=precision), batch, monkeypatch)
    full = drawn(probe_of(narrow[0]), batch, monkeypatch)
    assert 0 < (half - full).abs().max() < 0.1


def test_pixels_are_rounded_to_the_nearest_level_and_nan_is_black():
    pixels = torch.tensor([-1.0, -1 + 2.4 / 255, 0.0, 1.0, 9.0, float("nan")]).view(6, 1, 1, 1)
    levels = rounded(pixels.expand(6, 3, 1, 1))
    assert levels[:, 0, 0, 0].tolist() == [0, 1, 128, 255, 255, 0]


@pytest.mark.parametrize("channels", OTHER_CHANNELS)
def test_unets_that_are_given_more_than_latents_are_refused_by_name(tmp_path, channels):
    narrow_diffusion.stable_diffusion(tmp_path / "m", in_channels=channels)
    what = OTHER_CHANNELS[channels].partition(":")[0]
    with pytest.raises(AtlasError, match=f"takes {channels} channels \\({what}"):
        registry.chosen(source(tmp_path / "m"), {})


def test_it_knows_its_networks(narrow, tmp_path):
    folder, _ = narrow
    assert registry.chosen(source(folder), {}).name == "stable_diffusion"
    assert not StableDiffusionProbe.fits(source(folder / "vae"))


def test_a_network_that_is_not_there_is_told(folder):
    shutil.rmtree(folder / "text_encoder")
    assert not StableDiffusionProbe.fits(source(folder))
    with pytest.raises(AtlasError, match="has no text_encoder, which Stable Diffusion needs"):
        StableDiffusionProbe(source(folder), {})


def changed(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_another_networks_configuration_is_told(folder):
    changed(folder / "unet" / "config.json", cross_attention_dim=12)
    with pytest.raises(AtlasError, match=r"tensors of its unet are not those.* of other shape"):
        _ = StableDiffusionProbe(source(folder), {}).skeleton


def test_a_network_of_another_class_is_told(folder):
    changed(folder / "text_encoder" / "config.json", architectures=["T5EncoderModel"])
    with pytest.raises(AtlasError, match="its text_encoder is a T5EncoderModel"):
        StableDiffusionProbe(source(folder), {})


def test_a_configuration_of_which_no_network_can_be_made_is_told(folder):
    changed(folder / "unet" / "config.json", down_block_types=["NoBlock", "NoBlock"])
    with pytest.raises(AtlasError, match="no UNet2DConditionModel can be made"):
        _ = StableDiffusionProbe(source(folder), {}).skeleton


def test_a_unet_that_is_told_its_guidance_is_refused(folder):
    changed(folder / "unet" / "config.json", time_cond_proj_dim=8)
    with pytest.raises(AtlasError, match="told the strength of guidance"):
        StableDiffusionProbe(source(folder), {})


def test_a_tokeniser_that_is_nowhere_is_told(folder, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to the hub\nmore")

    shutil.rmtree(folder / "tokenizer")
    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(AtlasError, match="give configuration: a diffusers folder that") as error:
        StableDiffusionProbe(source(folder), {}).load(CPU)
    assert "not fetched (no route to the hub)" in str(error.value)


def test_a_broken_tokeniser_is_told(folder):
    for file in (folder / "tokenizer").iterdir():
        file.write_text("{")
    with pytest.raises(AtlasError, match="can't be read as a tokenizer"):
        StableDiffusionProbe(source(folder), {}).load(CPU)


def test_without_a_scheduler_the_catalogue_tells_what_is_predicted(folder, monkeypatch):
    shutil.rmtree(folder / "scheduler")
    with pytest.raises(AtlasError, match=r"scheduler/scheduler_config\.json"):
        StableDiffusionProbe(source(folder), {})
    monkeypatch.setattr(Source, "catalogued", lambda *_: catalogue.load("sd21"))
    schedule = StableDiffusionProbe(source(folder), {})._schedule
    assert schedule.name == "DDIMScheduler"
    assert schedule.config["prediction_type"] == "v_prediction"
    assert schedule.start(CPU).alphas_cumprod[-1] == pytest.approx(0.00466, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"guidance": "strong"}, "guidance: 'strong' is no number"),
        ({"guidance": float("nan")}, "guidance: nan is no number"),
        ({"branch": "condtional"}, "branch: condtional is none; did you mean conditional"),
        ({"branch": "unconditional", "guidance": 1}, "run only with guidance above 1"),
        ({"steps": 0}, "steps: 0 is no number of steps"),
        ({"steps": 2.5}, "steps: 2.5 is no number of steps"),
        ({"steps": 5000}, "can't make 5000 steps"),
        ({"timesteps": [3], "steps": 3}, "timesteps: 3 is none of the steps, 0 to 2"),
        ({"timesteps": [-1]}, "timesteps: -1 is none"),
        ({"timesteps": []}, "timesteps: the list is empty"),
        ({"timesteps": "some"}, "timesteps: 'some' is none"),
        ({"size": [17, 16]}, "is not divisible by 2"),
        ({"size": [16]}, "is no \\[width, height\\]"),
        ({"size": [0, 16]}, "is no \\[width, height\\]"),
        ({"scheduler": "DDIMSchedular"}, "did you mean DDIMScheduler"),
        ({"scheduler": "DPMSolverSDEScheduler"}, "one noise for all samples of a batch"),
        ({"precision": "float8"}, "precision: float8 is none"),
        ({"negative_prompt": ["a"]}, "negative_prompt"),
        ({"prompts": []}, "the list is empty"),
    ],
)
def test_bad_options_are_told(narrow, options, problem):
    with pytest.raises(AtlasError, match=problem):
        StableDiffusionProbe(source(narrow[0]), options)


def written_header(path: Path, architecture: str) -> None:
    """Write the header of a file in float16 with an architecture's networks; it holds zeros."""
    shapes = {
        f"{part}.{name}": shape
        for part in catalogue.load(architecture).components
        for name, shape in expected_tables.canonical_shapes(architecture, part).items()
    }
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + end)  # takes no room on the disk


UNETS = {"sd15": 859_520_964, "sd21": 865_910_724, "sdxl": 2_567_463_684}
ENCODERS = {"sd15": 123_060_480, "sd21": 340_387_840, "sdxl": 123_060_480 + 694_659_840}
AUTOENCODER = 83_653_863
"""Weights as published."""


@pytest.mark.parametrize(
    ("architecture", "side", "scheduler", "middle"),
    [
        ("sd15", 512, "DDIMScheduler", (1280, 8, 8)),
        ("sd21", 768, "DDIMScheduler", (1280, 12, 12)),
        ("sdxl", 1024, "EulerDiscreteScheduler", (1280, 32, 32)),
    ],
)
def test_single_files_of_full_size_are_known_by_their_header(
    tmp_path, architecture, side, scheduler, middle
):
    written_header(tmp_path / "m.safetensors", architecture)
    probe = registry.chosen(source(tmp_path / "m.safetensors"), {"precision": "float16"})
    assert probe.image_size == (side, side)
    assert (probe.forwards, probe._schedule.name) == (40, scheduler)
    halves = UNETS[architecture] + ENCODERS[architecture]
    assert probe.weight_bytes == 2 * halves + 4 * AUTOENCODER
    assert [layer.shape for layer in probe.layers(["mid.update"])] == [middle]
    for component in probe._needed:  # held against the header
        probe._components.skeleton(component)
    prediction = catalogue.load(architecture).sampling.prediction
    assert probe._schedule.config["prediction_type"] == prediction


def test_a_stated_distilled_architecture_brings_its_own_defaults(tmp_path):
    written_header(tmp_path / "m.safetensors", "sdxl")
    stated = Source("m", tmp_path / "m.safetensors", architecture="dmd2_sdxl")
    probe = StableDiffusionProbe(stated, {"timesteps": "all"})
    assert probe.times == (999.0, 749.0, 499.0, 249.0)
    assert (probe.forwards, probe._schedule.name) == (4, "LCMScheduler")
    guided = StableDiffusionProbe(stated, {"guidance": 2, "scheduler": "EulerDiscreteScheduler"})
    assert guided.forwards == 8
