"""Requests checked, profiles that add up, failures told in their rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from atlas.architectures import catalogue, inputs
from atlas.architectures.architecture import Architecture, Padding
from atlas.architectures.counting import count
from atlas.basis.errors import AtlasError
from atlas.macs import files, profile
from atlas.macs.request import Request, check, growth_sizes
from macs import profile_macs
from meta_modules import REMEMBERED, arguments_of, denoiser
from pipeline_folders import write_folder

ASKED = {"resolutions": [[512, 512]], "batch": 1, "text_length": None, "text_cap": None}


def totals(rows: list[profile.Row]) -> list[profile.Row]:
    return [row for row in rows if row["part"] == "total"]


@pytest.fixture(scope="module")
def small() -> tuple[list[profile.Row], list[profile.Row]]:
    request = Request.of([[512, 512], "native"], 1, None)
    return profile.rows(catalogue.load("sd21"), request, profile.Known(REMEMBERED))


def test_units_and_roles_add_up_to_the_total(small) -> None:
    for total in totals(small[0]):
        call = ("component", "call", "width_pixels")
        own = [row for row in small[0] if all(row[key] == total[key] for key in call)]
        for part in ("unit", "role"):
            assert sum(row["macs"] for row in own if row["part"] == part) == total["macs"]
        kinds = [total[key] for key in total if key.endswith("_macs")]
        assert sum(kinds) == total["macs"] == total["flops"] / 2


def test_a_profile_has_all_calls_at_all_sizes(small) -> None:
    asked = [row for row in totals(small[0]) if row["is_asked"]]
    assert [(row["component"], row["call"], row["width_pixels"]) for row in asked] == [
        ("unet", "forward", 512),
        ("unet", "forward", 768),
        ("text_encoder", "forward", None),
        *(("vae", call, side) for call in ("decode", "encode") for side in (512, 768)),
    ]
    assert (asked[0]["latent_width"], asked[0]["text_tokens"]) == (64, 77)
    counted = count(denoiser("sd21"), arguments_of("sd21", "unet", None, side=512))
    assert asked[0]["macs"] == counted.total


def test_other_counters_are_explained_at_every_size_asked_for(small) -> None:
    rows, compared = small
    calls = [row for row in totals(rows) if row["is_asked"]]
    assert [(row["component"], row["call"], row["counter"]) for row in compared] == [
        (row["component"], row["call"], counter)
        for row in calls
        for counter in ("FlopCounterMode", "thop", "torchinfo")
    ]
    for row in compared:
        assert not row["problem"]
        assert row["unexplained_macs"] == 0, row


def test_what_fails_is_a_row_with_its_reason_and_the_rest_is_counted(monkeypatch) -> None:
    real = profile.build.component

    def without_vae(architecture, name):
        if name == "vae":
            raise AtlasError("no decoder here")
        return real(architecture, name)

    def broken(*_: object, **__: object) -> None:
        raise KeyError("no_such_key")

    monkeypatch.setattr(profile.build, "component", without_vae)
    monkeypatch.setattr(profile.inputs, "denoiser", broken)
    asked, known = Request.of(**ASKED), profile.Known(REMEMBERED)
    rows, compared = profile.rows(catalogue.load("sd15"), asked, known)
    told = {row["component"]: (row["problem"], row.get("macs")) for row in totals(rows)}
    assert told["vae"] == ("no decoder here", None)
    assert told["unet"] == ("KeyError: 'no_such_key'", None)
    problem, macs = told["text_encoder"]
    assert (problem, macs > 0) == ("", True)
    assert {row["component"] for row in compared} == {"text_encoder"}


def test_a_size_that_only_some_can_make_is_told_in_their_rows() -> None:
    entries = [catalogue.load(name) for name in ("sd15", "auraflow_v02")]
    request = Request(((2048, 2048),))
    check(entries, request)
    known = profile.Known(REMEMBERED)
    rows, _ = profile.rows(entries[1], request, known, with_counters=False)
    first = totals(rows)[0]
    assert "nearest valid size is 1024 x 1024" in first["problem"]
    assert "macs" not in first


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Request(((1000, 1001),)), "nearest valid size is 1000 x 1000"),
        (Request(((-512, 512),)), "nearest valid size is 8 x 512"),
        (Request(((512, 10**9),)), "nearest valid size is 512 x 16384"),
        (Request(("native",), text_cap=78), "78 text tokens: its denoiser takes 1 to 77"),
        (Request(("native",), text_cap=0), "0 text tokens: its denoiser takes 1 to 77"),
        (Request(("native",), batch=0), "at least 1 image"),
    ],
)
def test_an_impossible_request_is_told(request_: Request, told: str) -> None:
    with pytest.raises(AtlasError, match=told):
        check([catalogue.load("sd15")], request_)


def test_growth_is_told_between_two_sizes_and_drawn_to_one_beyond() -> None:
    squares = [(side, side) for side in (512, 1024, 2048)]
    assert growth_sizes(catalogue.load("sdxl")) == squares
    assert growth_sizes(catalogue.load("auraflow_v02")) == squares[:2]
    assert growth_sizes(catalogue.load("adm64_diffusers")) == []


def padding(name: str, padding: Padding) -> Architecture:
    """Return an entry whose pipeline pads otherwise."""
    entry = catalogue.load(name)
    assert entry.text
    encoders = {name: replace(each, padding=padding) for name, each in entry.text_encoders.items()}
    text = replace(entry.text, padding=padding)
    return replace(entry, text=text, components={**entry.components, **encoders})


def test_prompts_of_one_length_are_one_row() -> None:
    request = Request(((512, 512),), texts=(64, "cap"))
    (both,) = request.prompts(padding("cogview4", "cap"))
    assert both.name == "64, cap"
    short, cap = request.prompts(padding("cogview4", 16))
    assert (short.name, cap.name) == ("64", "cap")
    assert (short.lengths.denoiser, cap.lengths.denoiser) == (64, 1024)
    (none,) = request.prompts(catalogue.load("adm64_diffusers"))
    assert none.name == ""


def test_a_text_that_is_padded_to_16s_costs_less_than_the_cap() -> None:
    request = Request(((1024, 1024),), texts=(64, "cap"))
    entry = padding("cogview4", 16)
    alone = replace(entry, components={"transformer": entry.denoiser})
    rows, _ = profile.rows(alone, request, profile.Known(REMEMBERED), with_counters=False)
    step = {
        row["prompts"]: 2 * row["macs"] / 1e12
        for row in totals(rows)
        if row["width_pixels"] == 1024
    }
    assert {name: round(macs, 1) for name, macs in step.items()} == {"64": 54.8, "cap": 69.8}


def test_masked_text_is_dropped_behind_its_own_layers() -> None:
    entry = padding("lumina2", "masked")
    entry = replace(entry, components={"transformer": entry.denoiser})
    known, asked = profile.Known(REMEMBERED), Request(((256, 256),), texts=(64, "cap"))
    rows, _ = profile.rows(entry, asked, known, with_counters=False)
    masked, cap = (row["macs"] for row in totals(rows) if row["is_asked"])
    given = inputs.denoiser(entry, width=256, height=256, text_length=64)
    short = count(denoiser("lumina2"), given, remembered=REMEMBERED).total
    assert short < masked < cap
    # The layers of the text alone, two of 28, are given the cap; the others 64 tokens.
    assert masked - short < 0.1 * (cap - short)
    assert [row["text_tokens"] for row in totals(rows) if row["is_asked"]] == [256, 256]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tables of one that can't be read, an entry, and that entry as a folder."""
    folder = tmp_path_factory.mktemp("written")
    write_folder(folder / "mine", "sd15")
    sources = {"broken": str(folder / "broken.yaml"), "sd15": "sd15", "mine": str(folder / "mine")}
    profile_macs.main(**ASKED, sources=sources, stated={}, folder=folder)
    return folder


