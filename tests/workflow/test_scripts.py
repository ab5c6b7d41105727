"""Every script runs alone: it says what it takes, and makes what the workflow makes."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest
import yaml

import factory
from atlas.basis import options
from rule_files import SCRIPTS, script_files, scripted_rules
from workflow_runs import REPOSITORY, Atlas

UNET = "unet/conv_in.weight"
WITHOUT_RULE = {"write_roster", "identify", "triage"}
METHOD = yaml.safe_load((REPOSITORY / "rules/methods.yaml").read_text())["measure_distances"]


def run(script: str, *words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script by its path, from a folder elsewhere, with nothing of the environment."""
    command = [sys.executable, SCRIPTS / f"{script}.py", *words]
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(params=script_files(), ids=lambda path: path.stem)
def script(request: pytest.FixtureRequest) -> ModuleType:
    """Return each script, imported by its path."""
    spec = importlib.util.spec_from_file_location(f"script_{request.param.stem}", request.param)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_script_tells_all_that_its_main_takes(script: ModuleType) -> None:
    parameters = inspect.signature(script.main).parameters
    hints = get_type_hints(script.main)
    assert hints.pop("return") is type(None)
    assert set(hints) == set(parameters)
    told = options.parser(script.main).format_help()
    assert script.__doc__ in told
    for name, parameter in parameters.items():
        dashes = "--" if parameter.kind is parameter.KEYWORD_ONLY else ""
        assert re.search(rf"^  {dashes}{name.replace('_', '-')}\b", told, re.M)
    described = re.findall(r"^(\w+)\n    ", inspect.getdoc(script.main) or "", flags=re.M)
    assert set(described) <= set(parameters)


def test_no_parameter_hides_what_the_script_imports(script: ModuleType) -> None:
    assert not set(inspect.signature(script.main).parameters) & set(vars(script))


def test_a_script_bears_its_rules_name() -> None:
    by_rule = {rule.script for rule in scripted_rules() if rule.script.stem == rule.name}
    alone = {path for path in script_files() if path.stem in WITHOUT_RULE}
    assert by_rule | alone == set(script_files())
    assert len(scripted_rules()) == len(by_rule) > 30


@pytest.mark.parametrize("name", ["relations/compare_group", "roster/write_roster"])
def test_help_from_any_folder(name: str, tmp_path: Path) -> None:
    done = run(name, "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {Path(name).name}.py [-h] ")
    has_rule = f"the rule {Path(name).name} hands these values over" in done.stdout
    assert has_rule is (Path(name).stem not in WITHOUT_RULE)


def test_the_page_shows_the_help_as_it_is(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "scripts.md").read_text(encoding="utf-8")
    ((script, shown),) = re.findall(r"scripts/(\S+)\.py --help\n(.+?)```", page, re.S)
    assert run(script, "--help", folder=tmp_path).stdout == shown


def test_a_fault_of_the_input_ends_in_a_line(tmp_path: Path) -> None:
    words = ("--fingerprints", "{a: absent.parquet}", "--shard-files", "0", "--table", "t.parquet")
    done = run("relations/compare_group", *words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: absent\.parquet: .+\n", done.stderr)
    assert not list(tmp_path.iterdir())


def test_a_roster_is_written_and_what_is_new_appended(tmp_path: Path) -> None:
    def write() -> str:
        done = run("roster/write_roster", models, "--to", "my roster.yaml", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    models = factory.diffusers_folder(tmp_path / "models" / "one", factory.weights(seed=1)).parent
    assert write().startswith("my roster.yaml: 1 model.\nmy roster.yaml has one model, and none to")
    (models / "empty.ckpt").write_bytes(b"")
    assert write().startswith(
        "my roster.yaml: 1 model, nothing new.\n"
        "Left out, as not readable: 1. Comments at the roster's end tell the reasons.\n"
    )
    factory.diffusers_folder(models / "two", factory.weights(seed=2))
    assert write() == (
        "my roster.yaml: 2 models, 1 of them new and appended: two.\n"
        "Look it over, then run\n\n"
        "  .venv/bin/snakemake --cores all --config 'roster=my roster.yaml'\n"
    )
    found = yaml.safe_load((tmp_path / "my roster.yaml").read_text())
    assert list(found["models"]) == found["groups"]["all"]["models"] == ["one", "two"]
    lora = {f"lora_unet_x.lora_{end}.weight": factory.weights(1)[UNET] for end in ("up", "down")}
    factory.single_file(models / "style.safetensors", lora)
    assert "In no group, so compared with none: style.\n" in write()


def test_scripts_by_hand_make_what_the_workflow_makes(atlas: Atlas, tmp_path: Path) -> None:
    base = factory.weights(seed=1)
    for model, weights in {"base": base, "tuned": factory.changed(base, 2, "unet/")}.items():
        factory.diffusers_folder(tmp_path / "models" / model, weights)
        atlas.models[model] = {"path": f"models/{model}"}
    atlas.groups = {"all": {"models": list(atlas.models)}}
    done = atlas.run("results/groups/all/matrices", distances={"shards": 1})
    assert done.success, done.output
    by_hand(tmp_path / "models", settings(), folder=tmp_path / "hand")
    by_workflow = {
        "base.parquet": "fingerprints/base.parquet",
        "tuned.parquet": "fingerprints/tuned.parquet",
        "0.parquet": "distances/0.parquet",
        "distances.parquet": "groups/all/distances.parquet",
    } | {
        f"matrices/{file.name}": f"groups/all/matrices/{file.name}"
        for file in (tmp_path / "results/groups/all/matrices").glob("*.csv")
    }
    assert len(by_workflow) > 20
    for made, expected in by_workflow.items():
        found = (tmp_path / "hand" / made).read_bytes()
        assert found == (tmp_path / "results" / expected).read_bytes(), made


def settings() -> dict:
    """Return the workflow's settings."""
    return yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))


def by_hand(models: Path, config: dict, *, folder: Path) -> None:
    """Compare the models of a folder script by script, without Snakemake."""
    folder.mkdir()
    found = sorted(path.name for path in models.iterdir())

    def step(script: str, *words: object) -> None:
        done = run(script, *words, folder=folder)
        assert done.returncode == 0, done.stderr

    for model in found:
        step(
            "fingerprints/fingerprint",
            *("--checkpoint", models / model),
            *("--table", f"{model}.parquet", "--threads", 1),
        )
    step(
        "fingerprints/match_names",
        *("--fingerprints", *(f"{model}.parquet" for model in found)),
        *("--checkpoints", *(models / model for model in found)),
        *("--renamings", "renamings.json", "--listed", "fingerprints.csv"),
    )
    step(
        "distances/collect_contents",
        *("--fingerprints", "fingerprints.csv", "--renamings", "renamings.json"),
        *("--no-with-models", "--tables", "contents.parquet"),
    )
    step(
        "distances/measure_distances",
        *("--contents", "contents.parquet", "--shard", 0, "--shards", 1),
        *("--table", "0.parquet", "--record", "0.json", "--threads", 1, "--memory-mb", 100),
        *("--device", "cpu", "--method", METHOD, "--keep-absent"),
    )
    (folder / "group.yaml").write_text(
        yaml.safe_dump({model: f"{model}.parquet" for model in found})
    )
    step(
        "relations/compare_group",
        *("--fingerprints", "@group.yaml", "--shard-files", "0.parquet"),
        *("--table", "distances.parquet"),
    )
    step(
        "relations/write_matrices",
        *("--table", "distances.parquet", "--models", *found),
        *("--measures", *config["groups"]["matrices"], "--folder", "matrices"),
    )
