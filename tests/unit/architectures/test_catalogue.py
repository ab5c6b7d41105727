"""The catalogue: every entry read, faults told with the remedy, folders as entries."""

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import save_file

from atlas.architectures import catalogue, folders
from atlas.basis.errors import AtlasError
from pipeline_folders import write_folder

SHARED = Path(__file__).parents[3].parent / "shared" / "reference" / "architectures"


def test_every_file_is_an_entry_of_its_own_label() -> None:
    entries = catalogue.all_entries()
    assert [entry.name for entry in entries] == catalogue.names()
    assert len({entry.label for entry in entries}) == len(entries)
    assert {path.stem for path in SHARED.glob("*.json")} <= set(catalogue.names())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published configurations are not here")
@pytest.mark.parametrize("name", sorted(path.stem for path in SHARED.glob("*.json")))
def test_configurations_are_the_published_ones(name: str) -> None:
    published = json.loads((SHARED / f"{name}.json").read_text())
    entry = catalogue.load(name)
    components = [published["denoiser"], published["vae"], *published["text_encoders"]]
    for ours, theirs in zip(entry.components.values(), filter(None, components), strict=True):
        # AutoencoderKLFlux2 ignores force_upcast: it is no fact of the architecture.
        assert dict(ours.config) == {
            key: value
            for key, value in theirs.items()
            if not key.startswith("_")
            and not (theirs["_class_name"] == "AutoencoderKLFlux2" and key == "force_upcast")
        }
        assert ours.class_name == theirs["_class_name"]
    assert entry.latent.downsampling == published["latent_downsample"]
    assert entry.sampling.forwards_per_step == published["cfg_forwards"]
    assert (entry.text.cap if entry.text else 0) == published["text_seq_len"]


@pytest.mark.parametrize("name", catalogue.names())
def test_facts_agree_with_each_other(name: str) -> None:
    entry = catalogue.load(name)
    assert entry.denoiser_name == ("unet" if entry.kind == "UNet" else "transformer")
    assert entry.native % entry.latent.pixel_multiple == 0
    assert entry.largest is None or entry.largest >= entry.native
    assert (entry.sampling.guidance == "classifier-free") == (entry.sampling.forwards_per_step > 1)
    # OmniGen reads its text itself.
    assert (entry.text is None) == (not entry.text_encoders) or name == "omnigen"
    assert all(encoder.tokens for encoder in entry.text_encoders.values())
    packing = entry.latent.inputs * entry.latent.patch**2
    assert entry.denoiser.config["in_channels"] in {entry.latent.inputs, packing}


def test_entries_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        catalogue.load("sd15").native = 1024  # type: ignore[misc]


def test_the_catalogue_does_not_import_torch() -> None:
    program = (
        "import sys; from atlas.architectures import catalogue, sizes; catalogue.load('sdxl'); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'pandas')))"
    )
    scripts = Path(__file__).parents[3] / "scripts"
    subprocess.run([sys.executable, "-c", program], cwd=scripts, check=True)


def test_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(AtlasError, match=r"sd3_mediun: .*did you mean sd3_medium\?"):
        catalogue.load("sd3_mediun")


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    facts = yaml.safe_load((catalogue.FOLDER / "sd15.yaml").read_text())
    facts["labl"] = facts.pop("label")
    facts["latent"]["downsampling"] = "8"
    facts["text_encoders"][0]["token"] = 77
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(facts))
    with pytest.raises(AtlasError) as error:
        catalogue.load(path)
    assert str(error.value).startswith(f"{path} is not usable: 4 problems")
    assert {(fault.key, fault.problem) for fault in error.value.faults} == {
        (("labl",), "unknown key; did you mean label?"),
        (("label",), "missing key"),
        (("latent", "downsampling"), "expected a whole number"),
        (("text_encoders", "0", "token"), "unknown key; did you mean tokens?"),
    }


def test_a_file_of_ones_own_is_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((catalogue.FOLDER / "sdxl.yaml").read_text())
    entry = catalogue.load(path)
    assert entry.name == "mine"
    assert entry.components == catalogue.load("sdxl").components


