"""Calls: arguments derived from signatures equal those once written by hand; what is not known."""

from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from atlas.architectures import build, catalogue, inputs
from atlas.architectures.architecture import Architecture, References, Video
from atlas.architectures.calls import arguments, forms
from atlas.architectures.calls.expressions import UnknownNameError, evaluate, holds
from atlas.architectures.calls.request import Request
from atlas.architectures.counting import count
from atlas.basis.errors import AtlasError
from denoiser_classes import SMALL, classes
from denoiser_classes import run as try_class
from meta_modules import denoiser, run

GOLDEN: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[2] / "architectures" / "denoiser_arguments.yaml").read_text("utf-8")
)
CASES = [(name, case) for name, cases in GOLDEN.items() for case in cases]


def described(value: Any) -> Any:
    """Return an argument as the golden file writes it: tensors by dtype and shape."""
    if isinstance(value, torch.Tensor):
        assert value.device.type == "meta"
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, dict):
        return {name: described(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [described(member) for member in value]}
    return [described(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "case"), CASES)
def test_derived_arguments_are_those_once_written_by_hand(name: str, case: dict[str, Any]) -> None:
    width, height = case["size"]
    given = inputs.denoiser(
        catalogue.load(name),
        width=width,
        height=height,
        batch=case["batch"],
        text_length=case["text_length"],
        dtype=torch.float16 if case["batch"] == 1 else torch.bfloat16,
    )
    assert given.pop("return_dict") is False
    assert described(given) == case["arguments"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (7, 7),
        (None, None),
        ("missing | empty | 2 * (a + b) // 3", 4),
        ("sizes[1] % 2", 1),
        ("-len(sizes) + max(sizes)", 1),
        ("sum(sizes) / a", 2.5),
        ("list(a, b)", [2, 4]),
        ("'a' if 0 else 'b'", None),
    ],
)
def test_expressions_are_arithmetic_of_named_values(expression: object, value: object) -> None:
    values = {"a": 2, "b": 4, "sizes": [2, 3], "empty": None}
    if value is None and expression is not None:
        with pytest.raises(AtlasError, match="is not understood"):
            evaluate(expression, values)
    else:
        assert evaluate(expression, values) == value


def test_a_name_without_a_value_is_told_and_makes_a_condition_false() -> None:
    with pytest.raises(UnknownNameError, match="no_such has no value"):
        evaluate("2 * no_such", {})
    assert not holds("no_such", {})
    assert not holds("no_such == 2", {})
    assert holds("a > 1 and not (no_such or a == 3)", {"a": 2})
    assert holds(True, {})


def test_an_expression_runs_nothing() -> None:
    for hostile in ("__import__('os')", "a.__class__", "(lambda: 0)()", "[1]", "1 +"):
        with pytest.raises(AtlasError, match=r"not understood|no expression"):
            evaluate(hostile, {"a": 1})


def test_forms_make_nested_values() -> None:
    form = {
        "fields": {
            "mask": {"shape": ["n", 1], "dtype": "bool"},
            "shapes": {"list": [{"repeat": "n", "tuple": [1, "n // 2"]}, {"number": "n > 3"}]},
            "none": None,
        }
    }
    made = forms.make(form, {"n": 4}, torch.float16)
    assert described(made) == {
        "mask": "bool[4, 1]",
        "shapes": [{"tuple": [1, 2]}] * 4 + [True],
        "none": None,
    }
    assert forms.names(form) == {"n"}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"shap": [1]}, "no key shap; did you mean shape"),
        ({"shape": [1], "number": 1}, "exactly one of"),
        ({"shape": ["1 / 2"]}, "1 / 2 is no length of an axis: it is 0.5"),
        ({"shape": [1], "dtype": "float61"}, "float61 is no dtype; did you mean float64"),
    ],
)
def test_a_faulty_form_is_told(form: dict[str, Any], message: str) -> None:
    with pytest.raises(AtlasError, match=message):
        forms.make(form, {}, torch.float16)


def own(name: str, **facts: Any) -> Architecture:
    """Return an entry of the catalogue whose denoiser differs in some facts."""
    entry = catalogue.load(name)
    denoiser = replace(entry.denoiser, parameters=None, **facts)
    return replace(entry, components={**entry.components, entry.denoiser_name: denoiser})


def test_an_argument_of_which_nothing_is_known_is_told_with_the_files_to_say_it_in() -> None:
    entry = own("sd15", class_name="LTX2VideoTransformer3DModel", config={})
    with pytest.raises(AtlasError, match="its argument audio_hidden_states: nothing says") as told:
        inputs.denoiser(entry, width=512, height=512)
    for part in (
        "sd15.yaml",
        "LTX2VideoTransformer3DModel",
        "denoiser: arguments:",
        "config/calls/arguments",
    ):
        assert part in str(told.value)


