"""`snakemake plan` counts the jobs that Snakemake would run, and disturbs nothing."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

import factory
import pocket_atlas
from workflow_runs import REPOSITORY, Atlas, Run

TARGETS = ("all", "architectures", "macs", "activations", "embeddings")


def rows_of(atlas: Atlas) -> list[dict[str, str]]:
    """Return the rows of the plan that was made last."""
    with (atlas.folder / "results" / "plan.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def planned_jobs(atlas: Atlas, target: str) -> dict[str, int]:
    """Return rule to number of jobs that a target needs and none before it, by the plan."""
    rows = [row for row in rows_of(atlas) if row["target"] == target]
    return {row["rule"]: int(row["jobs"]) for row in rows if row["rule"] != "total"}


def small(folder: Path, models: int = 4) -> Atlas:
    """Return a roster of tiny models in two groups, one of which asks for pairs."""
    atlas = Atlas(folder)
    base = factory.weights(seed=0)
    for number in range(models):
        weights = factory.changed(base, number, "unet/") if number else base
        factory.diffusers_folder(folder / "models" / f"m{number}", weights)
        atlas.models[f"m{number}"] = {"path": f"models/m{number}"}
    names = list(atlas.models)
    atlas.groups = {"all": {"models": names, "pairs": True}, "few": {"models": names[:2]}}
    return atlas


def without_roster(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    """Plan in a folder that has no roster."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    return subprocess.run(
        [*command, "--cores", "2", "plan", *(("--config", *settings) if settings else ())],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_counts_as_snakemake(atlas: Atlas, *, options: tuple[str, ...] = (), **settings) -> Run:
    """Hold the plan of every target against the table of jobs of a real dry run."""
    told = atlas.run("plan", options=options, **settings)
    assert told.success, told.output
    assert told.jobs == {"plan": 1}
    targets = [name for name in TARGETS if planned_jobs(atlas, name)]
    together: dict[str, int] = {}
    for target in targets:
        # Each target that has such a job has one of its own: a job for each wing.
        wings = together.pop("check_entries", 0)
        together |= planned_jobs(atlas, target)
        if wings:
            together["check_entries"] = together.get("check_entries", 0) + wings
    dry = atlas.run(*targets, options=("--dry-run", *options), **settings)
    assert dry.success, dry.output
    assert together == dry.jobs
    return told


def test_jobs_are_counted_as_snakemake_counts_them(tmp_path):
    atlas = small(tmp_path)
    assert_counts_as_snakemake(atlas, distances={"shards": 5})
    assert planned_jobs(atlas, "all")["compare_pair"] == 6
    assert planned_jobs(atlas, "all")["measure_distances"] == 5


def test_jobs_of_datasets_and_shards_of_encoders_are_counted(tmp_path):
    atlas = small(tmp_path, models=3)
    several = {"layers": ["mid"], "samples": 20}
    dataset = {**several, "model": "m0"}
    assert_counts_as_snakemake(
        atlas,
        activations={"faces": dataset, "others": {**several, "models": ["m1", "m2"]}},
        embeddings={"shards": 3, "lists": ["everyday"], "groups": ["few"]},
    )
    assert planned_jobs(atlas, "activations")["plan_activations"] == 2
    assert planned_jobs(atlas, "embeddings")["encode_words"] == 3


def test_jobs_of_an_atlas_with_something_of_everything(tmp_path):
    atlas = pocket_atlas.make(tmp_path)
    assert_counts_as_snakemake(atlas, options=pocket_atlas.options(atlas), **pocket_atlas.SETTINGS)
    assert planned_jobs(atlas, "all")["import_matrices"] == 1


def test_without_a_roster_what_needs_none_is_counted(tmp_path):
    done = without_roster(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The plan of a run without a roster" in done.stdout
    assert {row["target"] for row in rows_of(Atlas(tmp_path))} == {"architectures", "macs", ""}


def test_nothing_is_disturbed_and_every_call_plans_anew(tmp_path):
    atlas = small(tmp_path, models=2)
    (tmp_path / "models" / "m1" / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"x")
    before = atlas.run("plan")
    assert "at most" in before.output
    assert not (tmp_path / "results" / "fingerprints").exists()
    weights = factory.changed(factory.weights(seed=0), 1, "unet/")
    factory.diffusers_folder(tmp_path / "models" / "m1", weights)
    unet = sum(name.startswith("unet/") for name in factory.SHAPES)
    done = atlas.run("distances")
    assert done.success, done.output
    assert done.measured == unet
    after = atlas.run("plan")
    assert f"; {unet} pairs of contents" in after.output
    assert "by the fingerprints" in after.output
    fingerprints = next(row for row in rows_of(atlas) if row["rule"] == "fingerprint")
    assert (fingerprints["jobs"], fingerprints["done"]) == ("2", "2")
    assert float(fingerprints["core_hours_left"]) == 0
    assert atlas.run("distances").measured == 0


@pytest.mark.parametrize("count", [6, 40])
def test_an_imagined_roster_is_planned_as_a_real_one_of_its_size(tmp_path, count):
    atlas = small(tmp_path, models=6)
    atlas.groups["all"]["pairs"] = False
    del atlas.groups["few"]
    real = atlas.run("plan", distances={"shards": 3})
    of_real = rows_of(atlas)
    assert real.success, real.output
    imagined = atlas.run("plan", distances={"shards": 3}, plan={"models": count})
    assert imagined.success, imagined.output
    of_imagined = rows_of(atlas)
    if count == 6:
        shared = ("target", "rule", "jobs", "threads", "mem_mb", "runtime")
        both = [
            [tuple(row[key] for key in shared) for row in rows if row["target"] == "all"]
            for rows in (of_real, of_imagined)
        ]
        assert both[0] == both[1]
    else:
        jobs = planned_jobs(atlas, "all")
        assert (jobs["fingerprint"], jobs["measure_distances"], jobs["all"]) == (40, 3, 1)
        assert f"{40 * 39 // 2} pairs of models" in imagined.output


def test_large_models_that_are_imagined_take_the_limits_of_large_ones(tmp_path):
    atlas = Atlas(tmp_path)
    shards = 'distances={"shards": 64}'
    done = without_roster(tmp_path, 'plan={"models": 300, "size_gb": 69}', shards)
    assert done.returncode == 0, done.stderr
    of_large = {row["rule"]: int(row["runtime"]) for row in rows_of(atlas) if row["runtime"]}
    assert of_large["fingerprint"] == 10 + round(2 * 69_000 / 100 / 60)
    assert of_large["measure_distances"] > 60
    lacking = without_roster(tmp_path, 'plan={"models": 300}')
    assert lacking.returncode
    assert "size_gb" in lacking.stderr


def test_nothing_else_is_made_of_an_imagined_roster(tmp_path):
    atlas = small(tmp_path)
    done = atlas.run(plan={"models": 5})
    assert not done.success
    assert "imagined_for_snakemake_plan" in done.output
    assert not (tmp_path / "results" / "fingerprints").exists()


def test_the_workflow_has_no_other_targets_to_count():
    text = (REPOSITORY / "Snakefile").read_text(encoding="utf-8")
    tour = text[text.index("rule tour:") :]
    asked = re.findall(r"rules\.(\w+)\.input", tour[: tour.index("# Only where")])
    assert asked == list(TARGETS)