@pytest.mark.parametrize("text", ["a: [", "[]", ""])
def test_a_file_that_is_no_entry_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(AtlasError, match=r"broken\.yaml"):
        catalogue.load(path)


UNDECIDED = {
    name: base
    for base, distilled in {
        "flux2_klein4b": "flux2_klein4b_base",
        "flux2_klein9b": "flux2_klein9b_base",
        "sd35_large": "sd35_large_turbo",
        "z_image": "z_image_base",
    }.items()
    for name in (base, distilled)
}
"""Entries of one configuration and one class of scheduler: what their sampling is stated as."""


@pytest.mark.parametrize("name", catalogue.names())
def test_an_entry_written_as_a_folder_is_read_as_itself(tmp_path: Path, name: str) -> None:
    write_folder(tmp_path / "mine", name, {"vae": "movq"} if name == "kandinsky3" else {})
    known = catalogue.load(name)
    # What edits has the configurations of what draws: it is said to be that.
    read = catalogue.load(tmp_path / "mine", stated=name if known.references else None)
    told = {"name": "mine", "label": "mine", "sources": (), "origin": "", "repository": None}
    components = {
        component: replace(facts, parameters=None) for component, facts in known.components.items()
    }
    sampling = known.sampling
    if name in UNDECIDED:
        base = catalogue.load(UNDECIDED[name])
        sampling = replace(base.sampling, stated=f"not known: stated as {base.label}")
    assert replace(read, **told) == replace(known, components=components, sampling=sampling, **told)


def test_a_folder_with_its_siblings_configuration_and_another_scheduler_is_not_known(
    tmp_path: Path,
) -> None:
    write_folder(tmp_path / "mine", "sdxl")
    index = json.loads((tmp_path / "mine" / "model_index.json").read_text())
    index["scheduler"][1] = "DDIMScheduler"
    (tmp_path / "mine" / "model_index.json").write_text(json.dumps(index))
    sampling = catalogue.load(tmp_path / "mine").sampling
    assert sampling.stated == "not known: stated as Stable Diffusion XL 1.0"
    assert (sampling.steps, sampling.scheduler) == (50, "DDIMScheduler")
    said = catalogue.load(tmp_path / "mine", stated="dmd2_sdxl").sampling
    assert (said.steps, said.forwards_per_step, said.stated) == (4, 1, "")


