"""Settings: the shipped ones are sound, and wrong ones are told with the nearest valid name."""

import os
from pathlib import Path

import pytest
import yaml

from atlas.basis.errors import AtlasError
from atlas.roster import settings

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def config() -> dict:
    return yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())


def test_the_shipped_settings_are_sound(config):
    settings.check(config)


def test_every_setting_is_explained():
    text = (REPOSITORY / "config" / "config.yaml").read_text().splitlines()
    for number, line in enumerate(text):
        is_setting = (
            ":" in line and not line.lstrip().startswith("#") and line.split(":")[1].strip()
        )
        if is_setting:
            assert text[number - 1].lstrip().startswith("#"), line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"plot": {}}, "did you mean plots?"),
        ({"missing_checkpoints": "skp"}, "did you mean skip?"),
        ({"plots": {"measure": "l22", "reference": None}}, "did you mean l2?"),
        ({"plots": {"measure": "linf", "reference": None}}, "add it to groups › matrices"),
        ({"groups": {"matrices": "l2"}}, "expected a list"),
        ({"atlas": {"pairs": 0, "tensors": 20}}, "pairs"),
        ({"atlas": {"pairs": 30000, "tensors": 1001}}, "tensors"),
        ({"atlas": {"pairs": 30000, "tensor": 20}}, "did you mean tensors?"),
    ],
)
def test_wrong_settings_are_told(config, change, told):
    with pytest.raises(AtlasError, match="not usable") as raised:
        settings.check(config | change)
    assert told in str(raised.value)


def test_the_models_pictures_start_from_is_one_of_the_roster(config):
    for named, models in ((None, ["sd-1.4"]), ("sd-1.4", ["sd-1.4", "b"]), ("sd-1.4", [])):
        config["plots"]["reference"] = named
        settings.check_reference(config, models)
    config["plots"]["reference"] = "sd1.4"
    with pytest.raises(AtlasError, match="not usable") as raised:
        settings.check_reference(config, ["sd-1.4", "b"])
    assert "plots › reference" in str(raised.value)
    assert "did you mean sd-1.4?" in str(raised.value)


def test_text_from_the_command_line_gets_its_type():
    given = {"roster": "12", "distances": {"shards": "3", "device": "cpu", "fast": "true"}}
    assert settings.typed(given) == {
        "roster": "12",
        "distances": {"shards": 3, "device": "cpu", "fast": True},
    }


def test_settings_that_unfold_without_end_are_told():
    value: list = ["x"]
    for _ in range(12):
        value = [value] * 10
    with pytest.raises(AtlasError, match="unfold to too many values"):
        settings.typed({"macs": {"resolutions": value}})


def test_a_roster_that_is_no_file_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for name, told in (("pipe.yaml", "a named pipe"), (".", "a folder"), ("x" * 300, "no such")):
        with pytest.raises(AtlasError, match=told):
            settings.find(str(tmp_path / name), home=tmp_path)


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "roster.yaml").write_text("models: {}")
    with pytest.raises(AtlasError, match=r"did you mean roster\.yaml\?"):
        settings.find(str(tmp_path / "rooster.yaml"), home=tmp_path)


def test_the_working_directorys_roster_is_taken_where_none_is_named(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert settings.roster_place(config, home=REPOSITORY) is None
    (tmp_path / "roster.yaml").write_text("models: {}")
    assert settings.roster_place(config, home=REPOSITORY) == Path("roster.yaml")
    named = config | {"roster": "config/roster.yaml"}
    assert settings.roster_place(named, home=REPOSITORY) == REPOSITORY / "config" / "roster.yaml"
    with pytest.raises(AtlasError, match=r"gone\.yaml: no such file"):
        settings.roster_place(config | {"roster": "gone.yaml"}, home=REPOSITORY)
