"""Transformers in their pipelines: what is drawn is the pipeline's, what is kept a hook's."""

import json
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

import narrow_pipelines
from atlas.activations.probes.transformer import LISTS, TransformerProbe, image_streams
from atlas.activations.recorder import Recorder
from atlas.activations.samples import Batch, seed_of
from atlas.architectures import build, catalogue, inputs
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source

CPU = torch.device("cpu")
KINDS = ["sd3", "flux", "pixart"]
ALL = list(narrow_pipelines.KINDS)
PROMPTS = ["a red square", "blue round", "seven on grass"]
OPTIONS = {"prompts": PROMPTS, "steps": 4, "size": [24, 16]}
FURTHER = {
    "sd3": {"guidance": 5.0, "negative_prompt": "grass"},
    "flux": {"guidance": 3.0},
    "pixart": {"guidance": 4.0, "negative_prompt": "grass"},
}
FURTHER["pixart_sigma"] = FURTHER["auraflow"] = FURTHER["pixart"]
"""How each pipeline is guided, as options."""
ARGUMENTS = {
    "sd3": {"guidance_scale": 5.0, "negative_prompt": ["grass"] * 2},
    "flux": {"guidance_scale": 3.0},
    "pixart": {
        "guidance_scale": 4.0,
        "negative_prompt": "grass",
        "use_resolution_binning": False,
        "clean_caption": False,
    },
}
ARGUMENTS["pixart_sigma"] = ARGUMENTS["pixart"]
ARGUMENTS["auraflow"] = {"guidance_scale": 4.0, "negative_prompt": ["grass"] * 2}
"""The same as the pipeline's own arguments."""
BATCH = Batch(7, (1, 2))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("pipelines")
    return {kind: narrow_pipelines.written(place / kind, kind) for kind in ALL}


@pytest.fixture(scope="module")
def undistilled(tmp_path_factory):
    """FLUX.1's network that is told no guidance, as schnell's."""
    folder = tmp_path_factory.mktemp("pipelines") / "flux"
    torch.manual_seed(0)
    narrow_pipelines.flux(folder, is_told_guidance=False)
    return folder


def probe_of(folder, kind, **options) -> TransformerProbe:
    return TransformerProbe(Source("m", folder), OPTIONS | FURTHER.get(kind, {}) | options)


def drawn(probe, batch=BATCH, layers=()):
    """Return images, and maps by layer and time."""
    network = probe.load(CPU)
    with (
        Recorder(network, probe.layers(layers), has_maps=True, dtype="float32") as kept,
        torch.inference_mode(),
    ):
        images = probe.draw(batch, kept)
        return images, {key: one.maps[0] for key, one in kept.taken().items()}


