"""Tokens of a prompt on its way through a pipeline, by the pipeline's rule of padding."""

from dataclasses import replace

import pytest

from atlas.architectures import catalogue
from atlas.architectures.architecture import Architecture, Component, Padding, Text
from atlas.architectures.sizes import Lengths, lengths, padded
from atlas.basis.errors import AtlasError


def _pipeline(text: Text, encoder: Component) -> Architecture:
    entry = catalogue.load("cogview4")
    components = {"transformer": entry.denoiser, "text_encoder": encoder}
    return replace(entry, text=text, components=components)


def _encoder(tokens: int, template: int = 0, padding: Padding = "cap") -> Component:
    return Component("Any", {}, "transformers", tokens=tokens, template=template, padding=padding)


@pytest.mark.parametrize("name", catalogue.names())
def test_a_prompt_as_long_as_the_cap_is_given_what_the_entry_says(name: str) -> None:
    entry = catalogue.load(name)
    found = lengths(entry, None)
    assert found.denoiser == found.attended == (entry.text.cap if entry.text else 0)
    assert found.encoders == {name: e.tokens for name, e in entry.text_encoders.items()}


def test_a_pipeline_that_pads_to_the_cap_gives_the_same_for_any_prompt() -> None:
    entry = catalogue.load("sd3_medium")
    given = {"text_encoder": 77, "text_encoder_2": 77, "text_encoder_3": 256}
    assert lengths(entry, 5) == Lengths(5, 333, 333, given)
    assert lengths(entry, 5, cap=589).encoders["text_encoder_3"] == 512


@pytest.mark.parametrize(
    ("text", "encoder", "expected"),
    [
        # CogView4: both in steps of 16
        (Text(1024, padding=16), _encoder(1024, padding=16), (80, 80, 80)),
        # Qwen-Image: a template of 34 in front for the encoder, 5 after the prompt for both
        (Text(512, padding="longest", kept=5), _encoder(546, 34, "longest"), (75, 75, 109)),
        # Z-Image: the encoder pads, the padding is dropped before the denoiser
        (Text(512, padding="dropped", kept=8), _encoder(512), (78, 78, 512)),
        # Lumina 2: the denoiser pads too, and drops the padding within
        (Text(256, padding="masked"), _encoder(256), (256, 70, 256)),
    ],
)
def test_each_rule_of_padding(text: Text, encoder: Component, expected: tuple[int, ...]) -> None:
    found = lengths(_pipeline(text, encoder), 70)
    assert (found.denoiser, found.attended, found.encoders["text_encoder"]) == expected


def test_a_longer_prompt_is_cut_at_the_cap() -> None:
    entry = _pipeline(Text(512, padding="longest", kept=5), _encoder(546, 34, "longest"))
    assert lengths(entry, 2000) == Lengths(2000, 512, 512, {"text_encoder": 546})


def test_an_empty_prompt_has_the_least_tokens_that_the_denoiser_takes() -> None:
    entry = _pipeline(Text(512, padding="longest"), _encoder(512, padding="longest"))
    assert lengths(entry, 0).denoiser == 1


def test_a_multiple_never_makes_more_than_a_full_cap() -> None:
    assert padded(300, 300, 16) == 300
    assert padded(290, 300, 16) == 300
    assert padded(280, 300, 16) == 288


def test_impossible_lengths_are_told() -> None:
    with pytest.raises(AtlasError, match="at least 0"):
        lengths(catalogue.load("sd15"), -1)
    with pytest.raises(AtlasError, match="256 text tokens"):
        lengths(catalogue.load("sd15"), 5, cap=256)


def test_a_model_without_text_has_none() -> None:
    assert lengths(catalogue.load("adm64_diffusers"), 64) == Lengths(64, 0, 0, {})
