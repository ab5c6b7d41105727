"""What is measured follows from the fingerprints: distinct contents, and their missing pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.basis.errors import AtlasError
from atlas.distances import plan
from atlas.distances.plan import Content, missing, shard_of
from measured import contents_of, fingerprints


def content(digest: str, *, shape=(4,), dtype="f32", norm=1.0) -> Content:
    return Content(digest=digest, dtype=dtype, shape=shape, norm=norm, parts=())


def pairs_of(jobs) -> list[tuple[str, str]]:
    """Return the pairs of digests of all jobs."""
    return [
        (job.contents[first].digest, job.contents[second].digest)
        for job in jobs
        for first, second in zip(job.first, job.second, strict=True)
    ]


def test_a_shard_depends_on_the_name_alone():
    assert [shard_of(f"unet/{number}", 7) for number in range(8)] == [6, 1, 0, 0, 5, 2, 0, 5]


def test_shards_are_of_like_size():
    count = np.bincount([shard_of(f"unet/down_blocks.{n}.weight", 8) for n in range(4000)])
    assert count.min() > 400


def test_every_name_is_in_one_shard(tmp_path):
    arrays = {f"unet/{n}": np.full(3, n, np.float32) for n in range(30)}
    given = fingerprints(tmp_path, {"a": arrays})
    shards = [set(contents_of(given, shard=shard, count=4)) for shard in range(4)]
    assert set.union(*shards) == set(arrays)
    assert sum(map(len, shards)) == len(arrays)


def test_equal_weights_are_one_content(tmp_path):
    weights = {"unet/x": np.ones(5, np.float32)}
    given = fingerprints(tmp_path, {"a": weights, "b": weights, "c": {"unet/x": np.zeros(5)}})
    assert len(contents_of(given, shard=0, count=1)["unet/x"]) == 2


def test_what_is_no_weight_is_left_out(tmp_path):
    arrays = {
        "unet/steps": np.arange(4),
        "unet/mask": np.ones(4, bool),
        "other/betas": np.ones(4, np.float32),
        "unet/nan": np.array([1, np.nan], np.float32),
        "unet/inf": np.array([1, np.inf], np.float16),
        "ema/kept": np.ones(4, np.float32),
    }
    assert set(contents_of(fingerprints(tmp_path, {"a": arrays}), shard=0, count=1)) == {"ema/kept"}


def test_a_model_that_could_not_be_read_has_no_contents(tmp_path):
    given = fingerprints(tmp_path, {"a": {}})
    assert contents_of(given, shard=0, count=1) == {}


def test_a_broken_fingerprint_is_named(tmp_path):
    given = fingerprints(tmp_path, {"a": {"unet/x": np.ones(3)}})
    (table,) = given
    table.write_bytes(table.read_bytes()[:100])
    with pytest.raises(AtlasError, match=r"a\.parquet: damaged: .* run again"):
        contents_of(given, shard=0, count=1)


def test_only_equal_shapes_are_paired():
    held = {digest: content(digest, shape=(len(digest),)) for digest in ("a", "b", "cc", "dd", "e")}
    assert sorted(pairs_of(missing("x", held))) == [
        ("a", "b"),
        ("a", "e"),
        ("b", "e"),
        ("cc", "dd"),
    ]


def test_known_pairs_are_not_measured_again():
    held = {digest: content(digest) for digest in "abcd"}
    known = np.zeros((4, 4), bool)
    known[0, 1] = known[0, 2] = known[1, 2] = True
    jobs = list(missing("x", held, known))
    assert sorted(pairs_of(jobs)) == [("a", "d"), ("b", "d"), ("c", "d")]


def test_contents_without_missing_pairs_are_not_read():
    held = {digest: content(digest) for digest in "abcd"}
    known = np.triu(np.ones((4, 4), bool), k=1)
    known[1, 3] = False
    (job,) = missing("x", held, known)
    assert [each.digest for each in job.contents] == ["b", "d"]


def test_nothing_is_missing_among_one_content():
    assert list(missing("x", {"a": content("a")})) == []
    assert list(missing("x", {})) == []


def test_double_precision_is_for_the_pairs_that_need_it():
    held = {
        "a": content("a"),
        "b": content("b", dtype="f64"),
        "c": content("c", norm=1e30),
        "d": content("d", norm=1e-20),
        "e": content("e", norm=0.0),
    }
    found = {job.is_double: sorted(pairs_of([job])) for job in missing("x", held)}
    assert found[False] == [("a", "e")]
    assert len(found[True]) == 9


@pytest.mark.parametrize(
    ("norm", "needed"),
    [(2.0**50, False), (2.0**51, True), (2.0**-39, False), (2.0**-40, True), (0.0, False)],
)
def test_what_squares_beyond_float32_needs_float64(norm, needed):
    """The root of the mean square of four elements is half their norm."""
    assert content("a", shape=(2, 2), norm=norm).needs_double is needed
    assert content("a", shape=(2, 2), norm=norm, dtype="f64").needs_double


@settings(max_examples=30)
@given(count=st.integers(2, 40), most=st.sampled_from([4, 6, 2048]), cached=st.integers(1, 9))
def test_every_pair_is_in_one_job_however_many_there_are(count, most, cached):
    held = {f"{number:04d}": content(f"{number:04d}") for number in range(count)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "CACHED_CONTENTS", cached)
        jobs = list(missing("x", held, most_contents=most))
    assert sorted(pairs_of(jobs)) == list(combinations(sorted(held), 2))
    assert max(len(job.contents) for job in jobs) <= most
