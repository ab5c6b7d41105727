"""Tables of architectures: the published one made again, sums, counts and their notes."""

from dataclasses import replace

import pytest

from atlas.architectures import build, catalogue, inputs, published, rows, torchinfo_sizes
from atlas.architectures.pieces import OUTSIDE
from atlas.architectures.structure import check_sums, structure
from atlas.architectures.survey import Known, Survey, possible_sides, survey
from atlas.errors import AtlasError
from meta_modules import denoiser

TABLE = published.table()
COLUMNS = ("units", "torchinfo_b", "diffusers_b", "forward_backward_mb", "total_gb")


@pytest.fixture(scope="module")
def pixart() -> Survey:
    return survey(catalogue.load("pixart_alpha_512"), sides=[512], known=Known())


@pytest.fixture(scope="module")
def adm() -> Survey:
    return survey(catalogue.load("adm64_diffusers"), sides=[512], known=Known())


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["model"])
def test_the_published_row_is_made_again(row: dict) -> None:
    found = published.reproduce(row, TABLE["causes"])
    agreeing = {column for column in COLUMNS if found[f"{column}_agrees"]}
    misprinted = {"torchinfo_b", "diffusers_b"} if "misprint" in row["causes"] else set()
    assert agreeing == set(COLUMNS) - misprinted
    explained = any(found[f"{c}_reproduced"] != found[f"{c}_right"] for c in COLUMNS)
    assert not explained or row["causes"]


def test_sd3_at_half_precision_is_half_of_what_was_published() -> None:
    row = next(row for row in TABLE["rows"] if row["model"] == "SD3")
    found = published.reproduce(row, TABLE["causes"])
    assert round(found["forward_backward_mb_right"], 2) == 5563.64
    assert round(found["total_gb_right"], 2) == 9.40


@pytest.mark.parametrize(
    ("printed", "value", "agree"),
    [("2837", 2837.61, True), ("2838", 2837.61, True), ("11.91", 11.9014, False), ("25", 25, True)],
)
def test_printed_digits_agree_rounded_or_cut(printed: str, value: float, agree: bool) -> None:
    assert published.agrees(printed, value) is agree


def test_torchinfo_counts_too_much_only_where_an_activation_is_shared() -> None:
    entry = catalogue.load("sd15")
    module = build.component(entry, "unet")
    arguments = inputs.denoiser(entry, width=512, height=512)
    assert torchinfo_sizes.of_forward(module, arguments).parameters == 859_520_964
    assert torchinfo_sizes.share_activations(module) > 1
    shared = torchinfo_sizes.of_forward(module, arguments)
    assert shared.parameters == 2_041_004_804
    assert build.parameters(module) == 859_520_964
    assert round(shared.parameters / 859_520_964, 2) == 2.37


def test_torchinfo_takes_conditions_that_are_not_given(pixart: Survey) -> None:
    assert pixart.torchinfo.parameters == build.parameters(denoiser("pixart_alpha_512"))


@pytest.mark.parametrize("name", ["sd15", "kandinsky3", "sd3_medium", "lumina2", "z_image"])
def test_units_and_roles_add_up_to_the_whole(name: str) -> None:
    entry = catalogue.load(name)
    found = structure(entry, denoiser(name), width=entry.native, height=entry.native)
    pieces = [*found.units, *found.outside]
    assert sum(piece.parameters for piece in pieces) == build.parameters(denoiser(name))
    assert sum(piece.macs for piece in pieces) == found.macs
    assert sum(role.parameters for role in found.roles) == found.parameters
    assert sum(role.macs for role in found.roles) == found.macs
    assert all(piece.shape for piece in found.units)


def test_units_that_do_not_add_up_are_told(adm: Survey) -> None:
    broken = replace(adm.structure, units=adm.structure.units[1:])
    with pytest.raises(AtlasError, match="the parameters of its units add up to"):
        check_sums("adm64_diffusers", broken)


def test_blocks_have_a_total_and_rows_per_role(adm: Survey) -> None:
    table = rows.blocks(adm)
    whole = table[-1]
    assert (whole["block"], whole["role"], whole["parameters"]) == ("*", "*", 295_899_267)
    units = [row for row in table[:-1] if row["role"] == "*"]
    roles = [row for row in table[:-1] if row["role"] != "*"]
    for part in (units, roles):
        assert sum(row["parameters"] for row in part) == 295_899_267
        assert sum(row["macs"] for row in part) == adm.structure.macs
    assert len(units) == 33 + 1
    assert units[-1]["block"] == OUTSIDE
    assert units[0] | {"output_shape": "1×192×64×64", "bytes": 2 * 5376} == units[0]


def test_every_row_states_its_inputs(pixart: Survey) -> None:
    place = {"width_pixels", "height_pixels", "batch", "text_tokens", "dtype"}
    for table in (rows.summary([pixart]), rows.memory([pixart]), rows.blocks(pixart)):
        assert all(place <= set(row) for row in table)
    assert [row["component"] for row in rows.summary([pixart])] == [
        "transformer", "vae", "text_encoder", "all",
    ]  # fmt: skip


def test_disagreeing_counts_are_explained(pixart: Survey) -> None:
    t5 = pixart.components[-1]
    assert (t5.parameters, t5.torchinfo - t5.parameters) == (4_762_310_656, t5.tied)
    assert "+131,596,288: a table that two modules share" in rows.notes(t5)[0]
    stored = replace(t5, torchinfo=t5.parameters, header=t5.stored)
    assert rows.notes(stored) == [
        "the header has +131,596,288: buffers and second copies of tied weights that are stored too"
    ]
    assert "the configuration may be another's" in rows.notes(replace(stored, header=5))[0]
    positions = replace(stored, header=stored.parameters, buffers=2_000_000)
    assert rows.notes(positions)[0].startswith("2,000,000 elements are buffers")


def test_the_pipeline_needs_all_weights_and_the_largest_activations(pixart: Survey) -> None:
    *parts, whole = rows.summary([pixart])
    assert whole["parameters"] == sum(row["parameters"] for row in parts)
    assert whole["peak_bytes"] == 2 * whole["parameters"] + max(
        row["peak_activation_bytes"] for row in parts
    )


def test_sides_are_those_that_a_model_can_make() -> None:
    sides = [500, 512, 1024, 2048, 4096]
    assert possible_sides(catalogue.load("sd15"), sides) == [512, 1024, 2048]
    assert possible_sides(catalogue.load("auraflow_v02"), sides) == [512, 1024]
    assert possible_sides(catalogue.load("adm64_diffusers"), sides) == [64]


def test_names_are_told_without_reading() -> None:
    assert catalogue.name_of("sdxl") == "sdxl"
    assert catalogue.name_of("some/where/pixel.yaml") == "pixel"
    assert catalogue.name_of("owner/model") == "owner--model"
    with pytest.raises(AtlasError, match="did you mean sdxl"):
        catalogue.name_of("sdxll")
