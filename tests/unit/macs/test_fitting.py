"""Formulas fitted to small architectures against counts at sizes that were not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atlas.architectures import build, catalogue, inputs, memory
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import count
from atlas.macs import fitting, formulas
from atlas.macs.formulas import Formula

FOLDER = Path(__file__).parents[2] / "architectures"


def with_config(entry: Architecture, **changes: Any) -> Architecture:
    denoiser = replace(entry.denoiser, config={**entry.denoiser.config, **changes}, parameters=None)
    return replace(entry, components={entry.denoiser_name: denoiser})


def narrow_decoder() -> Architecture:
    """Return Stable Diffusion 1.5 without text encoders, its VAE's channels few."""
    entry = catalogue.load("sd15")
    vae = entry.components["vae"]
    config = {**vae.config, "block_out_channels": [32, 32, 32, 32]}
    pocket = catalogue.load(FOLDER / "pocket_unet.yaml").denoiser
    own = {"unet": pocket, "vae": replace(vae, config=config, parameters=None)}
    return replace(entry, components=own)


@pytest.fixture(scope="module", params=["pocket_unet", "pocket_dit", "z_image"])
def fitted(request) -> tuple[Architecture, list[Formula]]:
    if request.param == "z_image":
        entry = with_config(catalogue.load("z_image"), n_layers=1, n_refiner_layers=1)
    else:
        entry = catalogue.load(FOLDER / f"{request.param}.yaml")
    return entry, list(fitting.formulas(entry, fitting.Known()))


def test_all_calls_are_exact(fitted):
    entry, found = fitted
    assert found[0].component == entry.denoiser_name
    assert {formula.component for formula in found} == set(entry.components)
    assert not [formula.problem for formula in found if formula.problem]


@pytest.mark.parametrize(("sides", "text", "batch"), [((3, 2), 20, 1), ((5, 7), 9, 3)])
def test_a_denoiser_costs_what_is_counted(fitted, sides, text, batch):
    entry, (formula, *_) = fitted
    width, height = (formula.side_multiple * side for side in sides)
    tokens = 0 if entry.text is None else min(text, entry.text.most or text)
    made = inputs.denoiser(
        entry, width=width, height=height, batch=batch, text_length=tokens or None
    )
    counted = count(build.component(entry, entry.denoiser_name), made).by_kind()
    image = entry.image_tokens(width, height)
    assert formula.kinds(image, tokens, batch) == counted


def test_a_decoder_costs_what_is_counted_and_peaks_where_it_does():
    entry = narrow_decoder()
    formula = next(
        each for each in fitting.formulas(entry, fitting.Known()) if each.call == "decode"
    )
    side = 5 * formula.side_multiple
    made = inputs.vae_decode(entry, width=side, height=2 * side, batch=1)
    vae: Any = build.component(entry, "vae")
    columns, rows = entry.latent_size(side, 2 * side)
    assert formula.kinds(columns * rows, 0, 1) == count(vae, made, method="decode").by_kind()
    live = memory.live_bytes(vae.decode, made, pixels=2 * side**2)
    assert not formula.memory_problem
    assert formula.peak(columns * rows, 1, is_single=False) == max(live.half)
    assert formula.peak(columns * rows, 1, is_single=True) == max(live.single)


def test_padding_is_found_out():
    entry = with_config(catalogue.load("z_image"), n_layers=1, n_refiner_layers=1)
    formula = next(fitting.formulas(entry, fitting.Known()))
    assert formula.steps == (32, 32), "diffusers' ZImageTransformer2DModel pads both to 32s"
    assert formula.kinds(65, 33, 1) == formula.kinds(96, 64, 1) != formula.kinds(64, 64, 1)


def test_a_model_of_squares_alone_is_exact():
    entry = with_config(catalogue.load("dit_xl_2_256"), num_layers=2)
    formula = next(fitting.formulas(entry, fitting.Known()))
    assert not formula.problem
    module = build.component(entry, "transformer")
    for side in (256, 176):
        made = inputs.denoiser(entry, width=side, height=side, batch=3)
        assert formula.kinds((side // 16) ** 2, 0, 3) == count(module, made).by_kind()


def test_what_can_not_be_run_is_told_and_has_no_number():
    entry = with_config(catalogue.load(FOLDER / "pocket_unet.yaml"), norm_num_groups=7)
    formula = next(fitting.formulas(entry, fitting.Known()))
    assert formula.problem
    assert not formula.image


def test_formulas_come_back_from_their_table(fitted):
    entry, found = fitted
    table: list[Mapping[str, Any]] = [
        dict.fromkeys(formulas.COLUMNS, "") | row
        for formula in found
        for row in formulas.rows(entry.name, formula)
    ]
    back = formulas.read(table)[entry.name]
    for one, other in zip(back, found, strict=True):
        assert replace(one, half=(), single=()) == replace(other, half=(), single=())
        assert list(one.half) == list(other.half)
        assert list(one.single) == list(other.single)
