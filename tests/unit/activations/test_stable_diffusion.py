"""Stable Diffusion, held to diffusers' own pipelines on narrow networks of random weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from diffusers import LCMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

import narrow_pipelines
from atlas.activations.probes import registry, texts
from atlas.activations.probes.prompts import prompts_of
from atlas.activations.probes.stable_diffusion import StableDiffusionProbe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.activations.sources import Source
from atlas.basis.errors import AtlasError
from narrow_pipelines import PROMPTS

BATCH = Batch(5, (0, 1, 2))
OPTIONS = {"prompts": PROMPTS, "steps": 4, "guidance": 3.0}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = tmp_path_factory.mktemp("pipelines")
    narrow_pipelines.stable_diffusion(made / "sd")
    narrow_pipelines.xl(made / "xl")
    return {"sd": made / "sd", "xl": made / "xl"}


@pytest.fixture(scope="module")
def pipelines(folders):
    kinds = {"sd": StableDiffusionPipeline, "xl": StableDiffusionXLPipeline}
    made = {name: kind.from_pretrained(folders[name]) for name, kind in kinds.items()}
    for pipeline in made.values():
        pipeline.set_progress_bar_config(disable=True)
    return made


def drawn(probe, *layers, batch=BATCH, dtype="float32"):
    """Return a probe's images and the maps of layers, by name and time."""
    network = probe.load(torch.device("cpu"))
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(layers), has_maps=True, dtype=dtype) as kept,
    ):
        images = probe.draw(batch, kept)
        return images, {key: value.maps[0] for key, value in kept.taken().items()}


def directly(pipeline, **more):
    """Return images of a pipeline of diffusers for the same samples, 0 to 255, not rounded."""
    told = {
        "prompt": PROMPTS,
        "latents": BATCH.noise((4, 8, 8)),
        "guidance_scale": 3.0,
        "num_inference_steps": 4,
        "output_type": "np",
    }
    return 255 * pipeline(**(told | more)).images


@pytest.mark.parametrize("name", ["sd", "xl"])
def test_images_are_those_of_diffusers(folders, pipelines, name):
    probe = registry.chosen(Source(name, folders[name]), OPTIONS)
    assert isinstance(probe, StableDiffusionProbe)
    images, _ = drawn(probe)
    # the pipelines' step adds to the latents in place
    np.testing.assert_allclose(images, directly(pipelines[name]), atol=0.51)
    assert np.ptp(images) > 20


