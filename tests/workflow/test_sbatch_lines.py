"""How jobs are handed to SLURM: every rule's line, how many there are, and nothing unquoted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import factory
import rule_files
import sbatch_lines
from workflow_runs import REPOSITORY, Atlas

QUICK = [case for case in sbatch_lines.CASES if not case.endswith("1000")]
GPU_RULES = {"measure_distances", "encode_words", "generate_activations", "measure_macs"}
RARE = {
    "import_matrices",
    "generate_passing_activations",
    "export_chunk",
    "draw_terrain",
    "sample_digits",
    "choose_pairs",
    "compare_low_rank",
    "pack_library",
}
"""Made for special settings, or when asked for by name."""
LOCAL = {
    "fetch_wheel",
    "check_entries",
    "check_models",
    "plan",
    "summarise_benchmarks",
    "write_index",
}
"""Done where Snakemake runs: one needs the network, the others take seconds."""


@pytest.mark.parametrize("case", QUICK)
def test_lines_are_those_that_are_kept(case: str) -> None:
    assert sbatch_lines.found(case) == sbatch_lines.kept()[case], sbatch_lines.FIX


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in sbatch_lines.CASES if case not in QUICK])
def test_lines_of_a_thousand_models_are_those_that_are_kept(case: str) -> None:
    assert sbatch_lines.found(case) == sbatch_lines.kept()[case], sbatch_lines.FIX


def test_the_kept_lines_are_of_every_rule() -> None:
    rules = {rule.name for rule in rule_files.scripted_rules()} - LOCAL
    seen = {rule for lines in sbatch_lines.kept().values() for rule in lines}
    assert rules - seen <= RARE


def test_a_gpu_is_asked_for_where_the_configuration_uses_one() -> None:
    for case, lines in sbatch_lines.kept().items():
        with_gpu = {rule for rule, each in lines.items() if any("--gpus" in line for line in each)}
        possible = GPU_RULES if case.startswith("cuda") else {"measure_macs"}
        assert with_gpu == possible & set(lines), case


def test_jobs_with_a_gpu_go_where_gpus_are_and_others_do_not() -> None:
    for lines in sbatch_lines.kept().values():
        for line in (line for each in lines.values() for line in each):
            assert ("-p gpu" in line) == ("--gpus=1" in line)
            assert "--ntasks-per-gpu" not in line


@pytest.mark.parametrize("models", sbatch_lines.ROSTERS)
def test_calls_of_sbatch_grow_with_models_and_shards_alone(models: int) -> None:
    lines = sbatch_lines.kept()[f"cpu {models}"]
    calls = sum(sum(each.values()) for each in lines.values())
    # beside fingerprints and shards: the jobs of the roster, and those of its one group
    assert calls <= models + sbatch_lines.ROSTERS[models] + 25


NASTY = 'a "c" $(touch pwned); touch pwned & `touch pwned` #'


def one_model(folder: Path, name: str) -> Atlas:
    """Return a roster of one model, whose path and label are a name."""
    atlas = Atlas(folder)
    factory.diffusers_folder(folder / name / "m", factory.weights(seed=1))
    atlas.models["m"] = {"path": f"{name}/m", "label": name}
    atlas.write_roster()
    return atlas


TARGET = ("results/fingerprints/m.parquet", "--config", "roster=roster.yaml")


def test_nothing_of_a_path_or_a_label_is_run_by_a_shell(tmp_path: Path) -> None:
    folder = one_model(tmp_path / NASTY, NASTY).folder
    places = (REPOSITORY / "tests" / "stand_ins" / "slurm", Path(sys.executable).parent)
    waits = (
        "--slurm-init-seconds-before-status-checks",
        "1",
        "--seconds-between-status-checks",
        "1",
    )
    run = (sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", *TARGET)
    done = subprocess.run(
        [*run, "--workflow-profile", sbatch_lines.PROFILE, *waits, "--latency-wait", "5"],
        cwd=folder,
        env=os.environ | {"PATH": ":".join(map(str, [*places, os.environ["PATH"]]))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (folder / "results" / "fingerprints" / "m.parquet").is_file()
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("where", ["folder", "checkpoint"])
def test_an_apostrophe_which_snakemake_does_not_quote_is_refused(
    tmp_path: Path, where: str
) -> None:
    names = {"folder": "plain", "checkpoint": "plain"} | {where: "it's $(touch pwned)"}
    folder = one_model(tmp_path / names["folder"], names["checkpoint"]).folder
    with pytest.raises(AssertionError, match="has an apostrophe"):
        sbatch_lines.submitted(folder, *TARGET)
    assert not list(tmp_path.rglob("pwned"))
