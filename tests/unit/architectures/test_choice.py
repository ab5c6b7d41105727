"""What the settings ask for: names, ids of the roster, files, folders, repositories; bad input."""

import os
import shutil
from pathlib import Path

import pytest

from atlas.architectures import catalogue, choice
from atlas.basis.errors import AtlasError
from pipeline_folders import write_folder


def test_all_is_the_catalogue() -> None:
    assert list(choice.chosen("all", setting="here")) == catalogue.names()


def test_every_form_has_a_name(tmp_path: Path) -> None:
    write_folder(tmp_path / "my folder", "sd15")
    own = tmp_path / "pixel.yaml"
    own.write_text((catalogue.FOLDER / "sdxl.yaml").read_text())
    weights = tmp_path / "tuned.safetensors"
    weights.touch()
    entries = ["sdxl", str(own), str(tmp_path / "my folder"), str(weights), "owner/model", "mine"]
    found = choice.chosen(entries, setting="here", roster={"mine": tmp_path / "mine.ckpt"})
    assert list(found) == ["sdxl", "pixel", "my_folder", "tuned", "owner--model", "mine"]
    assert found["mine"] == str(tmp_path / "mine.ckpt")
    assert found["pixel"] == str(own)


def test_the_catalogue_comes_before_the_roster() -> None:
    assert choice.chosen(["sdxl"], setting="here", roster={"sdxl": Path("a.ckpt")}) == {
        "sdxl": "sdxl"
    }


def test_files_say_what_an_architecture_is(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine", "sd15")
    files = choice.files_of(str(tmp_path / "mine"))
    assert [str(file.relative_to(tmp_path / "mine")) for file in files] == [
        "model_index.json", "text_encoder/config.json", "unet/config.json", "vae/config.json",
    ]  # fmt: skip
    weights = tmp_path / "mine" / "vae" / "x.safetensors"
    weights.touch()
    assert choice.files_of(str(tmp_path / "mine")) == [*files, weights]
    assert choice.files_of(str(weights)) == [weights]
    assert choice.files_of("sdxl") == [catalogue.FOLDER / "sdxl.yaml"]
    assert choice.files_of("owner/model") == []


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "sd15").mkdir()
    (tmp_path / "broken.yaml").write_text("labl: x")
    entries = [
        "flux1_dve", "my-modle", str(tmp_path / "broken.yaml"), str(tmp_path / "no.safetensors"),
        "sd15", str(tmp_path / "sd15.yaml"), str(tmp_path / "sd15.ckpt"),
    ]  # fmt: skip
    (tmp_path / "sd15.yaml").write_text((catalogue.FOLDER / "sd15.yaml").read_text())
    with pytest.raises(AtlasError) as error:
        choice.chosen(entries, setting="macs › architectures", roster={"my-model": Path("m.ckpt")})
    told = str(error.value)
    assert "macs › architectures: flux1_dve: no architecture" in told
    assert "did you mean flux1_dev?" in told
    assert "did you mean my-model?" in told
    assert "unknown key; did you mean label?" in told
    assert "no.safetensors: no such file" in told
    assert "two entries have one name, sd15" in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("{x}.yaml", "Snakemake would fill in {x}"),
        ("pipe.yaml", "neither a file nor a folder but a named pipe"),
        ("gone.yaml", "a link to nowhere, which is not there"),
        ("gone.ckpt", "a link to nowhere, which is not there"),
        ("x" * 300 + ".ckpt", "a name in it is longer than file systems allow"),
        ("x" * 300, "no architecture of this name"),
        ("*.pt", "no file matches"),
    ],
)
def test_a_path_that_can_not_be_read_is_told(tmp_path: Path, monkeypatch, name, told) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(catalogue.FOLDER / "sd15.yaml", "{x}.yaml")
    os.mkfifo("pipe.yaml")
    for link in ("gone.yaml", "gone.ckpt"):
        Path(link).symlink_to("nowhere")
    with pytest.raises(AtlasError) as error:
        choice.chosen([name], setting="here")
    assert f"here: {name}" in str(error.value)
    assert told in str(error.value)
