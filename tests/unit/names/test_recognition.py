"""The architecture of each component is recognised, or what differs is said."""

from pathlib import Path

import numpy as np
import pytest

import narrow
import originals
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint
from atlas.names import expected
from atlas.names.naming import Item, plan

FULL = {
    "sd1": ("sd15", {"unet": 686, "vae": 248, "text_encoder": 196}),
    "sd2": ("sd21", {"unet": 686, "vae": 248, "text_encoder": 372}),
    "sdxl": ("sdxl", {"unet": 1680, "vae": 248, "text_encoder": 196, "text_encoder_2": 517}),
}
KEYS = {
    "sd1": {"model.diffusion_model": 686, "first_stage_model": 248, "cond_stage_model": 197},
    "sd2": {"model.diffusion_model": 686, "first_stage_model": 248, "cond_stage_model": 294},
    "sdxl": {
        "model.diffusion_model": 1680,
        "first_stage_model": 248,
        "conditioner.embedders.0": 197,
        "conditioner.embedders.1": 390,
    },
}
"""Keys of the published single files by prefix; the encoders of CLIP's are 196 and position_ids."""


def table(architecture: str, component: str) -> dict[str, tuple[int, ...]]:
    """Return full names and shapes of the catalogue."""
    part = "text_encoder" if component.startswith("text") else component
    part = "denoiser" if component in {"unet", "transformer"} else part
    found = next(
        each
        for each in expected.tables(part)
        if component in expected.exact(each.shapes)
        and architecture in expected.exact(each.shapes)[component]
    )
    return dict(found.shapes)


