"""What a file is by a library: copies, casts, relatives, and how little is read to tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import factory
from atlas.checkpoint import open_checkpoint
from atlas.library import identifying
from atlas.library.identifying import Identified, Stage, identify
from atlas.library.index import CAST_OF, COPY, SOURCE_OF, Index

BASE = factory.weights(0)
OTHER = factory.weights(1)


def half(weights: factory.Weights) -> factory.Weights:
    return {name: value.astype(np.float16) for name, value in weights.items()}


@pytest.fixture
def ask(tmp_path, entries_of):
    """Return a function: what each component of a model is by a library of others."""

    def asked(weights: factory.Weights, library, **options) -> dict[str, Identified]:
        folder = factory.diffusers_folder(tmp_path / "asked", weights)
        found = identify(open_checkpoint(folder), Index(entries_of(library)), **options)
        return {each.part.component: each for each in found}

    return asked


@pytest.fixture
def reads(monkeypatch) -> list[tuple[str, bool]]:
    """Return the names of tensors that are read, and whether for sketches, as they come."""
    seen: list[tuple[str, bool]] = []
    measure = identifying.measure

    def watched(files, tensors, pool, *, forms=(), with_sums):
        seen.extend((tensor.name, with_sums) for tensor in tensors)
        return measure(files, tensors, pool, forms=forms, with_sums=with_sums)

    monkeypatch.setattr(identifying, "measure", watched)
    return seen


def test_a_copy_is_told_by_digests_alone(ask, reads):
    found = ask(BASE, {"base": BASE, "other": OTHER})
    assert {each.stage for each in found.values()} == {Stage.DIGESTS}
    for each in found.values():
        assert [(same.model, same.relation) for same in each.same] == [("base", COPY)]
    assert not any(with_sums for _, with_sums in reads)
    assert sorted(name for name, _ in reads) == sorted(BASE)  # each once


def test_a_cast_and_what_was_cast_are_told_apart(ask):
    narrow = ask(half(BASE), {"base": BASE})["unet"].same
    assert [(same.model, same.relation, same.dtype) for same in narrow] == [
        ("base", CAST_OF, "f16")
    ]
    wide = ask(BASE, {"half": half(BASE)})["unet"].same
    assert [(same.model, same.relation, same.dtype) for same in wide] == [
        ("half", SOURCE_OF, "f16")
    ]


def test_a_fine_tune_has_its_base_as_the_nearest(ask):
    tuned = factory.changed(BASE, 3, "unet/")
    found = ask(tuned, {"base": BASE, "other": OTHER})
    unet = found["unet"]
    assert (unet.stage, unet.same) == (Stage.SKETCHES, ())
    assert unet.nearest[0].model == "base"
    relative = unet.nearest[0].relative
    assert relative is not None
    assert relative.low <= 0.01 <= relative.high
    assert found["vae"].same[0].model == "base"


def test_each_byte_of_a_stranger_with_known_tensors_is_read_at_most_twice(ask, reads):
    ask(factory.weights(9), {"base": BASE})
    names = [name for name, _ in reads]
    assert all(names.count(name) <= 2 for name in names)
    again = [name for name in set(names) if names.count(name) == 2]
    assert len(again) < len(BASE)  # only the first block of a component, which decides


def test_what_is_like_nothing_by_its_header_is_not_read(ask, reads):
    strange = {
        f"vae/strange.{number}.weight": np.ones((3, number + 1), np.float32) for number in range(3)
    }
    found = ask({name: BASE[name] for name in BASE if "unet/" in name} | strange, {"base": BASE})
    assert found["vae"].stage == Stage.HEADER
    assert found["vae"].read_bytes == 0
    assert not any(name.startswith("vae/") for name, _ in reads)


def test_a_block_that_is_known_is_not_projected(ask, reads):
    tuned = factory.changed(BASE, 3, "unet/down_blocks.0.resnets")
    found = ask(tuned, {"base": BASE})["unet"]
    with_sums = {name for name, is_projected in reads if is_projected}
    assert with_sums == {name for name in BASE if name.startswith("unet/down_blocks.0")}
    assert found.nearest[0].same_blocks == found.nearest[0].blocks - 1


def test_sketches_are_those_of_fingerprints(ask, entry_of):
    """Whether digests come first or not, and whoever took them, sums are equal bit for bit."""
    tuned = factory.changed(BASE, 3)
    found = ask(tuned, {"base": BASE})
    own = entry_of("tuned", tuned)
    for component, each in found.items():
        part = own.part(component)
        assert part is not None
        assert [block.block for block in each.part.blocks] == [block.block for block in part.blocks]
        for mine, theirs in zip(each.part.blocks, part.blocks, strict=True):
            assert np.array_equal(mine.sums, theirs.sums)
            assert (mine.layout, mine.digests[0]) == (theirs.layout, theirs.digests[0])
            assert mine.squares == pytest.approx(theirs.squares, rel=1e-5)
        assert (each.part.layout, each.part.digests[0]) == (part.layout, part.digests[0])


def test_reading_stops_where_the_distance_is_known_well_enough(ask):
    shapes = {f"unet/down_blocks.{n}.resnets.0.conv1.weight": (8, 8, 3, 3) for n in range(12)}
    base = factory.weights(0, shapes)
    tuned = factory.changed(base, 3)
    whole = ask(tuned, {"base": base})["unet"]
    part = ask(tuned, {"base": base}, error=0.09)["unet"]
    assert whole.read_bytes == whole.part.nbytes
    assert 0 < part.read_bytes < whole.read_bytes
    assert part.nearest[0].l2.error <= 0.09
    assert part.nearest[0].share == pytest.approx(part.read_bytes / whole.read_bytes)


def test_models_of_equal_weights_are_one_relative(ask):
    tuned = factory.changed(BASE, 3)
    found = ask(tuned, {"base": BASE, "copy": BASE, "other": OTHER})["unet"].nearest
    assert [(each.model, each.alike) for each in found] == [("base", ("copy",)), ("other", ())]


def test_a_training_copy_is_known_by_its_contents(tmp_path, entries_of):
    """Under other names: the same tensors in a component of another kind."""
    renamed = {
        name.replace("unet/", "vae/strange."): value
        for name, value in BASE.items()
        if name.startswith("unet/")
    }
    folder = factory.diffusers_folder(tmp_path / "asked", renamed)
    found = identify(open_checkpoint(folder), Index(entries_of({"base": BASE})))
    same = found[0].same
    assert [(each.model, each.component, each.is_renamed) for each in same] == [
        ("base", "unet", True)
    ]


def test_tensors_that_are_not_finite_stop_nothing(ask):
    broken = factory.changed(BASE, 3)
    broken["unet/conv_in.bias"] = np.full(4, np.nan, np.float32)
    found = ask(broken, {"base": BASE})["unet"]
    assert found.nearest[0].model == "base"
    assert found.nearest[0].share < 1


def test_threads_change_nothing(ask):
    tuned = factory.changed(BASE, 3)
    one, two = (ask(tuned, {"base": BASE, "other": OTHER}, threads=n) for n in (1, 2))
    assert [each.nearest for each in one.values()] == [each.nearest for each in two.values()]


def test_a_file_that_is_cut_short_is_told(tmp_path, entries_of):
    from atlas.basis.errors import AtlasError

    file = factory.single_file(tmp_path / "a.safetensors", {"unet.a": BASE["unet/conv_in.weight"]})
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(AtlasError, match="cut off"):
        open_checkpoint(Path(file))
