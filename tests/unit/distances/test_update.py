"""An update measures what is missing, keeps what is sound, and ends as if all were made at once."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.basis.errors import AtlasError
from atlas.distances import engine, plan
from atlas.distances.shards import ShardWriter, iter_names
from atlas.distances.update import Tally, update
from measured import contents_of, fingerprints

SIZES = {"unet/a": 40, "unet/b": 300, "vae/c": 7, "vae/d": 1}


def model(seed: int, **same_as: int) -> dict[str, np.ndarray]:
    """Return a model; keywords name components that are those of another seed."""
    return {
        name: np.random.default_rng([same_as.get(name[:4].strip("/"), seed), size])
        .standard_normal(size)
        .astype(np.float32)
        for name, size in SIZES.items()
    }


def measure(jobs):
    return engine.measure(jobs, threads=2, memory_bytes=10**8)


def brought_up(
    path: Path, folder: Path, models, *, method: int = 1, shard=(0, 1), **given
) -> Tally:
    """Bring a shard up to date with the models."""
    folder.mkdir(exist_ok=True)
    number, count = shard
    contents = contents_of(fingerprints(folder, models), shard=number, count=count)
    return update(
        path,
        contents,
        measure=measure,
        method=method,
        owns=lambda name: plan.shard_of(name, count) == number,
        **given,
    )


@pytest.fixture
def first(tmp_path) -> Path:
    """A shard of three models that share their vae."""
    path = tmp_path / "0.parquet"
    done = brought_up(path, tmp_path / "first", MODELS)
    assert done == Tally(measured=2 * 3)
    return path


MODELS = {"a": model(1), "b": model(2, vae=1), "c": model(3, vae=1)}
MORE = MODELS | {"d": model(4)}


def test_a_second_time_nothing_is_measured(tmp_path, first):
    before = first.read_bytes()
    assert brought_up(first, tmp_path / "again", MODELS) == Tally(kept=6)
    assert first.read_bytes() == before


def test_a_new_model_measures_its_own_pairs(tmp_path, first):
    assert brought_up(first, tmp_path / "more", MORE) == Tally(measured=2 * 3 + 2, kept=6)


def test_step_by_step_ends_as_all_at_once(tmp_path, first):
    brought_up(first, tmp_path / "more", MORE)
    brought_up(tmp_path / "whole.parquet", tmp_path / "whole", MORE)
    assert first.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_renamed_and_reordered_models_measure_nothing(tmp_path, first):
    renamed = {f"z{name}": weights for name, weights in reversed(MODELS.items())}
    assert brought_up(first, tmp_path / "renamed", renamed) == Tally(kept=6)


def test_a_removed_model_may_come_back(tmp_path, first):
    before = first.read_bytes()
    fewer = {"a": MODELS["a"], "b": MODELS["b"]}
    assert brought_up(first, tmp_path / "fewer", fewer) == Tally(kept=6)
    assert brought_up(first, tmp_path / "back", MODELS) == Tally(kept=6)
    assert first.read_bytes() == before


def test_rows_of_absent_contents_can_be_dropped(tmp_path, first):
    fewer = {"a": MODELS["a"], "b": MODELS["b"]}
    done = brought_up(first, tmp_path / "fewer", fewer, keep_absent=False)
    assert done == Tally(kept=2, dropped=4)
    brought_up(tmp_path / "whole.parquet", tmp_path / "whole", fewer)
    assert first.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_rows_of_absent_contents_stand_for_no_other_pair(tmp_path):
    models = [
        {f"unet/{name}": np.full(2, 10 * number + name, np.float32) for name in range(10)}
        for number in range(6)
    ]
    path = tmp_path / "0.parquet"
    for held in ("012", "034", "135"):
        brought_up(path, tmp_path / "models", {number: models[int(number)] for number in held})
    assert count(path) == 10 * 9, "three new pairs of each name every time"


def test_another_method_measures_all_anew(tmp_path, first):
    done = brought_up(first, tmp_path / "raised", MODELS, method=2)
    assert done == Tally(measured=6, dropped=6)
    assert {rows.method for rows in iter_names([first], method=2)} == {2}


def test_a_damaged_shard_is_made_anew(tmp_path, first):
    before = first.read_bytes()
    first.write_bytes(before[:-9])
    assert brought_up(first, tmp_path / "again", MODELS) == Tally(measured=6)
    assert first.read_bytes() == before


def test_what_is_left_of_a_killed_job_does_no_harm(tmp_path, first):
    (tmp_path / ".0.parquet.x.part").write_bytes(b"half a file")
    assert brought_up(first, tmp_path / "again", MODELS) == Tally(kept=6)


def test_a_fault_keeps_the_old_shard(tmp_path, first):
    before = first.read_bytes()
    given = fingerprints(tmp_path, MORE)
    raw = bytearray((tmp_path / "d").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "d").write_bytes(raw)
    with pytest.raises(AtlasError, match="d: vae/d holds other weights"):
        update(
            first,
            contents_of(given, shard=0, count=1),
            measure=measure,
            method=1,
            owns=lambda name: True,
        )
    assert first.read_bytes() == before


def test_a_full_disk_keeps_the_old_shard(tmp_path, first, monkeypatch):
    before = first.read_bytes()

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ShardWriter, "flush", fail)
    with pytest.raises(AtlasError, match=r"0\.parquet: can't be written \(No space left"):
        brought_up(first, tmp_path / "more", MORE)
    assert first.read_bytes() == before
    assert not list(tmp_path.glob(".*.part"))


def test_shapes_of_one_name_stand_side_by_side(tmp_path):
    generator = np.random.default_rng(0)
    models = {
        f"m{n}": {"unet/x": generator.standard_normal((size, 4)).astype(np.float32)}
        for n, size in enumerate([3, 5, 3, 5, 5])
    }
    path = tmp_path / "0.parquet"
    assert brought_up(path, tmp_path / "models", models).measured == 1 + 3
    (rows,) = iter_names([path], method=1)
    assert sorted(rows.numel) == [12, 20, 20, 20]
    assert rows.digests == sorted(rows.digests)
    order = list(zip(rows.first, rows.second, strict=True))
    assert order == sorted(order)


def test_every_pair_has_its_own_size(tmp_path):
    generator = np.random.default_rng(0)
    models = {
        f"m{n}": {"unet/x": generator.standard_normal(size).astype(np.float32)}
        for n, size in enumerate([3, 5, 7] * 3)
    }
    path = tmp_path / "0.parquet"
    brought_up(path, tmp_path / "models", models)
    given = fingerprints(tmp_path / "models", models)
    held = contents_of(given, shard=0, count=1)["unet/x"]
    (rows,) = iter_names([path], method=1)
    for side in (rows.first, rows.second):
        assert rows.numel.tolist() == [held[rows.digests[at]].numel for at in side]


@pytest.mark.parametrize("kept", [3, 5])
def test_what_is_kept_of_several_shapes_keeps_its_size(tmp_path, kept):
    generator = np.random.default_rng(0)
    models = {
        f"m{n}": {"unet/x": generator.standard_normal((size, 4)).astype(np.float32)}
        for n, size in enumerate([3, 5, 3, 5, 5])
    }
    path, whole = tmp_path / "0.parquet", tmp_path / "whole.parquet"
    brought_up(path, tmp_path / "models", models)
    fewer = {name: held for name, held in models.items() if len(held["unet/x"]) == kept}
    brought_up(path, tmp_path / "models", fewer, keep_absent=False)
    assert {*next(iter_names([path], method=1)).numel} == {4 * kept}
    brought_up(whole, tmp_path / "models", fewer)
    assert path.read_bytes() == whole.read_bytes()


def test_the_number_of_shards_changes_no_row(tmp_path):
    found = []
    for count in (1, 2, 5):
        paths = [tmp_path / f"{count}-{shard}.parquet" for shard in range(count)]
        for shard, path in enumerate(paths):
            brought_up(path, tmp_path / "models", MORE, shard=(shard, count))
        rows = sorted(iter_names(paths, method=1), key=lambda rows: rows.name)
        found.append([(each.name, each.digests, each.measures.tobytes()) for each in rows])
    assert found[0] == found[1] == found[2]


NAMES = {f"unet/{number}": 4 for number in range(12)}


@pytest.mark.parametrize("counts", [(2, 4), (4, 2), (3, 5, 2)])
def test_names_that_are_dealt_elsewhere_go(tmp_path, counts):
    """Another number of shards keeps what stays, and ends as if it had always been so."""
    models = {
        f"m{seed}": {
            name: np.random.default_rng([seed, at]).standard_normal(size).astype(np.float32)
            for at, (name, size) in enumerate(NAMES.items())
        }
        for seed in range(3)
    }
    for shards in counts:
        paths = [tmp_path / f"{shard}.parquet" for shard in range(shards)]
        done = [
            brought_up(path, tmp_path / "models", models, shard=(shard, shards))
            for shard, path in enumerate(paths)
        ]
    assert sum(each.kept + each.measured for each in done) == 3 * len(NAMES)
    assert sorted(rows.name for rows in iter_names(paths, method=1)) == sorted(NAMES)
    for shard, path in enumerate(paths):
        whole = tmp_path / "whole.parquet"
        whole.unlink(missing_ok=True)
        brought_up(whole, tmp_path / "models", models, shard=(shard, shards))
        assert path.read_bytes() == whole.read_bytes()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
@given(steps=st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=4))
def test_any_history_ends_as_all_at_once(tmp_path, steps):
    """Models come and go; at the end the rows of all that were ever together are there, once."""
    path, whole = tmp_path / "0.parquet", tmp_path / "whole.parquet"
    path.unlink(missing_ok=True)
    measured = 0
    for step in steps:
        models = {f"m{seed}": model(seed, vae=seed % 2) for seed in sorted(step)}
        measured += brought_up(path, tmp_path / "models", models).measured
    last = {f"m{seed}": model(seed, vae=seed % 2) for seed in sorted(steps[-1])}
    assert count(path) == measured
    brought_up(path, tmp_path / "models", last, keep_absent=False)
    whole.unlink(missing_ok=True)
    brought_up(whole, tmp_path / "models", last)
    assert path.read_bytes() == whole.read_bytes()


def count(path: Path) -> int:
    return sum(rows.first.size for rows in iter_names([path], method=1))
