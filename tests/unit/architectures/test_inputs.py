"""Inputs: every kind of component runs on the meta device with them; bad input.

That every denoiser runs is told in test_counting.py.
"""

import json
from dataclasses import replace

import pytest
import torch

from atlas.architectures import build, catalogue, inputs, sizes
from atlas.architectures.architecture import Architecture
from atlas.architectures.calls import CALLS, default
from atlas.basis.errors import AtlasError
from meta_modules import built, denoiser, run


def distinct(kind: str) -> list[tuple[str, str]]:
    """Return one entry and component for each distinct configuration in the catalogue."""
    found = {}
    for entry in catalogue.all_entries():
        for name, facts in entry.components.items():
            if name.startswith(kind):
                key = facts.class_name, json.dumps(dict(facts.config)), facts.tokens
                found.setdefault(key, (entry.name, name))
    return list(found.values())


@pytest.mark.parametrize("name", ["sdxl", "sd3_medium", "flux2_klein4b", "lumina2", "z_image"])
def test_denoisers_run_in_batches(name: str) -> None:
    entry = catalogue.load(name)
    result = run(denoiser(name), inputs.denoiser(entry, width=256, height=256, batch=3))[0]
    assert len(result) == 3


@pytest.mark.parametrize(("name", "component"), distinct("text_encoder"))
def test_text_encoders_run(name: str, component: str) -> None:
    entry = catalogue.load(name)
    arguments = inputs.text_encoder(entry, component)
    tokens = entry.components[component].tokens
    assert arguments["input_ids"].shape == (1, tokens)
    result = run(built(name, component), arguments)
    assert result.last_hidden_state.shape[:2] == (1, tokens)


@pytest.mark.parametrize(("name", "component"), distinct("vae"))
def test_autoencoders_run(name: str, component: str) -> None:
    entry = catalogue.load(name)
    vae = built(name, component)
    image = run(vae.decode, inputs.vae_decode(entry, width=256, height=128))[0]
    assert image.squeeze().shape == (3, 128, 256)
    latent = run(vae.encode, inputs.vae_encode(entry, width=256, height=128))[0]
    latent = latent if isinstance(latent, torch.Tensor) else latent.mode()
    columns, rows = entry.latent_size(256, 128)
    assert latent.squeeze().shape == (entry.latent.channels, rows, columns)


@pytest.mark.parametrize(
    "name", [name for name in catalogue.names() if catalogue.load(name).text is not None]
)
def test_a_denoiser_is_given_the_text_asked_for(name: str) -> None:
    entry = catalogue.load(name)
    assert entry.text is not None
    arguments = inputs.denoiser(entry, width=512, height=512, text_length=entry.text.most)
    texts = [value for key, value in arguments.items() if key.startswith("encoder_hidden_states")]
    texts += [text[None] for text in arguments.get("cap_feats", [])]
    expected = entry.text.cap if entry.text.most is None else entry.text.most
    assert sum(text.shape[1] for text in texts) == expected


def test_a_key_that_a_configuration_leaves_out_is_the_classs_default() -> None:
    entry = catalogue.load("sana_600m")
    config = {
        key: value for key, value in entry.denoiser.config.items() if key != "caption_channels"
    }
    shorter = replace(entry.denoiser, config=config)
    assert default(shorter, "caption_channels") == 2304
    left_out = replace(entry, components={**entry.components, "transformer": shorter})
    given = inputs.denoiser(left_out, width=512, height=512)
    assert given["encoder_hidden_states"].shape == (1, 300, 2304)
    with pytest.raises(AtlasError, match="SanaTransformer2DModel lacks the key no_such"):
        default(shorter, "no_such")


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        ({"num_class_embeds": 10}, (3,)),
        ({"class_embed_type": "timestep"}, (3,)),
        ({"class_embed_type": "identity"}, (3, 768)),
        ({}, None),
    ],
)
def test_classes_are_given_as_the_model_takes_them(
    config: dict[str, object], shape: tuple[int, ...] | None
) -> None:
    entry = catalogue.load("adm64_diffusers")
    plain = {key: value for key, value in entry.denoiser.config.items() if "class" not in key}
    facts = replace(entry.denoiser, config={**plain, **config}, parameters=None)
    own = replace(entry, components={"unet": facts})
    given = inputs.denoiser(own, width=64, height=64, batch=3)
    assert (given["class_labels"].shape if "class_labels" in given else None) == shape
    assert run(build.component(own, "unet"), given)[0].shape == (3, 3, 64, 64)


def test_every_way_to_call_is_used_by_an_entry() -> None:
    assert set(CALLS) == {entry.denoiser.class_name for entry in catalogue.all_entries()}