@contextmanager
def watched(module):
    """Note what a module is given and gives, forward after forward."""
    calls = []

    def note(_, args, kwargs, output):
        calls.append((args[0] if args else kwargs["hidden_states"], output))

    handle = module.register_forward_hook(note, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


def plainly(folder, module, arguments, batch=BATCH):
    """Call the pipeline as its users do; return images, timesteps and a module's forwards."""
    pipeline = DiffusionPipeline.from_pretrained(str(folder))
    pipeline.set_progress_bar_config(disable=True)
    generators = [
        torch.Generator().manual_seed(seed_of(batch.seed, index, "noise"))
        for index in batch.indices
    ]
    with watched(pipeline.transformer.get_submodule(module)) as calls, torch.inference_mode():
        images = pipeline(
            [PROMPTS[index % 3] for index in batch.indices],
            num_inference_steps=4,
            width=24,
            height=16,
            generator=generators,
            output_type="np",
            **arguments,
        ).images
    return images, pipeline.scheduler.timesteps.tolist(), calls


def image_stream(output):
    return output[1] if isinstance(output, tuple) else output


@pytest.mark.parametrize("kind", ALL)
def test_what_is_drawn_and_kept_equals_the_pipeline_with_a_plain_hook(folders, kind):
    probe = probe_of(folders[kind], kind, timesteps="all")
    images, maps = drawn(probe, layers=["block.1", "block.1.update"])
    block = f"{'joint_' if kind == 'auraflow' else ''}transformer_blocks.1"
    theirs, times, calls = plainly(folders[kind], block, ARGUMENTS[kind])
    assert (images == np.round(255 * theirs)).all()
    assert images.std() > 10
    assert probe.times == probe.timesteps == tuple(times)
    assert len(calls) == 4
    for time, (given, output) in zip(times, calls, strict=True):
        value, kept = image_stream(output)[-2:], maps["block.1", time]
        assert (kept - value).abs().max() <= 1e-6 * value.abs().max()
        update = value - given[-2:]
        assert (maps["block.1.update", time] - update).abs().max() <= 1e-6 * update.abs().max()


@pytest.mark.parametrize("kind", ALL)
def test_a_sample_does_not_depend_on_its_neighbours(folders, kind):
    probe = probe_of(folders[kind], kind)
    together, maps = drawn(probe, Batch(7, (1, 2)))
    apart, others = drawn(probe, Batch(7, (2, 5)))
    assert np.abs(together[1].astype(int) - apart[0]).max() <= 1
    for key, value in maps.items():
        assert (value[1] - others[key][0]).abs().max() <= 1e-5 * value.abs().max()
        assert (value[0] - others[key][1]).abs().max() > 1e-2 * value.abs().max()


@pytest.mark.parametrize("kind", KINDS)
def test_layers_have_the_shapes_that_the_meta_device_tells(folders, kind):
    probe = probe_of(folders[kind], kind)
    names = list(probe.short_names)
    _, maps = drawn(probe, layers=names)
    expected = {layer.name: layer.shape for layer in probe.layers(names)}
    assert {name: tuple(value.shape[1:]) for (name, _), value in maps.items()} == expected
    assert set(expected.values()) == {(24, 16)}


def test_short_names_are_blocks_of_both_kinds(folders):
    probe = probe_of(folders["flux"], "flux")
    assert {name: place.module for name, place in probe.short_names.items()} == {
        "block.0": "transformer_blocks.0",
        "block.1": "transformer_blocks.1",
        "single.0": "single_transformer_blocks.0",
        "single.1": "single_transformer_blocks.1",
    }
    assert probe.default_layers == ("single.0",)
    assert probe_of(folders["sd3"], "sd3").default_layers == ("block.1",)


def test_the_image_is_told_from_a_text_of_as_many_tokens(folders):
    probe = probe_of(folders["flux"], "flux", size=[64, 128])
    assert probe.architecture.image_tokens(64, 128) == probe.architecture.text.cap == 512
    assert {place.element for place in probe.short_names.values()} == {1}


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("sd3_medium", 1, 1),
        ("flux1_dev", 1, 1),
        ("pixart_sigma_1024", 0, 0),
        ("auraflow_v02", 1, 0),
    ],
)
def test_the_image_is_found_in_networks_of_full_size(name, first, last):
    architecture = catalogue.load(name)
    network = build.component(architecture, "transformer")
    blocks = [
        f"{path}.{number}"
        for paths in LISTS.values()
        for path in paths
        if hasattr(network, path)
        for number in range(len(network.get_submodule(path)))
    ]
    size = architecture.native
    streams = image_streams(network, blocks, inputs.denoiser(architecture, width=size, height=size))
    assert list(streams) == blocks
    # AuraFlow's single blocks work on one sequence of text and image
    assert (streams[blocks[0]], streams[blocks[-1]]) == (first, last)


