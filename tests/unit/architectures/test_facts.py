"""Facts of the shipped entries: text rules with their source lines, encoders as loaded, counts."""

from dataclasses import replace

import pytest

from atlas.architectures import build, catalogue, sizes
from atlas.architectures.architecture import Component

LOADED = [
    (entry.name, name, encoder.loaded)
    for entry in catalogue.all_entries()
    for name, encoder in entry.text_encoders.items()
    if encoder.loaded is not None
]

COUNTED = {
    "auraflow_v03": 6_858_605_568,
    "flux1_depth": 11_901_604_928,
    "flux1_fill": 11_902_391_360,
    "flux2_dev": 32_223_281_152,
    "flux2_klein4b": 3_875_544_576,
    "flux2_klein9b": 9_078_581_248,
    "instruct_pix2pix": 859_532_484,
    "kolors": 2_579_458_820,
    "lcm_dreamshaper_v7": 859_602_884,
    "lcm_sdxl": 2_567_545_604,
    "lumina2": 2_609_769_152,
    "pixart_alpha_512": 610_856_096,
    "pixart_sigma_512": 610_856_096,
    "sd15_inpainting": 859_535_364,
    "sd2_inpainting": 865_925_124,
    "sdxl_inpainting": 2_567_478_084,
    "sdxl_refiner": 2_259_526_660,
    "z_image": 6_154_908_736,
}
"""Parameters of denoisers as counted elsewhere; the entries name where."""

ROUNDED = {
    "hunyuandit_v12": (1.5e9, 0.05),
    "koala_700m": (782e6, 0.002),
    "sana15_4800m": (4.8e9, 0.02),
    "sana_sprint_600m": (0.6e9, 0.02),
    "sana_sprint_1600m": (1.6e9, 0.01),
    "sd_x4_upscaler": (473e6, 0.001),
    "segmind_vega": (745e6, 0.001),
    "ssd_1b": (1.3e9, 0.03),
}
"""Parameters as their publishers round them, and how far from that they may be."""

SAME_TENSORS = {
    "flux2_klein4b_base": "flux2_klein4b",
    "flux2_klein9b_base": "flux2_klein9b",
    "playground_v25": "sdxl",
    "sd35_large_turbo": "sd35_large",
    "sd_turbo": "sd21_base",
    "sdxl_lightning": "sdxl",
    "sdxl_turbo": "sdxl",
    "z_image_base": "z_image",
}
"""Entries that differ from another in training and sampling alone."""


@pytest.mark.parametrize(
    "name", [entry.name for entry in catalogue.all_entries() if entry.text is not None]
)
def test_every_rule_of_text_names_its_source(name: str) -> None:
    text = catalogue.load(name).text
    assert text is not None
    assert text.rule.startswith("diffusers 0.42.1, pipelines/")
    assert ".py, " in text.rule


@pytest.mark.parametrize(
    ("name", "denoiser", "attended", "encoders"),
    [
        ("sdxl", 77, 77, [77, 77]),
        ("flux1_dev", 512, 512, [77, 512]),
        ("hunyuandit", 333, 333, [77, 256]),
        ("cogview4", 64, 64, [64]),
        ("lumina_next", 64, 64, [64]),
        ("lumina2", 256, 64, [256]),
        ("kandinsky3", 65, 65, [128]),  # one token of padding is left
        ("qwen_image", 69, 69, [103]),  # 5 of the template stay, 34 do not
        ("z_image", 72, 72, [512]),  # 8 of the template
        ("flux2_dev", 512, 512, [512]),
    ],
)
def test_a_prompt_of_64_tokens_is_padded_as_its_pipeline_does(
    name: str, denoiser: int, attended: int, encoders: list[int]
) -> None:
    found = sizes.lengths(catalogue.load(name), 64)
    assert (found.denoiser, found.attended) == (denoiser, attended)
    assert list(found.encoders.values()) == encoders


def test_encoders_get_the_cap_and_what_the_template_adds() -> None:
    assert sizes.lengths(catalogue.load("qwen_image"), None).encoders == {"text_encoder": 34 + 512}


@pytest.mark.parametrize(("name", "component", "loaded"), LOADED)
def test_encoders_as_loaded_have_the_published_parameters(
    name: str, component: str, loaded: Component
) -> None:
    entry = catalogue.load(name)
    whole = replace(entry, components={**entry.components, component: loaded})
    used = build.parameters(build.component(entry, component))
    assert build.parameters(build.component(whole, component)) == loaded.parameters
    assert loaded.parameters is not None
    assert loaded.parameters > used


def test_what_loads_more_than_it_runs_is_listed() -> None:
    assert {"qwen_image", "flux2_dev"} <= {name for name, _, _ in LOADED}


@pytest.mark.parametrize("name", COUNTED)
def test_denoisers_have_the_parameters_that_were_counted_elsewhere(name: str) -> None:
    entry = catalogue.load(name)
    assert build.parameters(build.component(entry, entry.denoiser_name)) == COUNTED[name]
    assert entry.denoiser.parameters == COUNTED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_denoisers_have_about_the_parameters_that_their_publishers_round(name: str) -> None:
    entry = catalogue.load(name)
    published, tolerance = ROUNDED[name]
    built = build.parameters(build.component(entry, entry.denoiser_name))
    assert built == pytest.approx(published, rel=tolerance)
    assert entry.denoiser.parameters in {None, built}


@pytest.mark.parametrize(("name", "base"), SAME_TENSORS.items())
def test_distilled_siblings_differ_in_sampling_alone(name: str, base: str) -> None:
    entry, known = catalogue.load(name), catalogue.load(base)
    ours, theirs = dict(entry.denoiser.config), dict(known.denoiser.config)
    assert ours | {"sample_size": 0} == theirs | {"sample_size": 0}
    assert entry.text_encoders == known.text_encoders
    assert entry.sampling != known.sampling


def test_files_of_the_refiner_are_as_large_as_published() -> None:
    entry = catalogue.load("sdxl_refiner")
    sizes_of = {name: build.parameters(build.component(entry, name)) for name in entry.components}
    assert 2 * sizes_of["unet"] == pytest.approx(4.52e9, rel=1e-3)
    assert 2 * sum(sizes_of.values()) == pytest.approx(6.08e9, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "extra", "inputs"),
    [
        ("sd15_inpainting", {"mask": 1, "masked image": 4}, 9),
        ("instruct_pix2pix", {"image": 4}, 8),
        ("sd_x4_upscaler", {"image": 3}, 7),
        ("flux1_fill", {"masked image": 16, "mask": 64}, 384 // 4),
        ("flux1_depth", {"control image": 16}, 128 // 4),
    ],
)
def test_what_comes_beside_the_latent_is_told(
    name: str, extra: dict[str, int], inputs: int
) -> None:
    latent = catalogue.load(name).latent
    assert (latent.extra, latent.inputs) == (extra, inputs)
