"""Facts of additions: each ships in order, each fault is told with its remedy."""

from pathlib import Path

import pytest
import yaml

from atlas.architectures import build, catalogue
from atlas.basis.errors import AtlasError
from atlas.macs import additions, additions_calls
from atlas.macs.additions_profile import doubts, network

POCKET = Path(__file__).parents[2] / "additions" / "pocket_controlnet.yaml"
LORAS = {name for name in additions.names() if name.startswith("lora_")}
NETWORKS = [name for name in additions.names() if name not in LORAS]


def entry(name: str) -> additions.Addition:
    return additions.read(additions.file_of(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_published_parameters_and_goes_with_an_architecture(name: str) -> None:
    addition = entry(name)
    homes = [
        architecture
        for architecture in catalogue.all_entries()
        if additions_calls.misfit(addition, architecture) is None
    ]
    assert homes
    built = network(addition, homes[0])
    assert doubts(addition, built) == ""
    told = " ".join(addition.sources)
    # A count of 1e8 and more stands in the sources, or is told as twice itself in a file's size.
    assert addition.kind == "t2i_adapter" or f"{build.parameters(built):,}" in told


def test_a_network_of_another_count_or_with_an_unknown_key_is_in_doubt(tmp_path: Path) -> None:
    facts = yaml.safe_load(POCKET.read_text())
    facts["network"] |= {"parameters": 5}
    facts["network"]["config"]["num_layer"] = 3
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(facts))
    addition = additions.read(tmp_path / "odd.yaml")
    built = network(addition, catalogue.load("sd15"))
    count = build.parameters(built)
    assert doubts(addition, built) == (
        "ControlNetModel does not know the key num_layer; "
        f"{count:,} parameters as built, 5 were expected"
    )


def test_names_and_paths_are_chosen_and_all_faults_told_at_once(tmp_path: Path) -> None:
    found = additions.chosen(["controlnet_sdxl", str(POCKET)], setting="macs › with")
    assert list(found) == ["controlnet_sdxl", "pocket_controlnet"]
    assert list(additions.chosen("all", setting="macs › with")) == additions.names()
    (tmp_path / "controlnet_sdxl.yaml").write_text(POCKET.read_text())
    (tmp_path / "bad.yaml").write_text("label: x\nkind: lora\nsources: [y]\nranks: 3\n")
    asked = ["controlnet_sdxxl", str(tmp_path / "bad.yaml"), "controlnet_sdxl"]
    with pytest.raises(AtlasError) as caught:
        additions.chosen([*asked, str(tmp_path / "controlnet_sdxl.yaml")], setting="macs › with")
    told = str(caught.value)
    assert "did you mean controlnet_sdxl?" in told
    assert "ranks" in told
    assert "did you mean rank?" in told
    assert "missing key" in told
    assert "two additions have one name" in told


def test_an_addition_is_refused_where_the_denoiser_is_another() -> None:
    addition = entry("controlnet_sdxl")
    assert additions_calls.misfit(addition, catalogue.load("sdxl")) is None
    reason = additions_calls.misfit(addition, catalogue.load("flux1_dev"))
    assert reason == "made for UNet2DConditionModel, not FluxTransformer2DModel"
    reason = additions_calls.misfit(addition, catalogue.load("sd15"))
    assert reason is not None
    assert "block_out_channels" in reason


def test_a_default_of_the_class_counts_as_a_value() -> None:
    hunyuan = catalogue.load("hunyuandit")
    assert "use_style_cond_and_image_meta_size" not in hunyuan.denoiser.config
    assert additions_calls.misfit(entry("controlnet_hunyuandit"), hunyuan) is None
