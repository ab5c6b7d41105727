"""Settings reach the workflow, also where another workflow uses it as a module."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

import factory
from workflow_runs import REPOSITORY, Atlas

MODULE = f'module atlas:\n    snakefile: "{REPOSITORY / "Snakefile"}"\n'
BEFORE = {"fingerprint": 2, "match_names": 1, "collect_contents": 1}
ALL_SHARDS = BEFORE | {"measure_distances": 3, "distances": 1}
NUMBERED = """
use rule * from atlas as atlas_*

rule count_pairs:
    default_target: True
    input: "results/distances/0.parquet"
    output: "counted.txt"
    shell: "wc -c < {input} > {output}"
"""


@pytest.fixture
def pair(atlas: Atlas) -> Atlas:
    """Return a roster of two models that differ in their UNet."""
    base = factory.weights(seed=1)
    for name, weights in {"base": base, "tuned": factory.changed(base, 2, "unet/")}.items():
        factory.diffusers_folder(atlas.folder / name, weights)
        atlas.models[name] = {"path": name}
    return atlas


def test_the_working_directorys_settings_may_be_few(pair: Atlas) -> None:
    (pair.folder / "config").mkdir()
    (pair.folder / "config" / "config.yaml").write_text("distances: {shards: 3}\n")
    done = pair.run("distances", options=("--dry-run",))
    assert done.jobs == ALL_SHARDS, done.output


def outer(folder: Path, text: str) -> tuple[str, str]:
    """Write another workflow, in a folder of its own, and return the option that names it."""
    snakefile = folder / "outer" / "workflow" / "Snakefile"
    snakefile.parent.mkdir(parents=True)
    snakefile.write_text(text)
    return ("--snakefile", str(snakefile))


def measured(atlas: Atlas) -> int:
    """Return the number of distances that were measured."""
    return len(pd.read_parquet(atlas.folder / "results" / "distances" / "0.parquet"))


def test_a_run_is_planned_under_another_name(pair: Atlas) -> None:
    option = outer(pair.folder, f"{MODULE}    config: config\n\nuse rule * from atlas as atlas_*\n")
    pair.groups = {"all": {"models": list(pair.models)}}
    done = pair.run("atlas_plan", options=option, distances={"shards": 3})
    assert done.success, done.output
    rows = pd.read_csv(pair.folder / "results" / "plan.csv").query("target == 'all'")
    jobs = dict(zip(rows["rule"], rows["jobs"], strict=True))
    assert (jobs["fingerprint"], jobs["measure_distances"], jobs["all"]) == (2, 3, 1)


UNET = sum(name.startswith("unet/") for name in factory.SHAPES)


def test_some_settings_are_handed_over_and_the_rest_is_the_workflows_own(pair: Atlas) -> None:
    option = outer(pair.folder, f"{MODULE}    config: config\n\nuse rule * from atlas\n")
    done = pair.run("distances", options=option, distances={"shards": 1})
    assert done.success, done.output
    assert done.jobs == BEFORE | {"measure_distances": 1, "distances": 1}
    assert measured(pair) == UNET


def test_settings_and_rules_of_the_other_workflow_stay_its_own(pair: Atlas) -> None:
    settings = pair.folder / "config" / "config.yaml"
    settings.parent.mkdir()
    settings.write_text("genome: hg38\natlas: {roster: roster.yaml, distances: {shards: 1}}\n")
    use = 'configfile: "config/config.yaml"\n' + MODULE + '    config: config["atlas"]\n'
    done = pair.run(options=outer(pair.folder, use + NUMBERED))
    assert done.success, done.output
    assert done.jobs == {
        "atlas_fingerprint": 2,
        "atlas_match_names": 1,
        "atlas_collect_contents": 1,
        "atlas_measure_distances": 1,
        "count_pairs": 1,
    }
    assert measured(pair) == UNET


def test_without_a_config_the_command_lines_is_taken(pair: Atlas) -> None:
    (pair.folder / "config").mkdir()
    (pair.folder / "config" / "config.yaml").write_text("genome: hg38\n")
    option = outer(pair.folder, f"{MODULE}\nuse rule * from atlas\n")
    done = pair.run("distances", options=(*option, "--dry-run"), distances={"shards": 3})
    assert done.success, done.output
    assert done.jobs == ALL_SHARDS


ADDRESS = "https://github.com/someone/diffusion-atlas"
TAKEN = ("Snakefile", "rules", "scripts", "config", "envs", "profiles", "docs/captions")
"""What of the workflow a run reads."""

DEPLOYED = """from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare {address} as a module
module atlas:
    snakefile:
        github("someone/diffusion-atlas", path="Snakefile", commit="{commit}")
    config:
        config


# use all rules from {address}
use rule * from atlas
"""
"""What `snakedeploy deploy-workflow` 0.17 writes; it copies config/ and profiles/ beside it."""


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Lead git from GitHub to a repository of the workflow as it is now; return its commit."""
    repository = tmp_path / "repository"
    for part in TAKEN:
        here, there = REPOSITORY / part, repository / part
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            shutil.copytree(here, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, there)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[url "{repository.as_uri()}"]\n    insteadOf = {ADDRESS}\n'
        "[user]\n    name = someone\n    email = someone@example.org\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for words in ("init --quiet", "add --all", "commit --quiet --message all"):
        subprocess.run(["git", *words.split()], cwd=repository, check=True)
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def test_as_snakedeploy_writes_it_from_a_repository(pair: Atlas, commit: str) -> None:
    for part in ("config", "profiles"):
        shutil.copytree(REPOSITORY / part, pair.folder / part)
    option = outer(pair.folder, DEPLOYED.format(address=ADDRESS, commit=commit))
    done = pair.run("distances", options=option, distances={"shards": 1})
    assert done.success, done.output
    assert done.jobs == BEFORE | {"measure_distances": 1, "distances": 1}
    assert measured(pair) == UNET
    (home,) = (pair.folder / "cache").glob(f"**/source-cache/diffusion-atlas/{commit}")
    assert (home / "scripts" / "distances" / "measure_distances.py").is_file()
    assert pair.run("distances", options=option, distances={"shards": 1}).jobs == {}


@pytest.fixture
def served() -> Iterator[str]:
    """Return the address of a server of the workflow's files."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(REPOSITORY))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_of_single_files_is_refused_with_the_remedy(pair: Atlas, served: str) -> None:
    text = f'module atlas:\n    snakefile: "{served}/Snakefile"\n\nuse rule * from atlas\n'
    done = pair.run("distances", options=(*outer(pair.folder, text), "--dry-run"))
    assert not done.success
    assert "Clone the repository and name the Snakefile's path on disk" in done.output