@pytest.mark.parametrize("kind", ["sd3", "pixart"])
def test_the_branches_of_a_joint_forward_are_kept_apart(folders, kind):
    told, kept = drawn(probe_of(folders[kind], kind))
    untold, other = drawn(probe_of(folders[kind], kind, branch="unconditional"))
    _, times, calls = plainly(folders[kind], "transformer_blocks.1", ARGUMENTS[kind])
    value = image_stream(calls[2][1])
    assert (told == untold).all()
    assert (kept["block.1", times[2]] - value[2:]).abs().max() <= 1e-6 * value.abs().max()
    assert (other["block.1", times[2]] - value[:2]).abs().max() <= 1e-6 * value.abs().max()
    assert (value[2:] - value[:2]).abs().max() > 1e-3 * value.abs().max()


def test_the_branches_of_two_forwards_are_kept_apart(undistilled):
    guided = {"guidance": 2.0, "negative_prompt": "grass"}
    told, kept = drawn(probe_of(undistilled, "", **guided), layers=["block.1"])
    untold, other = drawn(
        probe_of(undistilled, "", **guided, branch="unconditional"), layers=["block.1"]
    )
    images, times, calls = plainly(
        undistilled,
        "transformer_blocks.1",
        {"true_cfg_scale": 2.0, "negative_prompt": ["grass"] * 2},
    )
    assert len(calls) == 8 == probe_of(undistilled, "", **guided).forwards
    assert (told == np.round(255 * images)).all()
    assert (told == untold).all()
    first, second = (image_stream(calls[place][1]) for place in (4, 5))
    assert (kept["block.1", times[2]] - first).abs().max() <= 1e-6 * first.abs().max()
    assert (other["block.1", times[2]] - second).abs().max() <= 1e-6 * first.abs().max()
    assert (first - second).abs().max() > 1e-2 * first.abs().max()


def test_guidance_is_off_where_the_option_says_so(folders):
    probe = TransformerProbe(Source("m", folders["sd3"]), OPTIONS | {"guidance": None})
    images, _ = drawn(probe)
    theirs, _, calls = plainly(folders["sd3"], "transformer_blocks.1", {"guidance_scale": 1.0})
    assert (images == np.round(255 * theirs)).all()
    assert [len(given) for given, _ in calls] == [2] * 4
    assert probe.forwards == 4
    assert probe.inputs(3)["hidden_states"].shape == (3, 4, 8, 12)
    assert probe_of(folders["sd3"], "sd3").inputs(3)["hidden_states"].shape == (6, 4, 8, 12)


def test_the_shift_for_larger_images_is_the_pipelines(folders, tmp_path):
    folder = shutil.copytree(folders["sd3"], tmp_path / "sd3")
    file = folder / "scheduler" / "scheduler_config.json"
    config = json.loads(file.read_text()) | {"use_dynamic_shifting": True, "base_shift": 0.9}
    file.write_text(json.dumps(config))
    probe = probe_of(folder, "sd3")
    _, times, _ = plainly(folder, "transformer_blocks.1", ARGUMENTS["sd3"])
    assert probe.timesteps == tuple(times)
    assert probe.timesteps != probe_of(folders["sd3"], "sd3").timesteps
    drawn(probe)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_take_the_bytes_that_the_meta_device_tells(folders, kind):
    probe = probe_of(folders[kind], kind)
    probe.load(CPU)
    modules = [m for m in probe._loaded.components.values() if isinstance(m, torch.nn.Module)]
    taken = sum(tensor.nbytes for m in modules for tensor in (*m.parameters(), *m.buffers()))
    assert taken == pytest.approx(probe.weight_bytes, rel=0.01)
    half = probe_of(folders[kind], kind, precision="bfloat16")
    assert half.weight_bytes * 2 == probe.weight_bytes


def test_half_precision_draws_about_the_same(folders):
    wide, _ = drawn(probe_of(folders["pixart"], "pixart", guidance=None, negative_prompt=None))
    probe = probe_of(
        folders["pixart"], "pixart", guidance=None, negative_prompt=None, precision="float16"
    )
    narrow, maps = drawn(probe)
    assert probe._loaded.transformer.dtype == torch.float16
    assert narrow.shape == wide.shape
    assert all(value.isfinite().all() for value in maps.values())


