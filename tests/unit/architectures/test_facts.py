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