def test_a_key_that_a_configuration_lacks_is_told() -> None:
    entry = own("sd15", class_name="HunyuanDiT2DModel", config={"cross_attention_dim": None})
    with pytest.raises(AtlasError, match=r"argument encoder_hidden_states: .* lacks the key cross"):
        inputs.denoiser(entry, width=512, height=512)


def test_an_entry_says_itself_what_an_argument_is() -> None:
    arguments = {
        "timestep": {"shape": ["batch", 1]},
        "encoder_attention_mask": "absent",
        "attention_mask": [{"when": "no_such", "shape": [1]}, {"shape": [1, "2 * tokens"]}],
    }
    given = inputs.denoiser(own("sana_600m", arguments=arguments), width=512, height=512, batch=3)
    assert given["timestep"].shape == (3, 1)
    assert "encoder_attention_mask" not in given
    assert given["attention_mask"].shape == (1, 600)


def test_an_entry_that_says_an_argument_that_there_is_not_is_told() -> None:
    entry = own("sana_600m", arguments={"timestamp": {"shape": ["batch"]}})
    with pytest.raises(AtlasError, match="takes no argument timestamp; did you mean timestep"):
        inputs.denoiser(entry, width=512, height=512)


def test_further_channels_come_on_top_of_the_latents() -> None:
    entry = catalogue.load("sd15")
    latent = replace(entry.latent, extra={"mask": 1, "masked image": 4})
    nine = own("sd15", config={**entry.denoiser.config, "in_channels": 9})
    nine = replace(nine, latent=latent)
    given = inputs.denoiser(nine, width=512, height=256)
    assert given["sample"].shape == (1, 9, 32, 64)
    assert run(build.component(nine, "unet"), given)[0].shape == (1, 4, 32, 64)
    assert inputs.vae_decode(nine, width=512, height=256)["z"].shape == (1, 4, 32, 64)


def test_further_channels_are_packed_too() -> None:
    entry = catalogue.load("flux1_dev")
    fill = own("flux1_dev", config={**entry.denoiser.config, "in_channels": 384})
    fill = replace(fill, latent=replace(entry.latent, extra={"masked image": 16, "mask": 64}))
    given = inputs.denoiser(fill, width=1024, height=512)
    assert given["hidden_states"].shape == (1, 2048, 384)


@pytest.mark.parametrize(
    ("number", "pixels", "tokens"), [(None, None, 1), (0, None, 0), (2, 512, 0.5)]
)
def test_tokens_of_references_are_appended(
    number: int | None, pixels: int | None, tokens: float
) -> None:
    entry = replace(catalogue.load("flux1_dev"), references=References(1, 1024))
    given = inputs.denoiser(
        entry, width=1024, height=512, references=number, reference_pixels=pixels
    )
    expected = 2048 + int(4096 * tokens)
    assert given["hidden_states"].shape == (1, expected, 64)
    assert given["img_ids"].shape == (expected, 3)


def test_sizes_of_references_follow_those_of_the_image() -> None:
    entry = replace(catalogue.load("qwen_image"), references=References(2, 1024))
    given = inputs.denoiser(entry, width=1024, height=512, batch=2)
    assert given["img_shapes"] == [[(1, 32, 64), (1, 64, 64), (1, 64, 64)]] * 2
    assert given["hidden_states"].shape == (2, 2048 + 2 * 4096, 64)


def test_references_of_a_model_that_takes_none_are_told() -> None:
    with pytest.raises(AtlasError, match="flux1_dev takes no reference images"):
        inputs.denoiser(catalogue.load("flux1_dev"), width=512, height=512, references=1)
    entry = replace(catalogue.load("flux1_dev"), references=References(1, 1024))
    with pytest.raises(AtlasError, match="-1 reference images"):
        inputs.denoiser(entry, width=512, height=512, references=-1)
    with pytest.raises(AtlasError, match="nearest valid size is 1008 x 1008"):
        inputs.denoiser(entry, width=512, height=512, reference_pixels=1001)


def test_what_is_left_of_a_masked_text_shortens_the_joint_sequence() -> None:
    entry = catalogue.load("lumina2")
    entry = replace(entry, text=replace(entry.text, padding="masked"))
    module = build.component(entry, "transformer")
    lengths: list[int] = []

    def note(_: torch.nn.Module, arguments: tuple[Any, ...]) -> None:
        lengths.append(arguments[0].shape[1])

    module.layers[0].register_forward_pre_hook(note)
    for attended in (None, 64):
        given = inputs.denoiser(entry, width=512, height=512, attended=attended)
        assert given["encoder_hidden_states"].shape[1] == 256
        run(module, given)
    assert lengths == [1024 + 256, 1024 + 64]
    with pytest.raises(AtlasError, match="257 text tokens left within the denoiser: of the 256"):
        inputs.denoiser(entry, width=512, height=512, attended=257)
    with pytest.raises(AtlasError, match=r"sd15: 5 text tokens left .* drops no padding itself"):
        inputs.denoiser(catalogue.load("sd15"), width=512, height=512, attended=5)