def test_a_folder_said_to_be_of_another_class_is_told(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine", "sdxl")
    with pytest.raises(AtlasError, match="said to be flux1_dev, whose denoiser is a Flux"):
        catalogue.load(tmp_path / "mine", stated="flux1_dev")


def test_a_folder_alike_to_an_entry_does_not_inherit_its_sampling_in_silence(
    tmp_path: Path,
) -> None:
    write_folder(tmp_path / "mine", "sdxl")
    path = tmp_path / "mine" / "unet" / "config.json"
    config = json.loads(path.read_text()) | {"transformer_layers_per_block": [1, 1, 4]}
    path.write_text(json.dumps(config))
    assert catalogue.load(tmp_path / "mine").sampling.stated.startswith("not known: stated as")


def test_the_header_of_a_folders_weights_is_counted(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine", "sd15")
    weights = {"a": np.zeros((3, 4), np.float16), "b": np.zeros(5, np.float16)}
    save_file(weights, tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors")
    save_file(weights, tmp_path / "mine" / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    read = catalogue.load(tmp_path / "mine")
    assert read.denoiser.parameters == 17
    assert read.components["vae"].parameters is None


def test_shards_are_counted_together_or_not_at_all(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine", "sd15")
    for number in (1, 2):
        file = f"diffusion_pytorch_model-{number:05d}-of-00002.safetensors"
        save_file({f"{number}": np.zeros((3, 4))}, tmp_path / "mine" / "unet" / file)
    assert catalogue.load(tmp_path / "mine").denoiser.parameters == 24
    (tmp_path / "mine" / "unet" / file).write_bytes(b"")
    with pytest.raises(AtlasError, match="00002-of-00002"):
        catalogue.load(tmp_path / "mine")
    (tmp_path / "mine" / "unet" / file).unlink()
    with pytest.raises(AtlasError, match="1 of 2 shards"):
        catalogue.load(tmp_path / "mine")


def test_a_folder_without_an_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match=r"model_index\.json: no such file"):
        catalogue.load(tmp_path)


def test_a_folder_without_a_denoiser_is_told(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"vae": [null, null]}')
    with pytest.raises(AtlasError, match="neither a unet nor a transformer"):
        catalogue.load(tmp_path)


def test_a_folder_lacking_a_configuration_is_told(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine", "sd15")
    (tmp_path / "mine" / "vae" / "config.json").unlink()
    with pytest.raises(AtlasError, match=r"vae/config\.json: no such file"):
        catalogue.load(tmp_path / "mine")


def test_an_unknown_denoiser_class_is_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_folder(tmp_path / "mine", "sd15")
    index = json.loads((tmp_path / "mine" / "model_index.json").read_text())
    index["unet"][1] = "UNetOfTomorrow"
    (tmp_path / "mine" / "model_index.json").write_text(json.dumps(index))
    read = catalogue.load(tmp_path / "mine")
    assert read.denoiser.class_name == "UNetOfTomorrow"
    assert read.latent == catalogue.load("sd15").latent
    assert "UNetOfTomorrow" in caplog.text


def test_a_repository_is_read_by_its_configuration_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "snapshot", "sdxl")
    asked = []

    def snapshot_download(repository: str, *, allow_patterns: list[str]) -> str:
        asked.append((repository, allow_patterns))
        return str(tmp_path / "snapshot")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    read = catalogue.load("someone/some-model")
    assert asked == [("someone/some-model", folders.CONFIGS)]
    assert (read.name, read.repository) == ("someone--some-model", "someone/some-model")
    assert read.denoiser.config == catalogue.load("sdxl").denoiser.config


def test_a_hub_out_of_reach_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(*_: object, **__: object) -> str:
        raise ConnectionError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(AtlasError, match=r"someone/some-model: .*check the name and the network"):
        catalogue.load("someone/some-model")


def test_an_entry_extends_another_where_it_is_silent(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "extends: sdxl\nlabel: Mine\nsources: [here]\nsampling: {steps: 3}\n"
        "denoiser: {config: {sample_size: 64, up_block_types: [UpBlock2D]}}\n"
    )
    mine, base = catalogue.load(tmp_path / "mine.yaml"), catalogue.load("sdxl")
    changed = {"sample_size": 64, "up_block_types": ["UpBlock2D"]}
    assert mine.denoiser.config == {**base.denoiser.config, **changed}
    # What was published of the base's denoiser is not of this one; its decoder is the base's.
    assert mine.denoiser.parameters is None
    assert mine.components["vae"] == base.components["vae"]
    assert mine.sampling == replace(base.sampling, steps=3)
    assert (mine.label, mine.repository, mine.sources) == ("Mine", None, ("here",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("extends: sdx\nlabel: Mine\nsources: [here]\n", r"did you mean .*sdxl"),
        ("extends: sdxl\nsources: [here]\n", "label"),
    ],
)
def test_what_cannot_be_extended_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(AtlasError, match=told):
        catalogue.load(tmp_path / "mine.yaml")


def test_the_files_of_an_entry_are_those_that_it_extends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.yaml").write_text("label: One\n")
    (tmp_path / "two.yaml").write_text("extends: one\n")
    (tmp_path / "round.yaml").write_text("extends: about\n")
    (tmp_path / "about.yaml").write_text("extends: round\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.yaml").write_text("extends: two\n")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue.names.cache_clear()
    try:
        found = {
            name: [path.stem for path in catalogue.files_of(tmp_path / f"{name}.yaml")]
            for name in ("two", "own/mine", "round")
        }
        assert found["two"] == ["two", "one"]
        assert found["own/mine"] == ["mine", "two", "one"]
        assert found["round"] == ["round", "about"]
    finally:
        catalogue.names.cache_clear()