def shown(probe, batch=BATCH):
    """Show two pictures; return what the network is given and gives, and what is kept."""
    network = probe.load(CPU)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)
    entry = network.x_embedder if hasattr(network, "x_embedder") else network.pos_embed
    entered = []
    handle = entry.register_forward_pre_hook(lambda _, args: entered.append(args[0]))
    with (
        watched(network.transformer_blocks[1]) as calls,
        Recorder(network, probe.layers(["block.1"]), has_maps=True, dtype="float32") as kept,
        torch.inference_mode(),
    ):
        probe.observe(pictures, batch, kept)
    handle.remove()
    maps = {time: one.maps[0] for (_, time), one in kept.taken().items()}
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        latents = probe._loaded.vae.encode(pixels).latent_dist.mode()
    return entered, calls, maps, latents


@pytest.mark.parametrize("kind", KINDS)
def test_real_images_are_shown_with_each_steps_noise(folders, kind):
    probe = probe_of(folders[kind], kind, timesteps=[0, 2])
    entered, calls, maps, latents = shown(probe)
    assert list(maps) == list(probe.times)
    assert len(calls) == len(entered) == 2
    config = probe._loaded.vae.config
    clean = (latents - (config.shift_factor or 0)) * config.scaling_factor
    for time, given, (_, output) in zip(probe.times, entered, calls, strict=True):
        noise = BATCH.noise(clean.shape[1:], f"noise at {time!r}")
        if kind == "pixart":
            kept_share = float(probe._loaded.scheduler.alphas_cumprod[int(time)])
            noisy = kept_share**0.5 * clean + (1 - kept_share) ** 0.5 * noise
        else:
            noisy = (1 - time / 1000) * clean + time / 1000 * noise
        if kind == "flux":  # a token is two by two latent pixels, the channel first
            count, channels, height, width = noisy.shape
            tokens = noisy.reshape(count, channels, height // 2, 2, width // 2, 2)
            noisy = tokens.permute(0, 2, 4, 1, 3, 5).reshape(count, -1, channels * 4)
        assert (given - noisy).abs().max() < 1e-4
        assert torch.equal(maps[time], image_stream(output))


def test_what_is_drawn_does_not_depend_on_what_was_shown_before(folders):
    probe = probe_of(folders["pixart"], "pixart")
    before, _ = drawn(probe)
    shown(probe)
    network = probe._loaded.transformer
    with Recorder(network, [], has_maps=False, dtype="float32") as kept, torch.inference_mode():
        probe._kept_steps = ()
        assert (probe.draw(BATCH, kept) == before).all()


def test_samples_have_their_prompts_in_turn(folders, tmp_path):
    file = tmp_path / "prompts.txt"
    file.write_text("a café\nblue\n", encoding="utf-8")
    probe = probe_of(folders["pixart"], "pixart", prompts=str(file))
    assert probe.conditions(0, [0, 1, 2]) == {"prompt": ["a café", "blue", "a café"]}


def test_folders_with_a_transformer_are_known(folders, tmp_path):
    assert all(TransformerProbe.fits(Source("m", folder)) for folder in folders.values())
    index = tmp_path / "model_index.json"
    index.write_text('{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "x"]}')
    assert not TransformerProbe.fits(Source("m", tmp_path))


def test_a_transformer_alone_is_told_to_come_with_its_pipeline(folders):
    file = folders["sd3"] / "transformer" / "diffusion_pytorch_model.safetensors"
    with pytest.raises(AtlasError, match="give the pipeline's diffusers folder"):
        TransformerProbe(Source("m", file), OPTIONS)


FAULTS = [
    ({"timesteps": [4]}, "timesteps: 4 is none of the steps, 0 to 3"),
    ({"timesteps": []}, "timesteps: the list is empty"),
    ({"steps": 0}, "steps: 0 is no number of steps"),
    ({"size": [24]}, r"size: \[24\] is no \[width, height\]"),
    ({"size": [25, 16]}, "25 x 16 pixels is not possible: .* nearest valid size is 24 x 16"),
    ({"precision": "float"}, "precision: float is none"),
    ({"branch": "unconditionl"}, "did you mean unconditional"),
    ({"guidance": "much"}, "guidance: 'much' is no number"),
    ({"guidance": 1.0}, "negative_prompt: is read only with classifier-free guidance"),
    ({"negative_prompt": 3}, "negative_prompt: 3 is no text"),
    ({"prompts": []}, "prompts: the list is empty"),
    ({"prompts": "nowhere.txt"}, r"prompts: nowhere.txt: can't be read"),
]


@pytest.mark.parametrize(("options", "message"), FAULTS)
def test_faulty_options_are_told(folders, options, message):
    with pytest.raises(AtlasError, match=message):
        probe_of(folders["sd3"], "sd3", **options)


def test_an_unknown_layer_is_told_with_the_nearest(folders):
    with pytest.raises(AtlasError, match=r"no layer 'blok\.1'.*block\.1"):
        probe_of(folders["sd3"], "sd3").layers(["blok.1"])


def test_guidance_that_is_told_to_the_network_has_one_branch(folders):
    with pytest.raises(AtlasError, match="negative_prompt: is read only with"):
        probe_of(folders["flux"], "flux", negative_prompt="grass")
    with pytest.raises(AtlasError, match="guidance: None is no number"):
        probe_of(folders["flux"], "flux", guidance=None)


@pytest.fixture
def copied(folders, tmp_path):
    return shutil.copytree(folders["pixart"], tmp_path / "pixart")


def with_index(folder, **changed):
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    return folder


@pytest.mark.parametrize("name", ["PixArtAlfaPipeline", ["code", "PixArtAlphaPipeline"]])
def test_unknown_pipelines_are_refused(copied, name):
    with pytest.raises(AtlasError, match=r"how its pipeline .* is driven is not known"):
        probe_of(with_index(copied, _class_name=name), "pixart")


def test_no_code_of_a_folder_is_run(copied, tmp_path):
    trace = tmp_path / "trace"
    code = f"open({str(trace)!r}, 'w')\nclass T5EncoderModel: pass\n"
    for place in (copied, copied / "text_encoder"):
        (place / "own.py").write_text(code)
    probe = probe_of(with_index(copied, text_encoder=["own", "T5EncoderModel"]), "pixart")
    with pytest.raises(AtlasError, match="can't make its PixArtAlphaPipeline"):
        probe.load(CPU)
    assert not trace.exists()


def test_weights_that_are_not_safetensors_are_not_read(copied):
    for file in copied.glob("text_encoder/*.safetensors"):
        torch.save({}, file.with_name("pytorch_model.bin"))
        file.unlink()
    probe = probe_of(copied, "pixart")
    with pytest.raises(AtlasError, match="weights as safetensors"):
        probe.load(CPU)


def test_weights_of_another_depth_are_told(copied):
    file = copied / "transformer" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"num_layers": 4}))
    with pytest.raises(AtlasError, match=r"of the \d+ tensors .* lacking .*transformer_blocks.3"):
        _ = probe_of(copied, "pixart").skeleton


def test_a_pipeline_that_runs_other_timesteps_is_told(folders):
    probe = probe_of(folders["sd3"], "sd3")
    probe.__dict__["timesteps"] = (1000.0, 900.0, 800.0, 700.0)
    with pytest.raises(AtlasError, match=r"runs timestep .* in step 2, not 800"):
        drawn(probe)


def test_a_scheduler_whose_noise_is_no_samples_own_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders["sd3"], tmp_path / "sd3")
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"stochastic_sampling": True}))
    with pytest.raises(AtlasError, match="a sample would depend on its neighbours"):
        drawn(probe_of(folder, "sd3"))
