"""What additions cost on top: their own forwards, memory, steps and images."""

from functools import cache
from pathlib import Path

import pytest
import torch

from atlas.architectures import build, catalogue, inputs
from atlas.architectures.counting import count
from atlas.macs import additions, additions_calls, additions_pages
from atlas.macs.additions_profile import Host, Row, network, rows, sizes_of
from atlas.macs.summary import Sampling
from macs import profile_additions
from meta_modules import REMEMBERED

TESTS = Path(__file__).parents[2]
UNET = catalogue.load(TESTS / "architectures" / "pocket_unet.yaml")
POCKET = additions.read(TESTS / "additions" / "pocket_controlnet.yaml")
SIDE = 128


@cache
def host_of(architecture: str) -> Host:
    return Host(catalogue.load(architecture), 1, REMEMBERED)


def one(architecture: str, addition: str, side: int, guidance: bool | None = None) -> Row:
    entry = additions.read(additions.file_of(addition))
    (row,) = rows(host_of(architecture), entry, [(side, side)], Sampling(30, guidance))
    return row


@pytest.fixture(scope="module")
def pocket() -> Row:
    host = Host(UNET, 1, REMEMBERED)
    (row,) = rows(host, POCKET, [(SIDE, SIDE)], Sampling(10))
    return row


def test_a_controlnet_costs_its_own_forward_in_every_forward(pocket: Row) -> None:
    module = network(POCKET, UNET)
    given = inputs.denoiser(UNET, width=SIDE, height=SIDE)
    place = additions_calls.Place(UNET, SIDE, SIDE, 1, given)
    own = count(module, additions_calls.controlnet(POCKET, module, place))
    assert pocket["problem"] == ""
    assert pocket["forward_macs"] == own.total
    assert pocket["share"] == pytest.approx(own.total / pocket["denoiser_forward_macs"], abs=1e-5)
    assert pocket["step_macs"] == 2 * own.total
    assert pocket["once_macs"] == 0
    assert pocket["image_macs"] == 10 * 2 * own.total
    assert pocket["usual_image_macs"] == 20 * 2 * own.total
    assert pocket["parameters"] == build.parameters(module)
    assert pocket["weight_bytes"] == 2 * build.parameters(module)


def test_its_outputs_and_image_are_alive_at_the_denoisers_peak(pocket: Row) -> None:
    module = network(POCKET, UNET)
    place = additions_calls.Place(
        UNET, SIDE, SIDE, 1, inputs.denoiser(UNET, width=SIDE, height=SIDE)
    )
    given = additions_calls.controlnet(POCKET, module, place)
    with torch.no_grad():
        down, middle = module(**given)
    alive = sum(2 * made.numel() for made in (*down, middle, given["controlnet_cond"]))
    assert alive <= pocket["activation_bytes"] <= 3 * alive


def test_a_batch_multiplies_forwards_and_leaves_an_image_as_it_is(pocket: Row) -> None:
    (row,) = rows(Host(UNET, 3, REMEMBERED), POCKET, [(SIDE, SIDE)], Sampling(10))
    assert row["forward_macs"] > 2.9 * pocket["forward_macs"]
    assert row["image_macs"] == pytest.approx(pocket["image_macs"], rel=0.01)


def test_stable_diffusions_controlnet_has_the_known_figures() -> None:
    row = one("sd15", "controlnet_sd15", 512)
    assert row["parameters"] == 361_279_120
    # The paper tells of 34 % more time of a training iteration (arXiv 2302.05543, section 3.3).
    assert row["share"] == pytest.approx(0.34, abs=0.02)
    assert one("sd15", "controlnet_sd15", 512, guidance=False)["step_macs"] == row["forward_macs"]


def test_a_latent_as_image_is_encoded_once() -> None:
    row = one("sana_600m", "controlnet_sana_600m", 512)
    assert row["once_macs"] == host_of("sana_600m").encoding((512, 512)) > 0
    assert row["image_macs"] == 30 * row["step_macs"] + row["once_macs"]


def test_a_controlnet_of_the_conditional_forward_alone_is_not_doubled_by_guidance() -> None:
    row = one("flux1_schnell", "controlnet_flux_xlabs", 256, guidance=True)
    assert row["forwards_per_step"] == 2
    assert row["step_macs"] == row["forward_macs"] > 0


