"""Sums of images, their growth, the findings and pages, without torch."""

from itertools import pairwise
from pathlib import Path

import pytest

from atlas.architectures import catalogue
from atlas.basis import page
from atlas.macs import bars, files, findings, pages, summary
from atlas.macs.growth import spread
from atlas.macs.request import Request
from atlas.macs.summary import Sampling
from atlas.macs.words import Words

WORDS = Words(Request(((512, 512),), batch=2, texts=(64, "cap")), Sampling(30))


def total(component: str, call: str, side: int | None, macs: int | None, **more) -> dict:
    return {
        "part": "total", "name": "", "component": component, "call": call, "width_pixels": side,
        "height_pixels": side, "macs": macs, "flops": 2 * macs if macs else None, "batch": 2,
        "is_asked": True, "parameters": 10, "image_tokens": 4, "text_tokens": 77,
        "attention_macs": 25, "convolution_macs": 0, "linear_macs": 0, "other_matmul_macs": 0,
        "moved_bytes": 50, "prompts": "" if component == "vae" else "64, cap", "prompt_tokens": 64,
        "status": "counted", "doubt": "", "problem": "",
    } | more  # fmt: skip


PROFILE = [
    total("unet", "forward", 512, 100),
    total("unet", "forward", 1024, 800, is_asked=False),
    total("unet", "forward", 2048, 3200, is_asked=False),
    total("text_encoder", "forward", None, 6),
    total("vae", "decode", 512, 40),
    total("vae", "encode", 512, 30),
]


@pytest.mark.parametrize(("guidance", "forwards"), [(None, 2), (True, 2), (False, 1)])
def test_an_image_is_its_steps_text_and_decoding(guidance: bool | None, forwards: int) -> None:
    (row,) = summary.rows(catalogue.load("sd15"), PROFILE, Sampling(30, guidance))
    assert row["forwards_per_step"] == forwards
    assert row["step_macs"] == forwards * 100
    # per image: the calls are of a batch of two
    assert row["image_macs"] == (30 * forwards * 100 + forwards * 6 + 40) // 2
    assert row["usual_image_macs"] == (50 * forwards * 100 + forwards * 6 + 40) // 2
    assert row["image_flops"] == 2 * row["image_macs"]
    assert row["attention_share"] == 0.25
    assert row["intensity_flops_per_byte"] == 4.0


def test_the_parts_of_an_image_are_told() -> None:
    (row,) = summary.rows(catalogue.load("sd15"), PROFILE, Sampling(30, guidance=True))
    assert (row["text_encodings"], row["text_macs"]) == (2, 2 * 6)
    assert (row["vae_decode_macs"], row["vae_encode_macs"]) == (40, 30)
    # a megapixel is a million pixels
    assert row["image_macs_per_megapixel"] == round(row["image_macs"] / 0.262144)


def test_growth_is_the_power_of_the_pixels() -> None:
    (row,) = summary.rows(catalogue.load("sd15"), PROFILE, Sampling(30))
    # 8 times the MACs for 4 times the pixels
    assert row["growth_exponent"] == pytest.approx(1.5)
    assert (row["growth_from_pixels"], row["growth_to_pixels"]) == (512, 1024)


def test_growth_is_told_between_the_same_squares_for_all() -> None:
    squares = [(512, 1), (768, 50), (1024, 4), (2048, 5000)]
    assert summary.growth(squares)["growth_exponent"] == 1.0
    assert summary.growth([(256, 1), (512, 4), (2048, 64)]) == {}


def test_sizes_that_a_model_is_not_made_for_tell_nothing_of_its_growth() -> None:
    rows = [total("unet", "forward", side, side**2) for side in (64, 512, 1024)]
    assert summary.points(rows, 64, "64, cap") == [(64, 64**2)]
    assert [side for side, _ in summary.points(rows, 4096, "64, cap")] == [512, 1024]


def test_a_row_adds_the_text_encoders_of_its_own_prompt() -> None:
    rows = [
        total("unet", "forward", 512, 100, prompts="64"),
        total("unet", "forward", 512, 300, prompts="cap", text_tokens=200),
        total("text_encoder", "forward", None, 6, prompts="64", text_tokens=70),
        total("text_encoder", "forward", None, 9, prompts="cap"),
        *PROFILE[-2:],
    ]
    short, cap = summary.rows(catalogue.load("sd15"), rows, Sampling(30, guidance=True))
    assert (short["text_macs"], cap["text_macs"]) == (12, 18)
    assert (short["encoder_tokens"], cap["text_tokens"]) == ("text_encoder 70", 200)


