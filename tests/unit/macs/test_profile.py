"""Requests checked, profiles that add up, counters explained, failures told in their rows."""

from pathlib import Path

import pytest

from atlas.architectures import catalogue
from atlas.basis.errors import AtlasError
from atlas.macs import counters, files, profile, published
from atlas.macs.request import Request, check, growth_sizes
from macs import profile_macs
from pipeline_folders import write_folder

REQUEST = Request.of([[512, 512], "native"], 1, None)
ASKED = {"resolutions": [[256, 256]], "batch": 1, "text_length": None}


def totals(rows: list[profile.Row]) -> list[profile.Row]:
    return [row for row in rows if row["part"] == "total"]


@pytest.fixture(scope="module")
def small() -> tuple[list[profile.Row], list[profile.Row]]:
    return profile.rows(catalogue.load("sd21"), REQUEST, profile.Known())


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


def test_known_figures() -> None:
    """SD1 at 512 pixels, and FLUX.1 [schnell] with its 256 text tokens at 1024."""
    for name, side, macs in (("sd15", 512, 401.6e9), ("flux1_schnell", 1024, 34.7e12)):
        rows, _ = profile.rows(
            catalogue.load(name), Request(((side, side),)), profile.Known(), with_counters=False
        )
        assert totals(rows)[0]["macs"] == pytest.approx(macs, rel=2e-3)


@pytest.mark.parametrize("name", ["sd21_base", "sana_600m", "qwen_image", "kandinsky3", "lumina2"])
def test_other_counters_are_explained(name: str) -> None:
    _, compared = profile.rows(catalogue.load(name), Request(((256, 256),)), profile.Known())
    assert {row["counter"] for row in compared} == {"FlopCounterMode", "thop", "torchinfo"}
    for row in compared:
        assert not row["problem"]
        assert abs(row["unexplained_macs"]) <= 1e-3 * row["record_macs"], row


def test_a_counter_that_raises_says_so_and_the_rest_is_made(monkeypatch) -> None:
    def broken(_: object) -> int:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(counters, "thop_macs", broken)
    rows, compared = profile.rows(catalogue.load("sd15"), Request(((256, 256),)), profile.Known())
    thop = [row for row in compared if row["counter"] == "thop"]
    assert thop
    assert {row["problem"] for row in thop} == {"ZeroDivisionError: no such luck"}
    assert {row["counter_macs"] for row in thop} == {None}
    assert all(row["macs"] for row in totals(rows))
    assert all(row["counter_macs"] for row in compared if row["counter"] == "torchinfo")


def test_thop_leaves_nothing_behind() -> None:
    known = profile.Known()
    entry = catalogue.load("sd15")
    profile.rows(entry, Request(((256, 256),)), known)
    again = profile.rows(entry, Request(((256, 256),)), known)
    assert again == profile.rows(entry, Request(((256, 256),)), profile.Known())


def test_a_component_that_fails_is_a_row_with_its_reason(monkeypatch) -> None:
    real = profile.build.component

    def without_vae(architecture, name):
        if name == "vae":
            raise AtlasError("no decoder here")
        return real(architecture, name)

    monkeypatch.setattr(profile.build, "component", without_vae)
    rows, _ = profile.rows(
        catalogue.load("sd15"), Request(((256, 256),)), profile.Known(), with_counters=False
    )
    told = {row["component"]: (row["problem"], row.get("macs")) for row in totals(rows)}
    assert told["vae"] == ("no decoder here", None)
    assert told["unet"][0] == ""