@pytest.mark.parametrize("name", ["sd", "xl"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_a_negative_prompt_and_no_guidance_are_as_in_diffusers(folders, pipelines, name, guidance):
    options = OPTIONS | {"guidance": guidance, "negative_prompt": "a photo"}
    images, _ = drawn(registry.chosen(Source(name, folders[name]), options))
    expected = directly(
        pipelines[name], guidance_scale=guidance, negative_prompt=["a photo"] * len(PROMPTS)
    )
    np.testing.assert_allclose(images, expected, atol=0.51)


def test_a_single_file_with_a_configuration_beside_it_draws_the_same(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    parts = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model",
             "text_encoder": "model"}  # fmt: skip
    weights = {
        f"{part}.{name}": value
        for part, file in parts.items()
        for name, value in load_file(folders["sd"] / part / f"{file}.safetensors").items()
    }
    save_file(weights, tmp_path / "all.safetensors")
    source = Source("all", tmp_path / "all.safetensors", configuration=folders["sd"])
    images, _ = drawn(registry.chosen(source, OPTIONS))
    expected, _ = drawn(registry.chosen(Source("sd", folders["sd"]), OPTIONS))
    np.testing.assert_array_equal(images, expected)


def test_steps_few_and_noisy_are_each_samples_own(folders):
    options = OPTIONS | {"scheduler": "LCMScheduler", "guidance": None}
    probe = registry.chosen(Source("xl", folders["xl"]), options)
    together, kept = drawn(probe, "mid")
    alone, alone_kept = drawn(probe, "mid", batch=Batch(5, (2,)))
    (time,) = probe.times
    torch.testing.assert_close(kept["mid", time][2:], alone_kept["mid", time])
    assert np.abs(together[2].astype(int) - alone[0]).max() <= 1
    pipeline = StableDiffusionXLPipeline.from_pretrained(folders["xl"])
    pipeline.scheduler = LCMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    generators = [torch.Generator().manual_seed(seed_of(5, index, "steps")) for index in range(3)]
    expected = directly(pipeline, guidance_scale=1.0, generator=generators)
    np.testing.assert_allclose(together, expected, atol=0.51)


def test_a_distilled_network_takes_its_own_steps_and_no_guidance(folders):
    source = Source("dmd", folders["xl"], architecture="dmd2_sdxl")
    probe = registry.chosen(
        source, {"prompts": PROMPTS, "timesteps": "all", "scheduler": "LCMScheduler"}
    )
    assert probe.times == (999.0, 749.0, 499.0, 249.0)
    assert probe.forwards == 4
    images, _ = drawn(probe)
    assert np.ptp(images) > 20
    usual = registry.chosen(Source("xl", folders["xl"]), {"prompts": PROMPTS})
    assert usual.forwards == 2 * 20


@pytest.mark.parametrize("branch", ["conditional", "unconditional"])
def test_one_branch_is_kept_at_the_steps_asked_for(folders, pipelines, branch):
    options = OPTIONS | {"branch": branch, "timesteps": [0, 2]}
    probe = registry.chosen(Source("sd", folders["sd"]), options)
    _, kept = drawn(probe, "mid")
    unet = pipelines["sd"].unet
    seen = []
    handle = unet.mid_block.register_forward_hook(lambda *given: seen.append(given[-1].clone()))
    directly(pipelines["sd"])
    handle.remove()
    rows = slice(3, 6) if branch == "conditional" else slice(0, 3)
    assert list(probe.times) == [float(t) for t in pipelines["sd"].scheduler.timesteps[[0, 2]]]
    for step, time in zip((0, 2), probe.times, strict=True):
        torch.testing.assert_close(kept["mid", time], seen[step][rows], rtol=1e-4, atol=1e-5)


def test_an_update_is_the_output_less_the_input(folders):
    probe = registry.chosen(Source("sd", folders["sd"]), OPTIONS)
    network = probe.load(torch.device("cpu"))
    seen = []
    handle = network.mid_block.register_forward_hook(
        lambda _, given, output: seen.append((output - given[0]).clone())
    )
    _, kept = drawn_with(probe, network, "mid.update")
    handle.remove()
    ((_, value),) = kept.items()
    torch.testing.assert_close(value, seen[2][3:])


def drawn_with(probe, network, *layers):
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(layers), has_maps=True, dtype="float32") as kept,
    ):
        images = probe.draw(BATCH, kept)
        return images, {key: value.maps[0] for key, value in kept.taken().items()}


def test_layers_are_named_by_block_and_what_has_no_update_is_told(folders):
    probe = registry.chosen(Source("sd", folders["sd"]), OPTIONS)
    names = list(probe.short_names)
    assert names[:3] == ["conv_in", "down.0", "down.0.resnets.0"]
    assert {"down.1.attentions.0", "mid", "mid.attentions.0", "up.0.attentions.1"} <= set(names)
    assert probe.layers(["down.1.attentions.0.update"])[0].shape == (16, 4, 4)
    with pytest.raises(AtlasError, match=r"up\.0\.update: has no update"):
        probe.layers(["up.0.update"])
    with pytest.raises(AtlasError, match=r"there is no layer 'dwn\.1'; did you mean down\.1"):
        probe.layers(["dwn.1"])


def test_real_images_are_encoded_and_seen_with_noise(folders, pipelines):
    options = OPTIONS | {"timesteps": [1]}
    probe = registry.chosen(Source("sd", folders["sd"]), options)
    network = probe.load(torch.device("cpu"))
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(["mid"]), has_maps=True, dtype="float32") as kept,
    ):
        probe.observe(images, BATCH, kept)
        ((_, value),) = kept.taken().items()
        pipeline = pipelines["sd"]
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
        latents = 0.5 * pipeline.vae.encode(pixels).latent_dist.mean
        pipeline.scheduler.set_timesteps(4)
        time = pipeline.scheduler.timesteps[1]
        noise = BATCH.noise((4, 8, 8), "noise at step 1")
        noisy = pipeline.scheduler.add_noise(latents, noise, time.expand(3))
        ids = pipeline.tokenizer(
            [""] * 3, padding="max_length", max_length=16, return_tensors="pt"
        ).input_ids
        seen = []
        handle = pipeline.unet.mid_block.register_forward_hook(
            lambda *given: seen.append(given[-1].clone())
        )
        pipeline.unet(noisy, time, pipeline.text_encoder(ids)[0])
        handle.remove()
    torch.testing.assert_close(value.maps[0], seen[0], rtol=1e-3, atol=1e-4)