def of_video(name: str) -> Architecture:
    return replace(catalogue.load(name), video=Video(frames=17, temporal=4, rate=16))


def test_frames_are_an_axis_of_the_autoencoders_tensors() -> None:
    entry = of_video("qwen_image")
    latent = inputs.vae_decode(entry, width=256, height=128)["z"]
    assert latent.shape == (1, 16, 5, 16, 32)
    image = inputs.vae_encode(entry, width=256, height=128, frames=9)["x"]
    assert image.shape == (1, 3, 9, 128, 256)


@pytest.mark.parametrize(("frames", "nearest"), [(16, 17), (19, 17), (0, 1), (-3, 1)])
def test_frames_that_fill_no_latent_frame_are_told(frames: int, nearest: int) -> None:
    with pytest.raises(AtlasError, match=f"nearest valid number is {nearest}$"):
        inputs.vae_decode(of_video("qwen_image"), width=256, height=128, frames=frames)
    with pytest.raises(AtlasError, match="makes images, but 5 frames"):
        inputs.denoiser(catalogue.load("sd15"), width=256, height=128, frames=5)


@pytest.mark.parametrize(
    "name",
    [
        "AllegroTransformer3DModel",
        "BriaFiboTransformer2DModel",
        "Kandinsky5Transformer3DModel",
        "LatteTransformer3DModel",
        "SanaVideoTransformer3DModel",
        "SkyReelsV2Transformer3DModel",
        "PriorTransformer",
        "StableAudioDiTModel",
        "UNetSpatioTemporalConditionModel",
        "WanVACETransformer3DModel",
    ],
)
def test_classes_without_an_entry_are_called_by_the_same_facts(name: str) -> None:
    try_class(name, classes()[name])


def test_facts_are_of_classes_and_arguments_that_there_are() -> None:
    known = classes()
    taken: set[str] = set()
    for kind in known.values():
        taken |= set(arguments.expected(kind))
    assert set(arguments.facts("arguments")) <= taken
    for name, facts in arguments.facts("classes").items():
        assert set(facts) <= set(arguments.expected(known[name]))
    assert set(SMALL) <= set(known)


def test_names_in_forms_are_sizes_or_keys_of_some_class() -> None:
    keys = {key for kind in classes().values() for key in signature(kind.__init__).parameters}
    sizes = Request(1, 1, 1, 1, 1, 1, 1, 1, 1).symbols()
    # Two that a configuration may have though its class names them otherwise.
    allowed = keys | set(sizes) | {"context_in_dim", "pooled_projection_channels"}
    for form in arguments.facts("arguments").values():
        assert forms.names(form) <= allowed
    for facts in arguments.facts("classes").values():
        assert forms.names([form for form in facts.values() if form != "absent"]) <= allowed


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("wan21_t2v_1_3b", 1_418_996_800),
        ("hunyuan_video", 12.8e9),
        ("ltx_video_2b", 1.92e9),
        ("hidream_i1_full", 17.1e9),
        ("hunyuan_image_21", 17.4e9),
        ("ovis_image_7b", 7.37e9),
        ("longcat_image", 6.27e9),
        ("prx_512", 1.17e9),
        ("omnigen", 3.76e9),
        ("stable_cascade_prior", 3.59e9),
        ("stable_cascade_decoder", 1.56e9),
        ("cogvideox_2b", 1.69e9),
        ("cogvideox_5b", 5.57e9),
    ],
)
def test_parameters_are_about_what_was_published(name: str, parameters: float) -> None:
    assert build.parameters(denoiser(name)) == pytest.approx(parameters, rel=3e-3)


def test_dits_multiplications_are_the_papers() -> None:
    """DiT's paper: 118.64 G; without attention's own products, as thop counts: 114.4 G."""
    entry = catalogue.load("dit_xl_2_256")
    counted = count(denoiser("dit_xl_2_256"), inputs.denoiser(entry, width=256, height=256))
    assert counted.total == pytest.approx(118.64e9, rel=1e-3)
    without = counted.total - counted.by_kind()["attention"]
    assert without == pytest.approx(114.4e9, rel=1e-3)


def test_latent_frames_of_a_video_are_told_by_its_frames() -> None:
    entry = catalogue.load("wan21_t2v_1_3b")
    width, height = entry.native_size
    for frames, latent_frames in ((None, 21), (1, 1), (9, 3)):
        given = inputs.denoiser(entry, width=width, height=height, frames=frames)
        assert given["hidden_states"].shape == (1, 16, latent_frames, 60, 104)