def test_a_forward_that_raises_anything_is_a_row_with_its_reason(monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("no_such_key")

    monkeypatch.setattr(profile.inputs, "denoiser", broken)
    rows, _ = profile.rows(
        catalogue.load("sd15"), Request(((256, 256),)), profile.Known(), with_counters=False
    )
    told = {row["component"]: row["problem"] for row in totals(rows)}
    assert told["unet"] == "KeyError: 'no_such_key'"
    assert told["vae"] == ""


def test_a_size_that_only_some_can_make_is_told_in_their_rows() -> None:
    entries = [catalogue.load(name) for name in ("sd15", "auraflow_v02")]
    request = Request(((2048, 2048),))
    check(entries, request)
    rows, _ = profile.rows(entries[1], request, profile.Known(), with_counters=False)
    first = totals(rows)[0]
    assert "nearest valid size is 1024 x 1024" in first["problem"]
    assert "macs" not in first


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Request(((1000, 1001),)), "nearest valid size is 1000 x 1000"),
        (Request(((-512, 512),)), "nearest valid size is 8 x 512"),
        (Request(((512, 10**9),)), "nearest valid size is 512 x 16384"),
        (Request(("native",), text_length=78), "78 text tokens: its denoiser takes 1 to 77"),
        (Request(("native",), text_length=0), "0 text tokens: its denoiser takes 1 to 77"),
        (Request(("native",), batch=0), "at least 1 image"),
    ],
)
def test_an_impossible_request_is_told(request_: Request, told: str) -> None:
    with pytest.raises(AtlasError, match=told):
        check([catalogue.load("sd15")], request_)


def test_growth_is_told_between_sizes_that_can_be_made() -> None:
    assert growth_sizes(catalogue.load("sdxl")) == [(512, 512), (2048, 2048)]
    assert growth_sizes(catalogue.load("auraflow_v02")) == [(512, 512), (1024, 1024)]


def test_a_diffusers_folder_is_profiled_as_its_entry(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine", "sd15")
    sources = {"mine": str(tmp_path / "mine"), "sd15": "sd15"}
    profile_macs.main(**ASKED, sources=sources, stated={}, folder=tmp_path)
    mine, known = (files.read(tmp_path / f"{name}.csv") for name in ("mine", "sd15"))
    assert [row["macs"] for row in mine] == [row["macs"] for row in known]
    assert mine[0]["architecture"] == "mine"


def test_one_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    sources = {"broken": str(tmp_path / "broken.yaml"), "sd15": "sd15"}
    profile_macs.main(**ASKED, sources=sources, stated={}, folder=tmp_path)
    (row,) = files.read(tmp_path / "broken.csv")
    assert (row["architecture"], row["macs"]) == ("broken", None)
    assert "broken.yaml: no such file" in row["problem"]
    assert files.read(tmp_path / "broken.counters.csv") == []
    assert files.read(tmp_path / "sd15.csv")[0]["macs"]
    with pytest.raises(AtlasError, match=r"broken\.yaml: no such file"):
        profile_macs.main(**ASKED, sources={"b": sources["broken"]}, stated={}, folder=tmp_path)


def test_a_text_that_only_some_take_is_told_in_their_rows(tmp_path: Path) -> None:
    asked = ASKED | {"text_length": 100}
    sources = {"sd15": "sd15", "sana_600m": "sana_600m"}
    profile_macs.main(**asked, sources=sources, stated={}, folder=tmp_path)
    (row,) = files.read(tmp_path / "sd15.csv")
    assert "100 text tokens: its denoiser takes 1 to 77" in row["problem"]
    assert files.read(tmp_path / "sana_600m.csv")[0]["text_tokens"] == 100


def test_all_published_rows_come_out_as_printed() -> None:
    rows = published.rows()
    assert len(rows) == 7
    assert all(row["agrees"] for row in rows)
    for row in rows:
        exact = row["recomputed_step_gmacs"] / row["published_step_gmacs"]
        assert exact == pytest.approx(1, abs=1e-4)
    # The ranking turns over: SANA falls from the first places.
    ranks = {row["model"]: (row["published_rank"], row["right_rank"]) for row in rows}
    assert ranks["SANA-1.6B"] == (1, 5)
    assert ranks["Lumina-Image-2.0"] == (3, 1)
