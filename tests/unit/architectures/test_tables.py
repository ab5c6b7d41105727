"""Tables of architectures: the published one made again, sums, counts and their notes."""

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from architectures import summarise_architectures
from atlas.architectures import (
    build,
    catalogue,
    inputs,
    portraits,
    published,
    rows,
    torchinfo_sizes,
)
from atlas.architectures.pool import surveys
from atlas.architectures.portraits import OUTSIDE
from atlas.architectures.structure import check_sums, structure
from atlas.architectures.survey import Known, Survey, possible_sides, survey
from atlas.basis.errors import AtlasError
from meta_modules import REMEMBERED, denoiser

TABLE = published.table()
ROWS = {row["model"]: row for row in TABLE["rows"]}
COLUMNS = ("units", "torchinfo_b", "diffusers_b", "forward_backward_mb", "total_gb")


@pytest.fixture(scope="module")
def pixart() -> Survey:
    return survey(catalogue.load("pixart_alpha_512"), sides=[512], known=Known(REMEMBERED))


@pytest.fixture(scope="module")
def adm() -> Survey:
    return survey(catalogue.load("adm64_diffusers"), sides=[512], known=Known(REMEMBERED))


@cache
def reproduced(model: str) -> dict[str, object]:
    return published.reproduce(ROWS[model], TABLE["causes"])


@pytest.mark.parametrize("model", ROWS)
def test_the_published_row_is_made_again(model: str) -> None:
    row, found = ROWS[model], reproduced(model)
    agreeing = {column for column in COLUMNS if found[f"{column}_agrees"]}
    misprinted = {"torchinfo_b", "diffusers_b"} if "misprint" in row["causes"] else set()
    assert agreeing == set(COLUMNS) - misprinted
    explained = any(found[f"{c}_reproduced"] != found[f"{c}_right"] for c in COLUMNS)
    assert not explained or row["causes"]


def test_sd3_at_half_precision_is_half_of_what_was_published() -> None:
    found = reproduced("SD3")
    assert round(found["forward_backward_mb_right"], 2) == 5563.64
    assert round(found["total_gb_right"], 2) == 9.40
    assert found["note"] == "all figures are with 77 text tokens, where the pipeline gives 333"


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
    own = torchinfo_sizes.of_forward(module, arguments, REMEMBERED)
    assert own.parameters == 859_520_964
    assert torchinfo_sizes.share_activations(module) > 1
    shared = torchinfo_sizes.of_forward(module, arguments, REMEMBERED)
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


def test_a_module_that_runs_for_image_and_text_shows_the_images_shape() -> None:
    entry = catalogue.load("cogview4")
    (sample,) = structure(entry, denoiser("cogview4"), width=512, height=512).samples
    shapes = {part.mark.rpartition(".")[2]: part.shape for part in sample.parts}
    assert shapes["ff"] == shapes["norm1"] == (1, 1024, 4096)


def test_a_list_shows_the_shape_of_its_last_module_that_ran() -> None:
    entry = catalogue.load("lumina_next")
    (sample,) = structure(entry, denoiser("lumina_next"), width=512, height=512).samples
    attention = next(part for part in sample.parts if part.mark.endswith("attn2"))
    shapes = {part.mark.rpartition(".")[2]: part.shape for part in attention.parts}
    assert shapes["to_out"] == (1, 1024, 2304)


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
    resident = 2 * (whole["parameters"] + whole["buffer_elements"])
    assert whole["peak_bytes"] == resident + max(row["peak_activation_bytes"] for row in parts)


def test_buffers_are_part_of_the_peak(pixart: Survey) -> None:
    first = rows.summary([pixart])[0]
    assert first["buffer_elements"] == 1_179_648
    resident = 2 * (first["parameters"] + first["buffer_elements"])
    assert first["peak_bytes"] == resident + first["peak_activation_bytes"]
    for row in rows.memory([pixart]):
        parts = row["weight_bytes"] + row["buffer_bytes"] + row["activation_bytes"]
        assert row["peak_bytes"] == parts
        if row["component"] == "transformer":
            size = 4 if row["dtype"] == "f32" else 2
            assert row["buffer_bytes"] == size * 1_179_648


def shorten_the_published_table(monkeypatch: pytest.MonkeyPatch, *models: str) -> None:
    """Leave these of its rows, as all are made again beside each survey."""
    shorter = {**TABLE, "rows": [ROWS[model] for model in models]}
    monkeypatch.setattr(published, "table", lambda: shorter)


def test_one_that_fails_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_the_published_table(monkeypatch, "SD3")
    facts = (catalogue.FOLDER / "adm64_diffusers.yaml").read_text()
    broken = tmp_path / "broken.yaml"
    broken.write_text(facts.replace("UNet2DModel", "UNet2DModle"))
    sources = {"broken": str(broken), "adm64_diffusers": "adm64_diffusers"}
    summarise_architectures.main(sources=sources, stated={}, sides=[], folder=tmp_path, threads=1)
    with (tmp_path / "summary.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["architecture"] for row in table] == ["adm64_diffusers"] * 2 + ["broken"]
    assert [row["status"] for row in table] == ["counted"] * 2 + ["failed"]
    assert "has no class UNet2DModle" in table[-1]["problem"]
    assert "broken: could not be surveyed" in (tmp_path / "summary.md").read_text()
    assert len((tmp_path / "broken.blocks.csv").read_text().splitlines()) == 1
    assert isinstance(portraits.read(tmp_path / "broken.json"), portraits.Missing)
    assert isinstance(portraits.read(tmp_path / "adm64_diffusers.json"), portraits.Portrait)
    with (tmp_path / "as_published.csv").open() as file:
        assert [row["model"] for row in csv.DictReader(file)] == ["SD3"]


def test_all_that_fail_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_the_published_table(monkeypatch)
    with pytest.raises(AtlasError, match=r"no\.yaml: no such file"):
        surveys({"no": "no.yaml"}, sides=[])


def test_sides_are_those_that_a_model_can_make() -> None:
    sides = [500, 512, 1024, 2048, 4096]
    assert possible_sides(catalogue.load("sd15"), sides) == [512, 1024, 2048]
    assert possible_sides(catalogue.load("auraflow_v02"), sides) == [512, 1024]
    assert possible_sides(catalogue.load("adm64_diffusers"), sides) == [64]
