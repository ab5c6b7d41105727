"""Pairs are those that the distances would measure, and never more than is said at most."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import factory
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.distances import plan
from atlas.fingerprints import fingerprint
from atlas.fingerprints.renamings import Adopted, Renamings, signature_of
from atlas.workload.checkpoints import Checkpoint, measured
from atlas.workload.pairs import alike, chosen, counted, pairs_of
from measured import contents_of


def relatives() -> dict[str, factory.Weights]:
    """Return models that share much: a base, two tunes, a copy, another shape, and a NaN."""
    base = factory.weights(seed=1)
    other_shape = factory.weights(seed=2) | {"unet/conv_in.bias": np.ones(8, np.float32)}
    hurt = {name: value.copy() for name, value in base.items()}
    hurt["vae/decoder.conv_in.weight"][0, 0, 0, 0] = np.nan
    counters = {"unet/steps": np.arange(3), "unet/conv_out.bias": np.ones(2, np.float32)}
    counters |= factory.changed(base, 5, "unet/")
    return {
        "base": base,
        "tuned": factory.changed(base, 3, "unet/"),
        "tuned-more": factory.changed(base, 4, "unet/", "vae/"),
        "copy": base,
        "other": other_shape,
        "hurt": hurt,
        "counting": counters,
    }


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return each model's size and its fingerprint's file."""
    folder = tmp_path_factory.mktemp("models")
    sizes, prints = {}, {}
    for name, weights in relatives().items():
        place = factory.diffusers_folder(folder / name, weights)
        sizes[name] = measured(sorted(place.rglob("*.safetensors")))
        prints[name] = folder / "fingerprints" / f"{name}.parquet"
        sealed.write(fingerprint.table(open_checkpoint(place)), prints[name])
    return sizes, prints


def by_the_distances(prints, renamings=None) -> tuple[int, int, int]:
    """Return pairs, their elements and the contents, as the distances plan them."""
    homes = {path: path.parent for path in prints}
    contents = contents_of(homes, renamings=renamings)
    jobs = [job for name, held in contents.items() for job in plan.missing(name, held)]
    return (
        sum(job.first.size for job in jobs),
        sum(job.first.size * job.numel for job in jobs),
        sum(len(held) for held in contents.values()),
    )


def test_pairs_are_those_that_the_distances_measure(models):
    _, prints = models
    for count in range(len(prints) + 1):
        chosen = list(prints.values())[:count]
        found = counted(chosen)
        assert (found.contents, found.elements, found.distinct) == by_the_distances(chosen)
        assert found.models == count * (count - 1) // 2


def test_pairs_go_by_the_names_that_were_matched(models):
    _, prints = models
    table, _ = sealed.read(prints["counting"], ["name"])
    held = [name for name in table["name"].to_pylist() if name.startswith("unet/")]
    name = "unet/conv_in.weight"
    given_name = {name: Adopted("unet/elsewhere", "IN00", "convolution")}
    renamings = Renamings({signature_of("unet", held): given_name})
    found = counted(list(prints.values()), renamings)
    expected = by_the_distances(prints.values(), renamings)
    assert (found.contents, found.elements, found.distinct) == expected
    assert found.contents < counted(list(prints.values())).contents


def test_without_fingerprints_no_roster_has_more(models):
    sizes, prints = models
    exact = counted(list(prints.values()))
    for known in ({}, {"base": prints["base"]}, dict(list(prints.items())[2:])):
        found = pairs_of(sizes, known)
        assert not found.is_exact
        assert found.models == exact.models
        assert found.contents >= exact.contents
        assert found.elements >= exact.elements
        assert found.distinct >= exact.distinct
        assert found.distinct_elements >= exact.distinct_elements
    assert pairs_of(sizes, prints) == exact


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=8), st.integers(0, 8))
def test_at_most_the_smaller_of_two_is_shared(sizes, shown):
    models = {str(number): Checkpoint(1.0, *size) for number, size in enumerate(sizes)}
    found = pairs_of(models, {})
    pairs = list(combinations(models.values(), 2))
    assert found.contents == sum(min(a.tensors, b.tensors) for a, b in pairs)
    assert found.elements == sum(min(a.elements, b.elements) for a, b in pairs)
    assert found.models == len(pairs)


def test_models_that_are_alike():
    one = Checkpoint(6900.0, 2515, 3_470_000_000)
    models = {str(number): one for number in range(40)}
    assert alike(40, one) == pairs_of(models, {})
    all_pairs = alike(40, one)
    assert chosen(all_pairs, None, one) == chosen(all_pairs, 780, one) == all_pairs
    few = chosen(all_pairs, 200, one)
    assert (few.models, few.contents, few.is_exact) == (200, 200 * 2515, False)
    assert few.distinct == all_pairs.distinct


def test_chosen_pairs_are_never_more_than_all(models):
    sizes, prints = models
    exact = pairs_of(sizes, prints)
    some = chosen(exact, 12, sizes["counting"])
    assert some.contents <= min(exact.contents, 12 * sizes["counting"].tensors)
    assert some.elements <= exact.elements


def test_more_pairs_than_a_word_holds():
    one = Checkpoint(1e6, 10**4, 10**12)
    found = alike(10**5, one)
    assert found.elements == 10**12 * (10**5 * (10**5 - 1) // 2) > 2**64


def test_headers_tell_tensors_and_elements(models, tmp_path):
    sizes, _ = models
    assert sizes["base"].tensors == len(factory.SHAPES)
    assert sizes["base"].elements == sum(prod(shape) for shape in factory.SHAPES.values())
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\xff" * 4000)
    absent = tmp_path / "absent.safetensors"
    assert measured([broken, absent]) == Checkpoint(0.004, 3000, 2000)
    assert measured([absent]) == Checkpoint(0.0, 0, 0)
