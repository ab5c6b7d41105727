"""Facts of pipelines, each held to the line of diffusers that says so."""

from dataclasses import replace
from pathlib import Path

import diffusers
import pytest

from atlas.architectures import catalogue
from atlas.architectures.pipelines import (
    Pipeline,
    all_pipelines,
    decodes_in,
    forward_batch,
    pipeline_of,
)

ROOT = Path(diffusers.__file__).parent / "pipelines"


def lines(pipeline: Pipeline) -> list[str]:
    return [line.strip() for line in (ROOT / pipeline.file).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("pipeline", all_pipelines(), ids=lambda each: each.pipeline)
def test_a_pipeline_does_what_its_line_says(pipeline: Pipeline) -> None:
    found = lines(pipeline)
    assert any(line.startswith(f"class {pipeline.pipeline}(") for line in found)
    assert pipeline.line in found
    whole = "\n".join(found)
    assert pipeline.denoiser in whole
    assert pipeline.upcasts == ("needs_upcasting = " in whole)
    assert not pipeline.upcasts or pipeline.upcast in found
    joins = "* 2)" in pipeline.line or "* 3)" in pipeline.line or ".repeat(2," in pipeline.line
    joins |= "torch.cat([latents, latents]" in pipeline.line
    assert joins == (pipeline.guidance == "batch")
    assert (pipeline.copies == 3) == ("* 3)" in pipeline.line)


def test_the_special_comes_before_the_general() -> None:
    for number, general in enumerate(all_pipelines()):
        for special in all_pipelines()[number + 1 :]:
            is_hidden = general.denoiser == special.denoiser and (
                general.where.items() <= special.where.items()
            )
            assert not is_hidden, f"{general.pipeline} hides {special.pipeline}"


@pytest.mark.parametrize(
    ("name", "batch"),
    [("sd15", 2), ("sdxl", 2), ("dmd2_sdxl", 1), ("qwen_image", 1), ("flux1_dev", 1),
     ("lumina2", 1), ("sana_600m", 2), ("chroma", 1), ("adm64_diffusers", 1)],
)  # fmt: skip
def test_guidance_is_one_batch_or_two_calls(name: str, batch: int) -> None:
    assert forward_batch(catalogue.load(name)) == batch
    assert forward_batch(catalogue.load(name), 3) == 3 * batch


def test_a_pipeline_that_is_not_known_is_taken_to_run_one_batch() -> None:
    entry = catalogue.load("sd15")
    unet = replace(entry.denoiser, class_name="AnotherUNet")
    other = replace(entry, components={**entry.components, "unet": unet})
    assert pipeline_of(other) is None
    assert forward_batch(other) == 2
    assert decodes_in(other, "f16") == "f16"


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("sdxl", "f32"), ("auraflow_v02", "f32"), ("sd15", "f16"), ("flux1_dev", "f16"),
     ("pixart_sigma_1024", "f16"), ("qwen_image", "f16"), ("adm64_diffusers", "f16")],
)  # fmt: skip
def test_only_pipelines_that_ask_decode_in_float32(name: str, dtype: str) -> None:
    assert decodes_in(catalogue.load(name), "f16") == dtype
    assert decodes_in(catalogue.load(name), "bf16") == "bf16"


def test_an_autoencoder_that_is_sound_in_float16_is_left_so() -> None:
    entry = catalogue.load("sdxl")
    vae = entry.components["vae"]
    fixed = replace(vae, config={**vae.config, "force_upcast": False})
    assert decodes_in(replace(entry, components={**entry.components, "vae": fixed}), "f16") == "f16"
