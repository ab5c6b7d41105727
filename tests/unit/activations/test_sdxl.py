"""SDXL and its few-step relatives: images of diffusers' own pipeline from the same noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import LCMScheduler

import narrow_diffusion
from atlas.activations.probes import registry, scheduling
from atlas.activations.probes.latents import Autoencoder
from atlas.activations.probes.stable_diffusion import StableDiffusionProbe
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.architectures import catalogue
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source

CPU = torch.device("cpu")
PROMPTS = ["a cat", "a dog on a mat"]
SHAPE = (4, 8, 8)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdxl") / "m"
    return folder, narrow_diffusion.sdxl(folder)


def drawn(source: Source, batch: Batch, monkeypatch, **options):
    """Return images before rounding, 0 to 1, and what the middle block gave."""
    probe = registry.chosen(source, {"prompts": PROMPTS, "steps": 3} | options)
    seen = []
    decode = Autoencoder.pixels
    monkeypatch.setattr(
        Autoencoder, "pixels", lambda self, latents: seen.append(decode(self, latents)) or seen[-1]
    )
    layers = probe.layers()
    with Recorder(probe.load(CPU), layers, has_maps=True, dtype="float32") as kept:
        with torch.inference_mode():
            probe.draw(batch, kept)
        taken = kept.taken()
    return (seen[-1] / 2 + 0.5).clamp(0, 1), taken


def test_images_equal_those_of_diffusers(narrow, monkeypatch):
    folder, pipeline = narrow
    batch = Batch(3, (0, 1))
    ours, taken = drawn(Source("m", folder), batch, monkeypatch)
    theirs = narrow_diffusion.images_of(
        pipeline, PROMPTS, batch.noise(SHAPE), num_inference_steps=3, guidance_scale=5.0
    )
    assert theirs.std() > 0.01
    assert (ours - theirs).abs().max() < 1e-4
    ((_, time),) = taken
    assert (
        time
        == scheduling.made(
            "EulerDiscreteScheduler", dict(pipeline.scheduler.config), steps=3, is_distilled=False
        ).distinct[1]
    )


@pytest.mark.parametrize("is_zero", [True, False])
@pytest.mark.parametrize("negative", [None, "", "a bird"])
def test_the_branch_without_the_prompt_is_that_of_diffusers(
    tmp_path, monkeypatch, is_zero, negative
):
    pipeline = narrow_diffusion.sdxl(tmp_path / "m", is_zero=is_zero)
    batch = Batch(3, (0, 1))
    told = {} if negative is None else {"negative_prompt": negative}
    ours, _ = drawn(Source("m", tmp_path / "m"), batch, monkeypatch, **told, guidance=9)
    if negative is not None:
        told = {"negative_prompt": [negative] * 2}
    theirs = narrow_diffusion.images_of(
        pipeline, PROMPTS, batch.noise(SHAPE), num_inference_steps=3, guidance_scale=9.0, **told
    )
    assert (ours - theirs).abs().max() < 1e-4


def test_a_size_is_told_to_the_network(narrow, monkeypatch):
    folder, pipeline = narrow
    batch = Batch(3, (0, 1))
    ours, _ = drawn(Source("m", folder), batch, monkeypatch, size=[24, 16])
    assert ours.shape == (2, 3, 16, 24)
    theirs = narrow_diffusion.images_of(
        pipeline,
        PROMPTS,
        batch.noise((4, 8, 12)),
        num_inference_steps=3,
        width=24,
        height=16,
    )
    assert (ours - theirs).abs().max() < 1e-4


def test_lcm_draws_each_samples_noise_by_itself(narrow, monkeypatch):
    folder, pipeline = narrow
    batch = Batch(3, (0, 1))
    options = {"scheduler": "LCMScheduler", "guidance": None}
    ours, _ = drawn(Source("m", folder), batch, monkeypatch, **options)
    monkeypatch.setattr(pipeline, "scheduler", LCMScheduler.from_config(pipeline.scheduler.config))
    generators = [
        torch.Generator().manual_seed(seed_of(3, index, scheduling.PURPOSE)) for index in (0, 1)
    ]
    theirs = narrow_diffusion.images_of(
        pipeline,
        PROMPTS,
        batch.noise(SHAPE),
        num_inference_steps=3,
        guidance_scale=1.0,
        generator=generators,
    )
    assert (ours - theirs).abs().max() < 1e-4


def test_a_distilled_model_takes_four_steps_without_guidance(narrow, monkeypatch):
    folder, pipeline = narrow
    monkeypatch.setattr(Source, "catalogued", lambda *_: catalogue.load("dmd2_sdxl"))
    probe = StableDiffusionProbe(Source("m", folder), {"timesteps": "all"})
    assert probe.times == (999.0, 749.0, 499.0, 249.0)
    assert probe.forwards == 4
    one = StableDiffusionProbe(Source("m", folder), {"timesteps": "all", "steps": 1})
    assert one.times == (999.0,)
    batch = Batch(3, (0, 1))
    ours, _ = drawn(Source("m", folder), batch, monkeypatch, steps=4)
    monkeypatch.setattr(pipeline, "scheduler", LCMScheduler.from_config(pipeline.scheduler.config))
    theirs = narrow_diffusion.images_of(
        pipeline,
        PROMPTS,
        batch.noise(SHAPE),
        timesteps=[999, 749, 499, 249],
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=[
            torch.Generator().manual_seed(seed_of(3, index, scheduling.PURPOSE)) for index in (0, 1)
        ],
    )
    assert (ours - theirs).abs().max() < 1e-4


def test_what_the_unets_file_lacks_is_taken_of_the_configurations_folder(narrow, monkeypatch):
    folder, _ = narrow
    batch = Batch(3, (0, 1))
    whole = Source("m", folder)
    alone = Source("m", folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert not StableDiffusionProbe.fits(alone)
    alone = replace(alone, configuration=folder)
    assert StableDiffusionProbe.fits(alone)
    ours, _ = drawn(alone, batch, monkeypatch)
    theirs, _ = drawn(whole, batch, monkeypatch)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("is_zero", [True, False])
def test_real_images_are_shown_with_what_stands_for_no_text(tmp_path, is_zero):
    pipeline = narrow_diffusion.sdxl(tmp_path / "m", is_zero=is_zero)
    probe = StableDiffusionProbe(Source("m", tmp_path / "m"), {"steps": 3, "timesteps": [1]})
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    batch, time = Batch(3, (0, 1)), probe.times[0]
    with Recorder(probe.load(CPU), probe.layers(), has_maps=True, dtype="float32") as kept:
        with torch.inference_mode():
            probe.observe(images, batch, kept)
        (value,) = kept.taken()["mid", time].maps
    states, _, pooled, _ = pipeline.encode_prompt(
        "", num_images_per_prompt=2, do_classifier_free_guidance=False
    )
    scheduler, outputs = pipeline.scheduler, []
    scheduler.set_timesteps(3)
    told = {"text_embeds": pooled, "time_ids": torch.tensor([[16.0, 16, 0, 0, 16, 16]] * 2)}
    handle = pipeline.unet.mid_block.register_forward_hook(lambda *args: outputs.append(args[2]))
    with torch.no_grad():
        if is_zero:
            states, told["text_embeds"] = torch.zeros_like(states), torch.zeros_like(pooled)
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
        latents = pipeline.vae.encode(pixels).latent_dist.mean * pipeline.vae.config.scaling_factor
        noise = batch.noise(SHAPE, f"noise at {time!r}")
        noisy = scheduler.add_noise(latents, noise, scheduler.timesteps[1].expand(2))
        noisy = scheduler.scale_model_input(noisy, scheduler.timesteps[1])
        pipeline.unet(noisy, time, encoder_hidden_states=states, added_cond_kwargs=told)
    handle.remove()
    assert (value - outputs[0]).abs().max() < 1e-5


def test_a_batch_is_drawn_the_same_whatever_came_before(narrow):
    folder, _ = narrow
    options = {"prompts": PROMPTS, "steps": 3, "scheduler": "EulerAncestralDiscreteScheduler"}

    def last_of(batches: list[Batch]) -> torch.Tensor:
        probe = StableDiffusionProbe(Source("m", folder), options)
        with Recorder(probe.load(CPU), probe.layers(), has_maps=True, dtype="float32") as kept:
            with torch.inference_mode():
                for batch in batches:
                    probe.draw(batch, kept)
            ((_, value),) = kept.taken().items()
        return value.maps[-1]

    first, second = Batch(0, (0, 1, 2)), Batch(0, (3, 4, 5))
    assert torch.equal(last_of([first, second]), last_of([second]))
    assert not torch.equal(last_of([first]), last_of([second]))


def test_the_shapes_of_layers_come_without_a_weight(narrow):
    folder, pipeline = narrow
    probe = StableDiffusionProbe(Source("m", folder), {})
    assert [layer.shape for layer in probe.layers(["conv_in", "mid"])] == [(8, 8, 8), (16, 4, 4)]
    networks = (pipeline.unet, pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2)
    weights = sum(each.numel() for network in networks for each in network.parameters())
    assert probe.weight_bytes == 4 * weights
    half = StableDiffusionProbe(Source("m", folder), {"precision": "float16"})
    in_vae = sum(each.numel() for each in pipeline.vae.parameters())
    assert half.weight_bytes == 2 * weights + 2 * in_vae


def test_a_network_that_is_told_more_is_refused(tmp_path):
    narrow_diffusion.sdxl(tmp_path / "m", projection_class_embeddings_input_dim=WIDTH_OF_REFINER)
    with pytest.raises(AtlasError, match="SDXL's refiner"):
        StableDiffusionProbe(Source("m", tmp_path / "m"), {})


WIDTH_OF_REFINER = narrow_diffusion.WIDTH + 5 * narrow_diffusion.XL["addition_time_embed_dim"]