def as_published(encoder: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return Stable Diffusion 2's text encoder with the last layer, which is never used."""
    layers = "text_model.encoder.layers"
    unused = {
        name.replace(f"{layers}.22.", f"{layers}.23."): shape
        for name, shape in encoder.items()
        if name.startswith(f"{layers}.22.")
    }
    return encoder | unused | {"text_projection.weight": (1024, 1024)}


def empty(shapes: dict[str, tuple[int, ...]]) -> narrow.Weights:
    """Return arrays of full size that take no memory."""
    return {name: np.broadcast_to(np.int8(0), shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("version", FULL)
def test_true_keys_and_shapes_map_without_remainder(version: str) -> None:
    architecture, counts = FULL[version]
    shapes = {name: table(architecture, name) for name in counts}
    if version == "sd2":
        shapes["text_encoder"] = as_published(shapes["text_encoder"])
    keys = originals.as_ldm({name: empty(own) for name, own in shapes.items()}, version)
    for prefix, count in KEYS[version].items():
        assert sum(key.startswith(f"{prefix}.") for key in keys) == count
    drawn = plan(tuple(Item(key, None, value.shape, "f16") for key, value in keys.items()))
    assert drawn.findings == ()
    assert dict(drawn.architectures) == dict.fromkeys(counts, architecture)
    planned = [tensor for several in drawn.tensors for tensor in several]
    assert len({tensor.name for tensor in planned}) == len(planned)
    for component in counts:
        own = {t.name.partition("/")[2]: t.shape for t in planned if t.component == component}
        assert len(own) == counts[component]
        assert own == table(architecture, component)


@pytest.mark.parametrize("file", ["sd1_sd12_sd14", "sd2_sd20_sd21", "sdxl_m1_m3"])
def test_published_keys_map_without_remainder(file: str) -> None:
    import json

    path = Path(__file__).parents[3].parent / "shared" / "data" / f"pair_{file}.json"
    if not path.exists():
        pytest.skip("published results are not here")
    pair = json.loads(path.read_text())
    keys = [*pair["kv"], *pair["da"]]
    shapes = {key: (6, 2) if key.endswith("weight") else (6,) for key in keys}
    drawn = plan(tuple(Item(key, None, shape, "f16") for key, shape in shapes.items()))
    assert not any("does not know" in finding for finding in drawn.findings)
    version = file.split("_")[0]
    architecture, counts = FULL[version]
    for component in counts:
        names = {
            planned.name.partition("/")[2]
            for several in drawn.tensors
            for planned in several
            if planned.component == component
        }
        assert names == table(architecture, component).keys()


@pytest.mark.parametrize("part", ["denoiser", "vae", "text_encoder"])
def test_every_component_of_the_catalogue_is_recognised(part: str) -> None:
    for each in expected.tables(part):
        items = tuple(
            Item(name, each.component, shape, "f16") for name, shape in each.shapes.items()
        )
        drawn = plan(items, each.architectures[-1])
        assert drawn.architectures == {each.component: each.architectures[-1]}
        assert drawn.findings == ()


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        (9, "an inpainting UNet"),
        (8, "as InstructPix2Pix"),
        (7, "an upscaling UNet"),
        (5, "follows a depth map"),
    ],
)
def test_what_a_unet_takes_beside_the_latent_is_told_in_words(channels: int, words: str) -> None:
    # an embedding that no known UNet has, so that none is recognised
    shapes = table("sd15", "unet") | {
        "conv_in.weight": (320, channels, 3, 3),
        "time_embedding.other.weight": (1, 1),
    }
    drawn = plan(tuple(Item(name, None, shape, "f16") for name, shape in shapes.items()))
    assert drawn.architectures == {}
    nearly, told = drawn.findings
    assert nearly.startswith("unet: nearly ")
    assert "1 besides (time_embedding.other.weight)" in nearly
    assert told.startswith("unet: ")
    assert words in told


@pytest.mark.parametrize(
    ("times", "words", "name"),
    [(6, "FLUX.1 Fill", "flux1_fill"), (2, "FLUX.1 Depth and Canny", "flux1_depth")],
)
def test_what_a_transformer_takes_beside_the_latent_is_told(
    times: int, words: str, name: str
) -> None:
    shapes = table("flux1_dev", "transformer")
    shapes["x_embedder.weight"] = (3072, 64 * times)
    drawn = plan(tuple(Item(name, None, shape, "f16") for name, shape in shapes.items()))
    assert drawn.architectures == {"transformer": name}
    del shapes["proj_out.bias"]
    drawn = plan(tuple(Item(name, None, shape, "f16") for name, shape in shapes.items()))
    assert drawn.architectures == {}
    assert words in drawn.findings[-1]


def test_missing_and_surplus_tensors_are_counted() -> None:
    shapes = table("flux1_dev", "transformer")
    shapes = {
        name: s for name, s in shapes.items() if not name.startswith("single_transformer_blocks.37")
    }
    drawn = plan(
        tuple(Item(name, None, s, "f16") for name, s in (shapes | {"extra.weight": (1,)}).items())
    )
    (finding,) = drawn.findings
    assert "nearly flux1_dev: 14 of 1160 missing (single_transformer_blocks.37" in finding
    assert "1 besides (extra.weight)" in finding


def test_a_narrow_model_is_built_like_the_wide_one(tmp_path: Path) -> None:
    unet = narrow.stable_diffusion("sd1")["unet"]
    opened = open_checkpoint(narrow.save(tmp_path / "narrow.safetensors", unet))
    assert opened.architectures == {}
    assert opened.findings == ("unet: built like sd15 (686 of 686 names), at other widths",)


def test_the_second_text_encoder_alone_keeps_its_number() -> None:
    shapes = table("sdxl", "text_encoder_2")
    drawn = plan(tuple(Item(name, None, shape, "f16") for name, shape in shapes.items()))
    assert drawn.architectures == {"text_encoder_2": "sdxl"}


def test_an_unknown_architecture_is_refused_with_the_nearest(tmp_path: Path) -> None:
    file = narrow.save(tmp_path / "m.safetensors", {"a": np.ones(2, np.float32)})
    with pytest.raises(AtlasError, match="did you mean sdxl"):
        open_checkpoint(file, architecture="sdxll")


def test_a_stated_architecture_is_held_against_the_file() -> None:
    shapes = table("sd15", "unet")
    drawn = plan(tuple(Item(name, None, shape, "f16") for name, shape in shapes.items()), "sdxl")
    assert drawn.architectures == {}
    assert "sdxl" in drawn.findings[0]


def test_generic_keeps_every_name(tmp_path: Path) -> None:
    unet = narrow.stable_diffusion("sd1")["unet"]
    file = narrow.save(tmp_path / "m.safetensors", unet)
    opened = open_checkpoint(file, architecture="generic")
    assert {tensor.name for tensor in opened.tensors} == {f"network/{name}" for name in unet}


def test_short_tables_expand_to_what_they_were() -> None:
    shapes = {f"a.{i}.b.{j}.weight": (i // 3, 2) for i in range(7) for j in (0, 1, 4)}
    short = expected.shortened(shapes)
    assert expected.expanded(short) == shapes
    assert len(short) == 3


@pytest.mark.parametrize("architecture", ["sd15", "sdxl", "sd3_medium", "flux1_dev"])
def test_tables_are_those_of_the_catalogue(architecture: str) -> None:
    """Run `python -m atlas.architectures.expected_tables` where this fails."""
    from atlas.architectures import catalogue
    from atlas.architectures.expected_tables import canonical_shapes

    for component in catalogue.load(architecture).components:
        fits = expected.exact(canonical_shapes(architecture, component))
        assert architecture in fits[component]


def test_no_table_is_empty() -> None:
    parts = ("denoiser", "vae", "text_encoder")
    assert all(each.shapes for part in parts for each in expected.tables(part))
    assert expected.exact({}) == {}


FIRST_NAMES = {
    "denoiser": [
        "adm64_diffusers",
        "auraflow_v02",
        "chroma",
        "cogview3_plus",
        "cogview4",
        "flux1_dev",
        "flux1_schnell",
        "flux2_dev",
        "flux2_klein4b",
        "hunyuandit",
        "kandinsky3",
        "lumina2",
        "lumina_next",
        "pixart_alpha_1024",
        "pixart_alpha_512",
        "qwen_image",
        "sana15_1600m",
        "sana_1600m",
        "sana_600m",
        "sd15",
        "sd21",
        "sd35_large",
        "sd35_medium",
        "sd3_medium",
        "sdxl",
        "z_image",
    ],
    "vae": ["chroma", "cogview4", "flux2_dev", "kandinsky3", "qwen_image", "sana_600m", "sd15"],
    "text_encoder": [
        "auraflow_v02",
        "chroma",
        "cogview4",
        "flux2_dev",
        "hunyuandit",
        "kandinsky3",
        "lumina2",
        "lumina_next",
        "qwen_image",
        "sd15",
        "sd21",
        "sd35_large",
        "sdxl",
        "z_image",
    ],
}
"""What each structure has been called since it is known: later entries of the same tensors, which
have longer names, change none."""


@pytest.mark.parametrize("part", FIRST_NAMES)
def test_what_was_recognised_keeps_its_name(part: str) -> None:
    from atlas.names.recognition import fitting

    called = {fitting(each.shapes)[0] for each in expected.tables(part)}
    assert set(FIRST_NAMES[part]) <= called


@pytest.mark.parametrize(
    "architecture",
    [
        "sd15_inpainting",
        "sd2_inpainting",
        "sdxl_inpainting",
        "instruct_pix2pix",
        "sd_x4_upscaler",
        "sdxl_refiner",
        "ssd_1b",
        "segmind_vega",
        "koala_700m",
        "kolors",
        "lcm_sdxl",
        "lcm_dreamshaper_v7",
    ],
)
def test_relatives_are_recognised_as_themselves(architecture: str) -> None:
    shapes = table(architecture, "unet")
    drawn = plan(tuple(Item(name, "unet", shape, "f16") for name, shape in shapes.items()))
    assert drawn.architectures == {"unet": architecture}
    assert drawn.findings == ()


def test_every_entry_of_the_catalogue_has_tables() -> None:
    from atlas.architectures import catalogue

    assert expected.architectures() == catalogue.names()