def test_a_class_that_nobody_can_call_is_told() -> None:
    entry = catalogue.load("sd15")
    facts = replace(entry.denoiser, class_name="UNetOfTomorrow")
    unknown: Architecture = replace(entry, components={**entry.components, "unet": facts})
    with pytest.raises(AtlasError, match=r"add how it is called .*architectures/calls\.py"):
        inputs.denoiser(unknown, width=512, height=512)


@pytest.mark.parametrize(
    ("name", "width", "height", "nearest"),
    [
        ("sd15", 500, 512, "504 x 512"),
        ("sd3_medium", 1000, 1000, "1008 x 1008"),
        ("flux1_dev", 1020, 1032, "1024 x 1040"),
        ("sana_600m", 1000, 1024, "992 x 1024"),
        ("kandinsky3", 1000, 1024, "1024 x 1024"),
        ("sd15", -512, 512, "8 x 512"),
        ("sd15", 0, 512, "8 x 512"),
        ("sd15", 10**9, 512, f"{sizes.LARGEST_SIDE} x 512"),
        ("auraflow_v02", 2048, 1024, "1024 x 1024"),
        ("sd3_medium", 4096, 512, "3072 x 512"),
    ],
)
def test_an_impossible_size_is_told_with_the_nearest(
    name: str, width: int, height: int, nearest: str
) -> None:
    entry = catalogue.load(name)
    with pytest.raises(AtlasError, match=f"nearest valid size is {nearest}"):
        inputs.denoiser(entry, width=width, height=height)
    with pytest.raises(AtlasError, match=f"nearest valid size is {nearest}"):
        inputs.vae_decode(entry, width=width, height=height)


def test_the_nearest_size_is_valid() -> None:
    for entry in catalogue.all_entries():
        for side in (-1, 1, 37, 1000, 1025, 10**6):
            multiple = entry.latent.pixel_multiple
            nearest = sizes.nearest_side(side, multiple, entry.largest or sizes.LARGEST_SIDE)
            sizes.check_size(entry, nearest, nearest)


@pytest.mark.parametrize(
    ("name", "component", "length"),
    [
        ("sd15", "text_encoder", 78),
        ("flux1_dev", "text_encoder_2", 513),
        ("sdxl", "text_encoder", 0),
    ],
)
def test_a_text_beyond_the_encoders_limit_is_told(name: str, component: str, length: int) -> None:
    with pytest.raises(AtlasError, match=f"{length} text tokens: its {component} .* takes 1 to"):
        inputs.text_encoder(catalogue.load(name), component, tokens=length)


@pytest.mark.parametrize(
    ("name", "length", "span"),
    [("flux1_dev", 513, "1 to 512"), ("hunyuandit", 77, "exactly 333"), ("sd15", 0, "1 to 77")],
)
def test_a_text_beyond_the_denoisers_limit_is_told(name: str, length: int, span: str) -> None:
    with pytest.raises(AtlasError, match=f"{length} text tokens: its denoiser takes {span}"):
        inputs.denoiser(catalogue.load(name), width=512, height=512, text_length=length)


@pytest.mark.parametrize(
    ("name", "length", "tokens"),
    [
        ("flux1_dev", None, [77, 512]),
        ("flux1_dev", 256, [77, 256]),
        ("sd3_medium", 333, [77, 77, 256]),
        ("sd3_medium", 589, [77, 77, 512]),
        ("sdxl", 40, [40, 40]),
        ("qwen_image", 1024, [1058]),
        ("hunyuandit", 333, [77, 256]),
    ],
)
def test_the_longest_encoder_gives_the_length_asked_for(
    name: str, length: int | None, tokens: list[int]
) -> None:
    entry = catalogue.load(name)
    assert [
        sizes.encoder_tokens_for(entry, encoder, facts, length)
        for encoder, facts in entry.text_encoders.items()
    ] == tokens


def test_text_for_a_model_without_text_is_told() -> None:
    with pytest.raises(AtlasError, match="adm64_diffusers takes no text"):
        inputs.denoiser(catalogue.load("adm64_diffusers"), width=64, height=64, text_length=77)


def test_missing_components_are_told() -> None:
    entry = catalogue.load("adm64_diffusers")
    with pytest.raises(AtlasError, match="has no vae"):
        inputs.vae_decode(entry, width=64, height=64)
    with pytest.raises(AtlasError, match=r"no text encoder text_encoder \(it has none\)"):
        inputs.text_encoder(entry, "text_encoder")


def test_a_batch_of_none_is_told() -> None:
    with pytest.raises(AtlasError, match="at least 1 image"):
        inputs.denoiser(catalogue.load("sd15"), width=512, height=512, batch=0)