def test_prompts_take_turns_and_are_told(folders):
    probe = registry.chosen(Source("sd", folders["sd"]), OPTIONS)
    assert probe.conditions(0, range(4)) == {"prompt": [*PROMPTS, PROMPTS[0]]}


def test_sizes_and_bytes_are_known_without_weights(folders):
    probe = registry.chosen(Source("sd", folders["sd"]), OPTIONS | {"size": [32, 16]})
    assert probe.image_size == (16, 32)
    assert probe.inputs(2)["sample"].shape == (4, 4, 8, 16)
    assert probe.forwards == 8
    pipeline = StableDiffusionPipeline.from_pretrained(folders["sd"])
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    numbers = sum(value.numel() for part in parts for value in part.parameters())
    assert probe.weight_bytes == 4 * numbers


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"prompts": None}, "prompts: none are given"),
        ({"timesteps": [4]}, "there is no step 4 of 4; they are counted from 0 to 3"),
        ({"scheduler": "DDIMSheduler"}, "did you mean DDIMScheduler"),
        ({"scheduler": "DPMSolverSDEScheduler"}, "none that draws each sample by itself"),
        ({"size": [18, 17]}, "take multiples of 4"),
    ],
)
def test_options_that_do_not_fit_are_told(folders, options, problem):
    with pytest.raises(AtlasError, match=problem):
        registry.chosen(Source("sd", folders["sd"]), OPTIONS | options)


def test_a_model_without_an_autoencoder_is_told_what_it_lacks(folders, tmp_path):
    shutil.copytree(folders["sd"], tmp_path / "sd")
    shutil.rmtree(tmp_path / "sd/vae")
    index = json.loads((tmp_path / "sd/model_index.json").read_text())
    (tmp_path / "sd/model_index.json").write_text(json.dumps(index | {"vae": [None, None]}))
    with pytest.raises(AtlasError, match="has no vae to run"):
        registry.chosen(Source("sd", tmp_path / "sd"), OPTIONS)


def test_inpainting_networks_are_refused_by_name(tmp_path):
    folder = narrow_pipelines.stable_diffusion(tmp_path / "in", in_channels=9)
    with pytest.raises(AtlasError, match="takes 9 channels and gives 4: that of inpainting"):
        registry.chosen(Source("in", folder), OPTIONS)


def test_without_a_tokenizer_and_a_hub_it_is_said_what_to_give(folders, tmp_path, monkeypatch):
    shutil.copytree(folders["sd"], tmp_path / "sd")
    shutil.rmtree(tmp_path / "sd/tokenizer")
    monkeypatch.setitem(texts.HUB, "tokenizer", str(tmp_path / "nowhere"))
    probe = registry.chosen(Source("sd", tmp_path / "sd"), OPTIONS)
    with pytest.raises(AtlasError, match=r"has no tokenizer, .* \(configuration: folder\)"):
        probe.load(torch.device("cpu"))


def test_weights_of_another_width_are_refused(folders, tmp_path):
    shutil.copytree(folders["sd"], tmp_path / "sd")
    place = tmp_path / "sd/unet/config.json"
    config = json.loads(place.read_text())
    place.write_text(json.dumps(config | {"block_out_channels": [8, 32]}))
    probe = registry.chosen(Source("sd", tmp_path / "sd"), OPTIONS)
    with pytest.raises(AtlasError, match="its unet has other shapes of"):
        probe.load(torch.device("cpu"))


def test_prompts_are_read_from_a_file_a_line_each(tmp_path):
    file = tmp_path / "prompts.txt"
    file.write_bytes("\ufeffein Bär\r\n\r\nzwei Bären\n".encode())
    assert prompts_of(str(file)) == ("ein Bär", "zwei Bären")
    assert prompts_of(["a", "b"]) == ("a", "b")


@pytest.mark.parametrize(
    ("content", "problem"),
    [("B\xe4r".encode("latin-1"), "is no text in UTF-8"), (b"\n \n", "has none")],
)
def test_files_of_prompts_that_can_not_be_read_are_told(tmp_path, content, problem):
    file = tmp_path / "prompts.txt"
    file.write_bytes(content)
    with pytest.raises(AtlasError, match=problem):
        prompts_of(str(file))
    with pytest.raises(AtlasError, match="did you mean"):
        prompts_of(str(tmp_path / "promts.txt"))