def test_only_those_that_are_made_for_a_size_are_compared_at_it() -> None:
    rows = [
        {"architecture": str(native), "width_pixels": 1024, "height_pixels": 1024,
         "native_pixels": native, "problem": "", "prompts": "64", "frames": None}
        for native in (256, 512, 1024, 2048, 4096)
    ]  # fmt: skip
    assert list(summary.at(rows, (1024, 1024), "64")) == ["512", "1024", "2048"]
    assert summary.at(rows, (512, 512), "64") == {}
    assert summary.at(rows, (1024, 1024), "cap") == {}
    videos = [row | {"frames": 81} for row in rows]
    assert summary.at(videos, (1024, 1024), "64") == {}


def test_a_missing_number_leaves_the_image_without_one() -> None:
    broken = total("vae", "decode", 512, None, problem="no decoder", status="failed")
    rows = [*PROFILE[:4], broken]
    (row,) = summary.rows(catalogue.load("sd15"), rows, Sampling(30))
    assert row["problem"] == "no decoder"
    assert "image_macs" not in row
    assert findings.findings([row], [], [], WORDS)[1:] == ["Not counted: sd15: no decoder"]
    assert "no decoder" in page.markdown("MACs", [], pages.sections([row], [], [], [], WORDS))


def test_an_architecture_that_could_not_be_read_is_a_row_of_the_page() -> None:
    row = summary.failed("mine", "mine.yaml: no such file")
    assert list(row) == summary.COLUMNS
    assert summary.at([row], (1024, 1024), "64") == {}
    told = page.markdown("MACs", [], pages.sections([row], [], [], [], WORDS))
    assert "| mine | – |" in told
    assert "mine.yaml: no such file" in told


def test_sizes_of_one_width_are_rows_of_their_own() -> None:
    shared = {"architecture": "a", "component": "unet", "call": "forward", "width_pixels": 512,
              "prompts": "", "text_tokens": None}  # fmt: skip
    figures = {"record_macs": 10**9, "counter_macs": 10**9, "unexplained_macs": 0, "causes": "",
               "problem": ""}  # fmt: skip
    counted = [
        shared | figures | {"counter": counter, "height_pixels": height}
        for height in (512, 768)
        for counter in ("FlopCounterMode", "thop", "torchinfo")
    ]
    told = page.markdown("MACs", [], pages.sections([], counted, [], [], WORDS))
    assert "| 512 × 512 |" in told
    assert "| 512 × 768 |" in told


def test_a_model_without_text_or_autoencoder_is_its_steps() -> None:
    entry = catalogue.load("adm64_diffusers")
    (row,) = summary.rows(entry, [total("unet", "forward", 64, 100)], Sampling(30))
    assert row["image_macs"] == 30 * 100 // 2
    assert (row["text_macs"], row["vae_decode_macs"]) == (0, 0)


def test_what_little_is_asked_for_is_told_in_sentences() -> None:
    (row,) = summary.rows(catalogue.load("sd15"), PROFILE, Sampling(30))
    _, first = findings.findings([row], [], [], WORDS)
    assert first.startswith("Stable Diffusion 1.5, 512 × 512 pixels, prompts of 64 tokens and ")
    assert "2e-10 TMAC per step" in first
    assert not any("TMAC per step" in text for text in findings.findings([row] * 7, [], [], WORDS))


def test_the_size_that_most_are_made_for_is_drawn() -> None:
    rows = [
        {"architecture": name, "width_pixels": width, "height_pixels": height, "problem": "",
         "native_pixels": native, "prompts": "", "frames": None}
        for name, width, height, native in (
            ("a", 512, 512, 512), ("a", 768, 1344, 1024), ("b", 768, 1344, 1024),
            ("c", 64, 64, 1024), ("d", 64, 64, 1024), ("e", 64, 64, 1024),
        )
    ]  # fmt: skip
    assert bars.common_size(rows, "cap") == (768, 1344)
    assert bars.common_size(rows[3:], "cap") is None
    assert bars.common_size([summary.failed("x", "no")], "cap") is None


def test_tables_are_read_as_written(tmp_path: Path) -> None:
    rows = [{"architecture": "1", "macs": 5, "share": 0.5, "is_asked": True, "other": None}]
    files.write(tmp_path / "a.csv", list(rows[0]), rows)
    assert files.read(tmp_path / "a.csv") == rows


def test_a_difference_is_explained_to_a_thousandth() -> None:
    assert findings.is_explained({"unexplained_macs": -10, "record_macs": 10_000})
    assert not findings.is_explained({"unexplained_macs": 11, "record_macs": 10_000})
    assert not findings.is_explained({"unexplained_macs": None, "record_macs": 10_000})


@pytest.mark.parametrize("wanted", [[0.5] * 5, [0.0, 0.0, 1.0], [0.1, 0.11, 0.9, 0.91], [0.3]])
def test_names_of_lines_are_apart_and_in_order(wanted: list[float]) -> None:
    placed = spread(wanted, [0.1] * len(wanted))
    assert all(0 <= place <= 1 for place in placed)
    gaps = [after - before for before, after in pairwise(placed)]
    assert all(gap >= 0.1 - 1e-9 for gap in gaps)
