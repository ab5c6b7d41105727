"""What a pipeline needs by mode: sums by hand of made-up components, and true architectures."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from atlas.architectures import catalogue, modes
from atlas.architectures.architecture import Component
from atlas.architectures.memory import Peak
from atlas.architectures.modes import MODES
from atlas.architectures.survey import NO_SIDE, ComponentSizes, Known, survey

BY_NAME = {mode.name: mode for mode in MODES}


def sizes(name: str, parameters: int, half: int, side: int = 1024, **further: Any) -> Any:
    """Return a component whose weights, streamed, take 10 (layer), 20 (block), 30 (float8)."""
    streamed = {
        (way, precision): more + half * (2 if precision == "single" else 1)
        for way, more in (("layer", 10), ("block", 20), ("float8", parameters + 30))
        for precision in ("half", "single")
    }
    peak = Peak(half, 2 * half, streamed)
    return ComponentSizes(
        name=name, class_name="Net", parameters=parameters, torchinfo=0, header=None, tied=0,
        stored=0, buffers=0, tokens=0, peaks={side: peak}, stored_in_float8=parameters, **further,
    )  # fmt: skip


def made_up(name: str = "sdxl") -> Any:
    components = (
        sizes("unet", 1000, 100),
        sizes("vae", 50, 400, tiled={1024: Peak(40, 80, {("layer", "single"): 90})}),
        sizes("text_encoder", 300, 5, side=NO_SIDE),
    )
    return SimpleNamespace(architecture=catalogue.load(name), components=components)


@pytest.mark.parametrize(
    ("mode", "size", "component"),
    [
        ("resident", 2000 + 600 + 4 * 50 + 800, "vae"),
        ("resident, tiled", 2000 + 600 + 4 * 50 + 80, "vae"),
        ("float8", 1000 + 600 + 4 * 50 + 800, "vae"),
        ("float8, tiled", 1000 + 600 + 4 * 50 + 80, "vae"),
        ("by component", 2000 + 100, "unet"),
        ("by component, float8, tiled", 1000 + 130, "unet"),
        ("by block", 800 + 20, "vae"),
        ("by layer", 800 + 10, "vae"),
        ("by layer, tiled", 100 + 10, "unet"),
    ],
)
def test_the_most_that_a_mode_needs(mode: str, size: int, component: str) -> None:
    assert modes.need(made_up(), 1024, "f16", BY_NAME[mode]) == (size, component)


def test_bf16_is_not_upcast() -> None:
    found = modes.need(made_up(), 1024, "bf16", BY_NAME["resident"])
    assert found == (2000 + 600 + 2 * 50 + 400, "vae")


def test_what_the_pipeline_loads_is_resident_and_comes_whole() -> None:
    own = made_up()
    unet, vae, text = own.components
    whole = replace(text, loaded=5000, loaded_class="Whole")
    own.components = (unet, vae, whole)
    assert modes.need(own, 1024, "f16", BY_NAME["by component"]) == (10_005, "text_encoder")
    assert modes.need(own, 1024, "f16", BY_NAME["by block"]) == (10_005, "text_encoder")
    assert modes.need(own, 1024, "f16", BY_NAME["by layer"]) == (810, "vae")


def test_modes_by_tiles_are_left_out_where_there_are_no_tiles() -> None:
    own = made_up()
    own.components = tuple(replace(part, tiled={}) for part in own.components)
    told = {row["mode"] for row in modes.rows([own])}
    assert told == {mode.name for mode in MODES if not mode.tiled}


def test_of_stable_diffusion_xl() -> None:
    found = modes.rows([survey(catalogue.load("sdxl"), sides=[1024], known=Known())])
    told = {(row["dtype"], row["mode"]): row["peak_bytes"] / 1e9 for row in found}
    assert told["f16", "resident"] == pytest.approx(10.327, abs=1e-3)
    assert told["bf16", "resident"] == pytest.approx(8.549, abs=1e-3)
    assert told["f16", "by component"] == pytest.approx(5.466, abs=1e-3)
    for dtype in modes.DTYPES:
        resident, component, block, layer = (
            told[dtype, name] for name in ("resident", "by component", "by block", "by layer")
        )
        assert resident > component > block > layer
        assert resident > told[dtype, "float8"] > told[dtype, "by component, float8, tiled"]
    assert {row["denoiser_batch"] for row in found} == {2}
    # Its autoencoder's tiles are of 1024 pixels.
    notes = {row["note"] for row in found if row["mode"].endswith("tiled")}
    assert notes == {"not larger than a tile: decoded whole"}


def test_the_whole_of_a_text_encoder_is_built_to_be_counted() -> None:
    entry = catalogue.load("sd15")
    text = entry.components["text_encoder"]
    whole = Component(
        class_name="CLIPModel",
        config={"text_config": dict(text.config), "projection_dim": 768},
        library="transformers",
    )
    components = {**entry.components, "text_encoder": replace(text, loaded=whole)}
    own = survey(replace(entry, components=components), sides=[], known=Known())
    found = own.components[-1]
    assert (found.class_name, found.loaded_class) == ("CLIPTextModel", "CLIPModel")
    # Beside the text model: a vision tower as its class has it by default, and two projections.
    assert found.parameters == 123_060_480
    assert found.loaded is not None
    assert found.loaded > found.parameters + 80_000_000
    assert found.held == found.loaded
