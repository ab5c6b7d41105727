"""Tables of contents hold all that a shard's job needs, and equal rosters give equal bytes."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.distances import contents
from atlas.distances.chosen import chooser
from atlas.distances.plan import missing, shard_of
from atlas.distances.resources import CONTENT_BYTES
from measured import fingerprints

NAMES = [f"unet/{number}" for number in range(12)]


def model(*seeds: int) -> dict[str, np.ndarray]:
    """Return a model whose tensors are those of these seeds, again and again."""
    return {
        name: np.full(3, seeds[place % len(seeds)], np.float32) for place, name in enumerate(NAMES)
    }


def tables_of(given, *, count: int, **settings):
    return dict(contents.collect(given, count=count, **settings))


def test_every_name_is_in_its_shard_alone(tmp_path):
    tables = tables_of(fingerprints(tmp_path, {"a": model(1), "b": model(2)}), count=4)
    assert sorted(tables) == [0, 1, 2, 3]
    for shard, table in tables.items():
        assert set(table["name"].to_pylist()) == {n for n in NAMES if shard_of(n, 4) == shard}


def test_rows_are_in_order_of_name_and_digest(tmp_path):
    given = fingerprints(tmp_path, {"a": model(1, 2), "b": model(3), "c": model(2)})
    (table,) = tables_of(given, count=1).values()
    keys = list(zip(table["name"].to_pylist(), table["digest"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))


def test_some_shards_are_as_they_are_among_all(tmp_path):
    given = fingerprints(tmp_path, {"a": model(1, 2), "b": model(3)})
    whole = tables_of(given, count=5, with_models=True)
    for part in ([0, 3], [4]):
        some = tables_of(given, count=5, shards=part, with_models=True)
        assert some == {shard: whole[shard] for shard in part}


def test_a_content_lies_where_the_first_model_has_it(tmp_path):
    given = fingerprints(tmp_path, {"a": model(1), "b": model(1), "c": model(1, 2)})
    held = contents.contents_of(tables_of(given, count=1)[0])
    files = {part.file.name for of in held.values() for one in of.values() for part in one.parts}
    assert files == {"a", "c"}


def test_equal_models_give_equal_bytes(tmp_path):
    given = fingerprints(tmp_path, {"a": model(1), "b": model(2)})
    for name in ("one", "two"):
        contents.write(tables_of(given, count=1)[0], tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_was_written_is_read(tmp_path):
    given = fingerprints(tmp_path, {"a": model(1), "b": model(2)})
    (table,) = tables_of(given, count=1, with_models=True).values()
    contents.write(table, tmp_path / "0.parquet", models=["a", "b"])
    assert contents.read(tmp_path / "0.parquet") == (table, ["a", "b"])


def test_it_tells_which_models_hold_a_content_where_that_was_asked(tmp_path):
    models = {"a": model(1), "b": model(2), "c": model(1, 2)}
    given = fingerprints(tmp_path, models)
    (table,) = tables_of(given, count=1, with_models=True).values()
    for name, held in zip(table["name"].to_pylist(), table["models"].to_pylist(), strict=True):
        values = {float(models["abc"[number]][name][0]) for number in held}
        assert len(values) == 1
        assert held == [n for n, of in enumerate(models.values()) if of[name][0] in values]
    (table,) = tables_of(given, count=1).values()
    assert table["models"].null_count == len(table)


def test_no_models_hold_nothing():
    (table,) = tables_of({}, count=1).values()
    assert contents.contents_of(table) == {}


def test_passes_cover_all_shards_once_and_keep_to_the_memory():
    parts = contents.passes(models=10_000, tensors=3000, shards=256, memory_bytes=2 * 10**9)
    assert [shard for part in parts for shard in part] == list(range(256))
    assert max(map(len, parts)) * 10_000 * 3000 / 256 * CONTENT_BYTES <= 2 * 10**9
    assert contents.passes(models=3, tensors=3000, shards=2, memory_bytes=10**9) == [range(2)]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_chosen_of_contents_is_what_the_chosen_models_need(tmp_path, seed):
    generator = np.random.default_rng(seed)
    models = {
        f"m{number}": {
            name: np.full(3, generator.integers(4), np.float32)
            for name in NAMES[: int(generator.integers(1, 13))]
        }
        for number in range(9)
    }
    given = fingerprints(tmp_path, models)
    (table,) = tables_of(given, count=1, with_models=True).values()
    pairs = np.sort(generator.integers(0, 9, (2, 7)), axis=0).astype(np.int32)
    choose = chooser(table, pairs, 9)
    value = {
        (name, digest): float(models[f"m{held[0]}"][name][0])
        for name, digest, held in zip(
            *(table[column].to_pylist() for column in ("name", "digest", "models")), strict=True
        )
    }
    for name, held in contents.contents_of(table).items():
        digests = sorted(held)
        found = {
            frozenset(value[name, job.contents[side].digest] for side in pair)
            for job in missing(name, held, chosen=choose(name, digests))
            for pair in zip(job.first, job.second, strict=True)
        }
        needed = {
            frozenset(float(models[f"m{one}"][name][0]) for one in pair)
            for pair in pairs.T
            if all(name in models[f"m{one}"] for one in pair)
        }
        assert found == {pair for pair in needed if len(pair) == 2}
