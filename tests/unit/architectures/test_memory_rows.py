"""Rows of memory by dtype, of a made-up component: nothing is built."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from atlas.architectures import catalogue, rows
from atlas.architectures.memory import Peak
from atlas.architectures.survey import ComponentSizes

SIZES = ComponentSizes(
    name="unet", class_name="Net", parameters=1000, torchinfo=1000, header=1000, tied=0,
    stored=1000, buffers=10, tokens=77, peaks={512: Peak(half=70, single=130)},
)  # fmt: skip


def survey_of(name: str, *components: ComponentSizes) -> Any:
    """Return a survey of an entry with components of made-up sizes."""
    return SimpleNamespace(architecture=catalogue.load(name), components=components)


@pytest.mark.parametrize(
    ("dtype", "weights", "buffers", "activations"),
    [("f32", 4000, 40, 130), ("f16", 2000, 20, 70), ("bf16", 2000, 20, 70), ("f8", 1000, 20, 70)],
)
def test_weights_take_their_dtype_and_all_else_what_is_computed_in(
    dtype: str, weights: int, buffers: int, activations: int
) -> None:
    found = rows.memory([survey_of("sd15", SIZES)])
    (row,) = [row for row in found if row["dtype"] == dtype]
    assert (row["weight_bytes"], row["buffer_bytes"]) == (weights, buffers)
    assert row["activation_bytes"] == activations
    assert row["peak_bytes"] == weights + buffers + activations


def test_guidance_in_one_batch_is_a_row_of_its_own() -> None:
    guided = replace(SIZES, guided={512: Peak(half=140, single=260)})
    found = rows.memory([survey_of("sd15", guided)])
    activations = {(row["batch"], row["dtype"]): row["activation_bytes"] for row in found}
    assert activations[1, "f16"] == 70
    assert activations[2, "f16"] == 140
    assert activations[2, "f32"] == 260


@pytest.mark.parametrize(
    ("name", "dtype", "computed", "weights", "activations"),
    [
        ("sdxl", "f16", "f32", 4000, 130),
        ("sdxl", "bf16", "bf16", 2000, 70),
        ("sd15", "f16", "f16", 2000, 70),
    ],
)
def test_an_autoencoder_decodes_in_float32_where_its_pipeline_does(
    name: str, dtype: str, computed: str, weights: int, activations: int
) -> None:
    found = rows.memory([survey_of(name, replace(SIZES, name="vae"))])
    (row,) = [row for row in found if row["dtype"] == dtype]
    assert row["computed_in"] == computed
    assert (row["weight_bytes"], row["activation_bytes"]) == (weights, activations)


def test_what_is_loaded_is_resident_and_told_apart_from_what_is_used() -> None:
    whole = replace(SIZES, name="text_encoder", loaded=1500, loaded_class="Whole")
    found = rows.memory([survey_of("sd15", whole)])
    (row,) = [row for row in found if row["dtype"] == "f16"]
    assert (row["weight_bytes"], row["weight_used_bytes"]) == (3000, 2000)
    assert row["peak_bytes"] == 3000 + 20 + 70
    assert rows.notes(whole)[0].startswith("the pipeline loads all of Whole: 1,500 parameters")
