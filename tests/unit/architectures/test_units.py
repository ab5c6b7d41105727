"""MBW units: their published numbers, their marks, and that nothing is lost or doubled."""

import pytest

from atlas.architectures import build, catalogue, units
from atlas.names import expected
from atlas.names.blocks import blocks_of
from meta_modules import built, denoiser

COUNTS = {
    "sd15": 25,
    "sd21": 25,
    "sd21_base": 25,
    "sdxl": 19,
    "dmd2_sdxl": 19,
    "sd3_medium": 24,
    "sd35_medium": 24,
    "sd35_large": 38,
    "hunyuandit": 40,
    "auraflow_v02": 36,
    "flux1_dev": 57,
    "flux1_schnell": 57,
    "chroma": 57,
    "flux2_dev": 56,
    "flux2_klein4b": 25,
    "qwen_image": 60,
    "z_image": 30,
    "lumina2": 26,
    "lumina_next": 24,
    "pixart_alpha_512": 28,
    "pixart_alpha_1024": 28,
    "pixart_sigma_1024": 28,
    "cogview3_plus": 30,
    "cogview4": 28,
    "sana_600m": 28,
    "sana_1600m": 20,
    "sana15_1600m": 20,
    "kandinsky3": 25,
    "adm64_diffusers": 33,
    "sd15_inpainting": 25,
    "sdxl_refiner": 25,
    "sd_x4_upscaler": 25,
    "ssd_1b": 19,
    "segmind_vega": 19,
    "kolors": 19,
    "koala_700m": 12,  # a resnet a block, and no middle
    "flux1_fill": 57,
    "flux2_klein9b": 32,
    "auraflow_v03": 36,
    "hunyuandit_v12": 40,
    "sana15_4800m": 60,
}


@pytest.mark.parametrize("name", COUNTS)
def test_units_are_as_many_as_published(name: str) -> None:
    assert len(units.of(denoiser(name))) == COUNTS[name]


@pytest.mark.parametrize("name", catalogue.names())
def test_units_and_what_is_outside_add_up(name: str) -> None:
    module = denoiser(name)
    parts = units.of(module)
    counts = units.parameters(module, parts)
    own = {part.mark: sum(_parameters(module, path) for path in part.paths) for part in parts}
    rest = sum(_parameters(module, path) for path in units.outside(module, parts))
    assert counts == {**own, None: rest}
    assert sum(own.values()) + rest == build.parameters(module)
    assert min(own.values()) > 0


def _parameters(module: object, path: str) -> int:
    """Count the elements under a path, which may name a lone parameter."""
    for step in path.split("."):
        module = getattr(module, step)
    if hasattr(module, "parameters"):
        return sum(parameter.numel() for parameter in module.parameters())
    return int(module.numel())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", catalogue.names())
def test_no_module_is_in_two_units(name: str) -> None:
    module = denoiser(name)
    parts = units.of(module)
    for path, _ in module.named_parameters():
        assert sum(part.holds(path) for part in parts) <= 1


@pytest.mark.parametrize("table", expected.tables("denoiser"), ids=lambda t: t.architectures[0])
def test_marks_are_the_blocks_that_names_tell(table: expected.Expected) -> None:
    parts = units.of(denoiser(table.architectures[0]))
    blocks = blocks_of(table.shapes)
    for name, block in blocks.items():
        mark = units.mark_of(name, parts)
        assert mark is None or mark == block, name
    assert {part.mark for part in parts} <= set(blocks.values())


def test_marks_of_a_unet() -> None:
    parts = units.of(denoiser("sd15"))
    marks = [f"IN{i:02d}" for i in range(12)] + ["MID"] + [f"OUT{i:02d}" for i in range(12)]
    assert [part.mark for part in parts] == marks
    paths = {part.mark: part.paths for part in parts}
    assert paths["IN00"] == ("conv_in",)
    assert paths["IN01"] == ("down_blocks.0.resnets.0", "down_blocks.0.attentions.0")
    assert paths["IN03"] == ("down_blocks.0.downsamplers.0",)
    assert paths["IN11"] == ("down_blocks.3.resnets.1",)
    assert paths["OUT02"] == ("up_blocks.0.resnets.2", "up_blocks.0.upsamplers.0")
    assert paths["OUT11"] == ("up_blocks.3.resnets.2", "up_blocks.3.attentions.2")


def test_outside_a_unet() -> None:
    module = denoiser("sdxl")
    assert units.outside(module, units.of(module)) == [
        "time_embedding",
        "add_embedding",
        "conv_norm_out",
        "conv_out",
    ]


def test_marks_of_a_transformer() -> None:
    marks = [part.mark for part in units.of(denoiser("flux1_dev"))]
    assert marks[0] == "transformer_blocks.0"
    assert marks[18:20] == ["transformer_blocks.18", "single_transformer_blocks.0"]
    assert marks[-1] == "single_transformer_blocks.37"


def test_refiners_are_outside() -> None:
    module = denoiser("lumina2")
    assert {"noise_refiner", "context_refiner"} <= set(units.outside(module, units.of(module)))


def test_a_mark_is_found_by_path() -> None:
    parts = units.of(denoiser("flux1_dev"))
    assert units.mark_of("transformer_blocks.1.attn.to_q", parts) == "transformer_blocks.1"
    assert units.mark_of("transformer_blocks.10", parts) == "transformer_blocks.10"
    assert units.mark_of("x_embedder.weight", parts) is None


def test_other_components_go_by_their_first_level() -> None:
    module = built("sd15", "vae")
    parts = units.of(module)
    assert [part.mark for part in parts] == ["encoder", "decoder", "quant_conv", "post_quant_conv"]
    assert units.parameters(module, parts)[None] == 0