@pytest.mark.parametrize(
    ("architecture", "addition"),
    [
        ("sdxl", "controlnet_sdxl_union"),
        ("flux1_schnell", "controlnet_flux_union"),
        ("sd3_medium", "controlnet_sd3"),
        ("hunyuandit", "controlnet_hunyuandit"),
        ("qwen_image", "controlnet_qwen_image"),
        ("z_image", "controlnet_z_image_21"),
    ],
)
def test_each_kind_of_controlnet_is_counted(architecture: str, addition: str) -> None:
    row = one(architecture, addition, 256)
    assert row["problem"] == ""
    assert 0 < row["share"] < 1
    assert row["activation_bytes"] > 0


def test_an_adapter_runs_once_and_its_features_stay_alive() -> None:
    row = one("sd15", "t2i_adapter_sd15", 512)
    # Features of 320, 640, 1280 and 1280 channels on 64, 32, 16 and 8 pixels.
    features = 2 * sum(
        channels * side**2 for channels, side in [(320, 64), (640, 32), (1280, 16), (1280, 8)]
    )
    assert row["forward_macs"] == row["step_macs"] == 0
    assert row["image_macs"] == row["once_macs"] > 0
    assert features <= row["activation_bytes"] <= 2 * features


def test_an_ip_adapter_adds_an_images_keys_and_values_to_cross_attention() -> None:
    row = one("sd15", "ip_adapter_sd15", 512)
    unet = host_of("sd15").denoiser
    # By side of the image in a block: its width, and the layers of cross-attention there.
    layers = [(64, 320, 5), (32, 640, 5), (16, 1280, 5), (8, 1280, 1)]
    projection = 1024 * 4 * 768
    keys_and_values = sum(count * 2 * 4 * 768 * width for _, width, count in layers)
    products = sum(count * 2 * 4 * side**2 * width for side, width, count in layers)
    assert row["problem"] == ""
    assert row["forward_macs"] == projection + keys_and_values + products
    assert row["parameters"] == 22_319_616 + 632_076_800
    assert row["once_macs"] == row["image_macs"] - 30 * row["step_macs"] > 0
    # All is as it was afterwards.
    assert build.parameters(unet) == catalogue.load("sd15").denoiser.parameters


def test_a_lora_costs_little_and_nothing_once_merged() -> None:
    row, merged = one("sd15", "lora_r16_attention", 512), one("sd15", "lora_r16_merged", 512)
    assert 0 < row["share"] < 0.01
    assert merged["parameters"] == row["parameters"]
    assert not any(
        merged[key] for key in ("forward_macs", "image_macs", "weight_bytes", "activation_bytes")
    )


def test_a_lora_in_text_encoders_is_paid_once_for_each_prompt() -> None:
    guided, alone = (one("sdxl", "lora_r4_sdxl", 256, guidance=each) for each in (True, False))
    # Rank x (in + out) of four layers in each block of both, for 77 tokens.
    text = 4 * 4 * 77 * (12 * 2 * 768 + 32 * 2 * 1280)
    assert alone["once_macs"] == text
    assert guided["once_macs"] == 2 * text


def test_what_does_not_fit_or_fails_is_a_row_with_the_reason() -> None:
    assert one("flux1_dev", "controlnet_sdxl", 512)["problem"].startswith("made for")
    odd = one("sd15", "controlnet_sd15", 100)
    assert "the nearest valid size is 104 x 104" in odd["problem"]
    assert "forward_macs" not in odd


def test_native_is_told_in_pixels_and_each_size_once() -> None:
    assert sizes_of(UNET, [[128, 128], "native", [64, 128]]) == [(128, 128), (64, 128)]


def test_findings_tell_what_is_on_top_what_is_free_and_what_goes_nowhere() -> None:
    told = [
        one("sd15", "controlnet_sd15", 512),
        one("sd15", "lora_r16_merged", 512),
        one("sd15", "controlnet_sdxl", 512),
    ]
    found = additions_pages.findings(told)
    assert "35.3 % on top of a forward" in found[0]
    assert found[1].endswith("it is in the weights already.")
    assert found[2].startswith("ControlNet for SDXL goes with none of the architectures")
    assert [section.title for section in additions_pages.sections(told)] == [
        "What is on top",
        "Left out",
    ]


def test_the_script_makes_all_rows_that_can_be_made(tmp_path: Path) -> None:
    profile_additions.main(
        sources={"pocket": UNET.origin, "gone": "no_such_architecture.yaml"},
        stated={},
        facts={"pocket_controlnet": POCKET.origin},
        resolutions=["native"],
        batch=1,
        steps=5,
        guidance=None,
        stem=tmp_path / "additions",
    )
    lines = (tmp_path / "additions.csv").read_text().splitlines()
    assert len(lines) == 3
    assert "no such file" in lines[2]
    assert "Pocket UNet" in (tmp_path / "additions.html").read_text()
    assert "Pocket ControlNet" in (tmp_path / "additions.txt").read_text()
