"""Frames of videos and reference images as they are asked for, and what a second of video costs."""

import pytest

from atlas.architectures import catalogue
from atlas.architectures.sizes import chosen
from atlas.basis.errors import AtlasError
from atlas.macs import summary
from atlas.macs.summary import Sampling


def test_a_clip_and_references_are_those_asked_for() -> None:
    video = chosen(catalogue.load("wan21_t2v_1_3b"), frames=33).video
    assert video is not None
    assert (video.frames, video.latent_frames()) == (33, 9)
    kontext = chosen(catalogue.load("flux1_kontext_dev"), references=2, reference_pixels=512)
    assert kontext.references is not None
    assert (kontext.references.number, kontext.references.pixels) == (2, 512)


@pytest.mark.parametrize("name", ["sdxl", "wan21_t2v_1_3b", "qwen_image_edit"])
def test_nothing_asked_leaves_an_entry_as_it_is(name: str) -> None:
    entry = catalogue.load(name)
    assert chosen(entry) == entry


def test_what_a_model_does_not_take_is_passed_over() -> None:
    entry = catalogue.load("sdxl")
    assert chosen(entry, frames=33, references=2, reference_pixels=512) == entry


def test_frames_that_are_not_possible_are_told_with_the_nearest() -> None:
    with pytest.raises(AtlasError, match="nearest valid number is 33"):
        chosen(catalogue.load("wan21_t2v_1_3b"), frames=34)


def test_calls_of_one_configuration_with_other_inputs_are_told_apart() -> None:
    plain, kontext = (catalogue.load(name) for name in ("flux1_dev", "flux1_kontext_dev"))
    assert plain.denoiser.config == kontext.denoiser.config
    assert plain.described("transformer") != kontext.described("transformer")
    assert plain.described("vae") == kontext.described("vae")
    more = chosen(kontext, references=2)
    assert more.described("transformer") != kontext.described("transformer")


def test_a_second_of_video_costs_its_share_of_the_clip() -> None:
    entry = chosen(catalogue.load("wan21_t2v_1_3b"), frames=33)
    macs = {"convolution_macs": 0, "linear_macs": 80, "attention_macs": 20, "other_matmul_macs": 0}
    forward = {
        "part": "total", "component": "transformer", "call": "forward", "prompts": "cap",
        "width_pixels": 832, "height_pixels": 480, "is_asked": True, "status": "counted",
        "problem": "", "doubt": "", "parameters": 1, "batch": 1, "prompt_tokens": 512,
        "text_tokens": 512, "image_tokens": 9, "macs": 100, "flops": 200, "moved_bytes": 10, **macs,
    }  # fmt: skip
    (row,) = summary.rows(entry, [forward], Sampling(steps=10))
    clip = entry.sampling.steps * entry.sampling.forwards_per_step * 100
    assert row["usual_image_macs"] == clip
    assert entry.video is not None
    assert row["usual_macs_per_second_of_video"] == round(clip * entry.video.rate / 33)
    assert row["frames"] == 33