def test_a_diffusers_folder_is_profiled_as_its_entry(written: Path) -> None:
    mine, known = (files.read(written / f"{name}.csv") for name in ("mine", "sd15"))
    assert [row["macs"] for row in mine] == [row["macs"] for row in known]
    assert mine[0]["architecture"] == "mine"


def test_one_that_cannot_be_read_leaves_the_others(written: Path) -> None:
    (row,) = files.read(written / "broken.csv")
    assert (row["architecture"], row["macs"]) == ("broken", None)
    assert "broken.yaml: no such file" in row["problem"]
    assert files.read(written / "broken.counters.csv") == []
    assert files.read(written / "sd15.csv")[0]["macs"]
    assert files.read(written / "sd15.counters.csv")[0]["record_macs"]


def test_none_that_can_be_read_is_told(tmp_path: Path) -> None:
    sources = {"b": str(tmp_path / "broken.yaml")}
    with pytest.raises(AtlasError, match=r"broken\.yaml: no such file"):
        profile_macs.main(**ASKED, sources=sources, stated={}, folder=tmp_path)


def test_a_cap_that_only_some_take_is_told_in_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "compare", lambda *_: ())
    asked = ASKED | {"text_cap": 100}
    sources = {"sd15": "sd15", "sana_600m": "sana_600m"}
    profile_macs.main(**asked, sources=sources, stated={}, folder=tmp_path)
    for row in totals(files.read(tmp_path / "sd15.csv")):
        if row["component"] == "unet":
            assert "100 text tokens: its denoiser takes 1 to 77" in row["problem"]
            assert row["status"] == "not possible"
    first = files.read(tmp_path / "sana_600m.csv")[0]
    assert first["text_tokens"] == 100
    entry = catalogue.load("sana_600m")
    given = inputs.denoiser(entry, width=512, height=512, text_length=100)
    assert first["macs"] == count(denoiser("sana_600m"), given, remembered=REMEMBERED).total


def test_a_key_that_nobody_knows_makes_figures_doubtful_and_no_others(monkeypatch) -> None:
    monkeypatch.setattr(profile, "compare", lambda *_: ())
    sound = catalogue.load("adm64_diffusers")
    config = {**sound.denoiser.config, "num_layer": 3}
    typo = replace(sound, components={"unet": replace(sound.denoiser, config=config)})
    known = profile.Known(REMEMBERED)
    for entry, is_doubtful in ((sound, False), (typo, True)):
        rows, _ = profile.rows(entry, Request(("native",)), known)
        assert totals(rows)[0]["macs"]
        assert ("does not know the key num_layer" in totals(rows)[0]["doubt"]) is is_doubtful
