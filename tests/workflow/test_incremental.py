"""Adding, changing, renaming and removing models reruns what is new, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import factory
from workflow_runs import REPOSITORY, Atlas, Run

TENSORS = len(factory.SHAPES)
UNET = sum(name.startswith("unet/") for name in factory.SHAPES)
SHARDS = 2


def add(atlas: Atlas, name: str, weights: factory.Weights) -> Path:
    """Write a checkpoint and enter it into the roster."""
    folder = factory.diffusers_folder(atlas.folder / "models" / name, weights)
    atlas.models[name] = {"path": f"models/{name}"}
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Atlas:
    """
    Three models of which `tuned` differs from `base` in its UNet, and `far` in everything.

    A fourth, `large`, shares no name with them.
    """
    atlas = Atlas(tmp_path_factory.mktemp("finished"))
    base = factory.weights(seed=1)
    add(atlas, "base", base)
    add(atlas, "tuned", factory.changed(base, 2, "unet/"))
    add(atlas, "far", factory.weights(seed=3))
    add(atlas, "large", {"net/x.weight": np.ones((600, 600), np.float32)})
    first = run(atlas)
    # base–tuned differ in the UNet alone; far differs from both, but they share the rest
    assert first.measured == UNET + UNET + TENSORS
    assert first.jobs == {
        "fingerprint": 4,
        "match_names": 1,
        "collect_contents": 1,
        "measure_distances": SHARDS,
        "distances": 1,
    }
    assert_settled(atlas)
    return atlas


@pytest.fixture
def atlas(finished, tmp_path) -> Atlas:
    """A copy of the finished run, times of its files kept."""
    shutil.copytree(finished.folder, tmp_path / "atlas")
    return Atlas(tmp_path / "atlas", models=dict(finished.models))


def run(atlas: Atlas) -> Run:
    """Run the distances."""
    done = atlas.run("distances")
    assert done.success, done.output
    return done


def assert_settled(atlas: Atlas) -> None:
    """Assert that another run finds nothing to do, whatever the order of the models."""
    atlas.models = dict(reversed(atlas.models.items()))
    again = atlas.run("distances")
    assert "Nothing to be done" in again.output, again.output


def jobs(done: Run) -> tuple[int, int]:
    """Return how many fingerprints and shards were made."""
    return done.jobs.get("fingerprint", 0), done.jobs.get("measure_distances", 0)


def test_a_new_model_measures_its_own_pairs_alone_and_a_copy_of_an_old_one_nothing(atlas):
    base = factory.weights(seed=1)
    add(atlas, "new", factory.changed(base, 4, "vae/decoder"))
    add(atlas, "twin", base)
    done = run(atlas)
    assert jobs(done) == (2, SHARDS)
    decoder = sum(name.startswith("vae/decoder") for name in factory.SHAPES)
    assert done.measured == 2 * decoder  # against base = tuned = twin, and against far
    assert_settled(atlas)


def test_one_changed_tensor_is_measured_alone(atlas):
    weights = factory.weights(seed=3)
    weights["vae/encoder.conv_in.weight"][0, 0, 0, 0] += 1
    add(atlas, "far", weights)
    done = run(atlas)
    assert jobs(done)[0] == 1
    assert done.measured == 1


def test_removing_and_adding_again_measures_nothing(atlas):
    entry = atlas.models.pop("far")
    assert run(atlas).measured == 0
    atlas.models["far"] = entry
    assert run(atlas).measured == 0
    assert_settled(atlas)


def test_distances_of_removed_weights_are_dropped_on_request(atlas):
    del atlas.models["far"]
    dropped = atlas.run("distances", distances={"keep_absent": False})
    assert dropped.success, dropped.output
    assert dropped.measured == 0
    tables = [pd.read_parquet(file) for file in atlas.folder.glob("results/distances/*.parquet")]
    assert sum(map(len, tables)) == UNET


def test_a_renamed_id_measures_nothing(atlas):
    atlas.models["renamed"] = atlas.models.pop("far")
    done = run(atlas)
    assert jobs(done) == (1, SHARDS)
    assert done.measured == 0


def test_a_touched_file_is_fingerprinted_and_nothing_measured(atlas):
    for file in (atlas.folder / "models").rglob("*.safetensors"):
        os.utime(file)
    done = run(atlas)
    assert jobs(done)[0] == len(atlas.models)
    assert done.measured == 0
    assert_settled(atlas)


def test_a_file_that_an_older_one_replaces_is_noticed(atlas):
    folder = add(atlas, "base", factory.weights(seed=5))
    for file in folder.rglob("*.safetensors"):
        os.utime(file, (1e9, 1e9))  # as mv, cp -p, rsync -a and tar leave them
    done = run(atlas)
    assert jobs(done) == (1, SHARDS)
    assert done.measured == TENSORS + TENSORS  # against tuned and far
    assert_settled(atlas)


def rows(atlas: Atlas, shards: int) -> pd.DataFrame:
    """Return the rows of so many shards, in order."""
    files = [atlas.folder / f"results/distances/{shard}.parquet" for shard in range(shards)]
    table = pd.concat(map(pd.read_parquet, files))
    return table.sort_values(["name", "digest_a", "digest_b"], ignore_index=True)


def test_another_number_of_shards_holds_the_same_rows_once(atlas):
    before = rows(atlas, SHARDS)
    for count in (4, 1):
        done = atlas.run("distances", distances={"shards": count})
        assert done.success, done.output
        pd.testing.assert_frame_equal(rows(atlas, count), before)
    add(atlas, "new", factory.changed(factory.weights(seed=1), 4, "vae/decoder"))
    pairs = ["results/pairs/base/new.parquet", "results/pairs/far/new.parquet"]
    done = atlas.run(*pairs, distances={"shards": 3})
    assert done.success, done.output
    found = pd.read_parquet(atlas.folder / pairs[1])
    assert len(found) == TENSORS
    assert found["l2"].notna().all()


def test_a_deleted_shard_is_made_again_alone(atlas):
    (atlas.folder / "results" / "distances" / "0.parquet").unlink()
    done = run(atlas)
    assert jobs(done) == (0, 1)
    assert 0 < done.measured < 2 * TENSORS


def copied_workflow(atlas: Atlas) -> Path:
    """Copy the workflow, to be edited as its developers do."""
    copy = atlas.folder / "workflow"
    parts = shutil.ignore_patterns(".*", "results", "resources", "tests", "logs", "build")
    shutil.copytree(REPOSITORY, copy, ignore=parts)
    shutil.copytree(REPOSITORY / "profiles", copy / "profiles", dirs_exist_ok=True)
    return copy


def run_copy(atlas: Atlas, copy: Path, *targets: str) -> Run:
    """Run targets, the distances by default, with a copy of the workflow."""
    done = atlas.run(*targets or ["distances"], options=("--snakefile", str(copy / "Snakefile")))
    assert done.success, done.output
    return done


def test_a_raised_method_measures_all_again(atlas):
    copy = copied_workflow(atlas)
    numbers = copy / "rules" / "methods.yaml"
    text = numbers.read_text()
    numbers.write_text(text.replace("measure_distances: ", "measure_distances: 9"))
    done = run_copy(atlas, copy)
    assert jobs(done) == (0, SHARDS)
    assert done.measured == UNET + UNET + TENSORS


def test_edited_facts_rerun_the_fingerprints_and_what_changed_after(atlas):
    copy = copied_workflow(atlas)
    roles = copy / "config" / "names" / "roles.yaml"
    text = roles.read_text()
    roles.write_text("# Only a comment.\n" + text)
    assert run_copy(atlas, copy).jobs == {}

    roles.write_text(text + '  - {role: norm, pattern: "no such name"}\n')
    tables = [f"results/fingerprints/{model}.parquet" for model in atlas.models]
    before = [(atlas.folder / table).read_bytes() for table in tables]
    assert run_copy(atlas, copy, *tables).jobs == {"fingerprint": len(tables)}
    assert [(atlas.folder / table).read_bytes() for table in tables] == before
    assert run_copy(atlas, copy).jobs == {}

    roles.write_text(text.replace("roles:\n", 'roles:\n  - {role: other, pattern: "to_q"}\n'))
    done = run_copy(atlas, copy)
    assert jobs(done) == (len(tables), SHARDS)
    assert done.measured == 0
    base = atlas.folder / "results" / "fingerprints" / "base.parquet"
    found = pd.read_parquet(base).set_index("name")["role"]
    assert set(found[found.index.str.contains("to_q")]) == {"other"}
