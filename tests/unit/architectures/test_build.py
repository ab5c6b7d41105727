"""Components on the meta device: published parameter counts, buffers apart, bad input."""

from dataclasses import replace

import pytest
import torch

from atlas.architectures import build, catalogue
from atlas.architectures.architecture import Architecture
from atlas.basis.errors import AtlasError
from meta_modules import built, denoiser

PUBLISHED = {
    "sd15": 859_520_964,
    "sd21": 865_910_724,
    "sd21_base": 865_910_724,
    "sdxl": 2_567_463_684,
    "dmd2_sdxl": 2_567_463_684,
    "sd3_medium": 2_028_328_000,
    "sd35_large": 8_056_627_520,
    "hunyuandit": 1_516_534_048,
    "auraflow_v02": 6_842_876_928,
    "flux1_dev": 11_901_408_320,
    "flux1_schnell": 11_891_178_560,
    "qwen_image": 20_430_401_088,
    "adm64_diffusers": 295_899_267,
}


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_denoisers_have_the_published_parameters(name: str, count: int) -> None:
    assert build.parameters(denoiser(name)) == count


@pytest.mark.parametrize(
    ("name", "component", "count"),
    [
        ("sd15", "vae", 83_653_863),
        ("flux1_dev", "vae", 83_819_683),
        ("sd15", "text_encoder", 123_060_480),
        ("sdxl", "text_encoder_2", 694_659_840),
        # T5-XXL's encoder: its tied table of tokens counts once.
        ("sd3_medium", "text_encoder_3", 4_762_310_656),
    ],
)
def test_other_components_have_the_published_parameters(
    name: str, component: str, count: int
) -> None:
    assert build.parameters(built(name, component)) == count


@pytest.mark.parametrize(
    ("name", "patches", "width"),
    [("sd3_medium", 192, 1536), ("sd35_medium", 384, 1536), ("sd35_large", 192, 2432)],
)
def test_positions_of_sd3_are_a_buffer(name: str, patches: int, width: int) -> None:
    module = denoiser(name)
    assert build.buffers(module) == patches**2 * width
    assert "pos_embed.pos_embed" not in dict(module.named_parameters())


def test_positions_of_auraflow_are_a_parameter() -> None:
    assert build.buffers(denoiser("auraflow_v02")) == 0


@pytest.mark.parametrize("name", catalogue.names())
def test_stated_counts_are_those_built(name: str, caplog: pytest.LogCaptureFixture) -> None:
    entry = catalogue.load(name)
    for component, facts in entry.components.items():
        if facts.library == "diffusers":
            module = built(name, component)
            assert facts.parameters in {None, build.parameters(module)}
            tensors = [*module.parameters(), *module.buffers()]
            assert {tensor.device.type for tensor in tensors} == {"meta"}
            assert {t.dtype for t in tensors if t.is_floating_point()} == {torch.float16}
            assert not module.training
    assert not caplog.records


def test_dtype_is_the_one_asked_for() -> None:
    module = build.component(catalogue.load("sd15"), "vae", torch.bfloat16)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.bfloat16}


def test_no_activation_module_is_shared() -> None:
    # One SiLU shared across a UNet makes torchinfo count its containers again.
    module = denoiser("sd15")
    paths = [name for name, _ in module.named_modules(remove_duplicate=False)]
    assert len(paths) == len(dict(module.named_modules()))


def changed(name: str, **changes: object) -> Architecture:
    """Return an entry whose denoiser is changed: a class_name, or more of its config."""
    entry = catalogue.load(name)
    facts = entry.denoiser
    if "class_name" in changes:
        facts = replace(facts, class_name=str(changes.pop("class_name")))
    facts = replace(facts, config={**facts.config, **changes})
    return replace(entry, components={**entry.components, entry.denoiser_name: facts})


def test_an_unknown_component_is_told() -> None:
    with pytest.raises(AtlasError, match=r"no component transfomer.*it has unet, vae"):
        build.component(catalogue.load("sd15"), "transfomer")


def test_an_unknown_class_is_told_with_the_nearest() -> None:
    entry = changed("sd15", class_name="UNet2DConditionModle")
    with pytest.raises(AtlasError, match=r"did you mean UNet2DConditionModel\?"):
        build.component(entry, "unet")


def test_an_unknown_key_is_warned_of_and_the_count_compared(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = build.component(changed("sd15", cross_attention_dims=1024), "unet")
    assert build.parameters(module) == PUBLISHED["sd15"]
    assert (
        "does not know the key cross_attention_dims and ignores it; did you mean "
        "cross_attention_dim? Built with 859,520,964 parameters; 859,520,964 were expected"
    ) in caplog.text


def test_another_count_than_the_published_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    build.component(changed("sd15", cross_attention_dim=1024), "unet")
    assert "859,520,964 were expected" in caplog.text


def test_an_impossible_configuration_is_told() -> None:
    with pytest.raises(AtlasError, match=r"sd15\.yaml: UNet2DConditionModel .*can't be built"):
        build.component(changed("sd15", down_block_types=["NoSuchBlock"] * 4), "unet")
