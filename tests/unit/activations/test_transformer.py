"""Diffusion transformers, held to diffusers' own pipelines on narrow networks of random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

import narrow_pipelines
from atlas.activations.probes import registry
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.activations.sources import Source
from atlas.basis.errors import AtlasError
from narrow_pipelines import PROMPTS

BATCH = Batch(5, (0, 1, 2))
OPTIONS = {
    "prompts": PROMPTS,
    "steps": 3,
    "timesteps": [1, 2],
    "size": [16, 16],
    "guidance": 3.0,
}
KINDS = ("pixart", "sd3", "flux")
GUIDED = ("pixart", "sd3")
"""Those that take both branches of guidance in one forward."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = tmp_path_factory.mktemp("pipelines")
    return {name: getattr(narrow_pipelines, name)(made / name) for name in KINDS}


def made(folders, name, **options):
    return registry.chosen(Source(name, folders[name]), OPTIONS | options)


def drawn(probe, *layers, batch=BATCH):
    network = probe.load(torch.device("cpu"))
    with (
        torch.inference_mode(),
        Recorder(network, probe.layers(layers), has_maps=True, dtype="float32") as kept,
    ):
        images = probe.draw(batch, kept)
        return images, {key: value.maps[0] for key, value in kept.taken().items()}


def directly(folder, module):
    """Return images of the pipeline as it is, and what a module gives in each forward."""
    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    seen = []
    pipeline.transformer.get_submodule(module).register_forward_hook(
        lambda _, given, output: seen.append(output[-1] if isinstance(output, tuple) else output)
    )
    told = {"use_resolution_binning": False} if "PixArt" in type(pipeline).__name__ else {}
    images = pipeline(
        prompt=PROMPTS,
        height=16,
        width=16,
        num_inference_steps=3,
        guidance_scale=3.0,
        output_type="np",
        generator=[torch.Generator().manual_seed(seed_of(5, at, "noise")) for at in range(3)],
        **told,
    ).images
    return 255 * images, seen


@pytest.mark.parametrize("name", KINDS)
def test_images_and_layers_are_those_of_the_pipeline(folders, name):
    probe = made(folders, name)
    assert probe.name == "transformer"
    images, kept = drawn(probe, "block.1")
    expected, seen = directly(folders[name], "transformer_blocks.1")
    np.testing.assert_allclose(images, expected, atol=0.51)
    rows = slice(3, 6) if name in GUIDED else slice(0, 3)
    for step in (1, 2):
        torch.testing.assert_close(kept["block.1", step], seen[step][rows])


@pytest.mark.parametrize("name", KINDS)
def test_a_sample_does_not_depend_on_what_is_drawn_with_it(folders, name):
    probe = made(folders, name)
    together, kept = drawn(probe, "block.1")
    alone, alone_kept = drawn(probe, "block.1", batch=Batch(5, (2,)))
    torch.testing.assert_close(kept["block.1", 2.0][2:], alone_kept["block.1", 2.0])
    assert np.abs(together[2].astype(int) - alone[0]).max() <= 1


@pytest.mark.parametrize("name", KINDS)
def test_an_update_is_the_output_less_the_input(folders, name):
    probe = made(folders, name)
    names = list(probe.short_names)
    before, after = names[0], names[1]
    _, kept = drawn(probe, before, after, f"{after}.update")
    difference = kept[after, 1.0] - kept[before, 1.0]
    torch.testing.assert_close(kept[f"{after}.update", 1.0], difference)


def test_blocks_of_two_kinds_have_names_of_their_own(folders):
    assert list(made(folders, "flux").short_names) == ["block.0", "block.1", "single.0", "single.1"]
    _, kept = drawn(made(folders, "flux"), "single.1")
    assert kept["single.1", 1.0].shape == (3, 16, 32)  # image tokens alone


def test_the_other_branch_is_kept_where_both_are_in_one_forward(folders):
    _, told = drawn(made(folders, "sd3"), "block.1")
    _, blank = drawn(made(folders, "sd3", branch="unconditional"), "block.1")
    assert not torch.allclose(told["block.1", 1.0], blank["block.1", 1.0])
    with pytest.raises(AtlasError, match="FluxPipeline does not run so"):
        drawn(made(folders, "flux", branch="unconditional"), "block.1")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"timesteps": [3]}, "there is no step 3 of 3"),
        ({"timesteps": "some"}, "numbers of steps from 0 on, or all"),
        ({"sigma": 2.0}, "takes no such option"),
        ({"prompts": []}, "the list is empty"),
    ],
)
def test_options_that_do_not_fit_are_told(folders, options, problem):
    with pytest.raises(AtlasError, match=problem):
        made(folders, "sd3", **options)


def test_weights_without_a_pipeline_are_told_what_to_give(folders):
    file = folders["sd3"] / "transformer/diffusion_pytorch_model.safetensors"
    with pytest.raises(AtlasError, match="give the folder of the pipeline"):
        registry.chosen(Source("sd3", file), OPTIONS, name="transformer")


def test_real_images_are_refused_in_words(folders):
    probe = made(folders, "flux")
    with pytest.raises(AtlasError, match="shows no real images"):
        probe.observe(np.zeros((3, 16, 16, 3), np.uint8), BATCH, None)
