"""A pair tensor by tensor: identical ones by their norms, the others by what was measured."""

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.distances.shards import NameRows
from atlas.relations import pairs
from atlas.relations.contents import Contents

NAME = "unet/x"
VALUES = {
    "a": np.array([3.0, 4.0], np.float32),
    "b": np.array([3.0, 6.0], np.float32),
    "c": np.array([1.0, 4.0], np.float32),
}


def shard(contents: Contents) -> NameRows:
    """Return made-up rows of all pairs of three models: the sum of two numbers tells the pair."""
    held = contents.contents["digest"][contents.index[0]]
    number = dict(zip(held, (1.0, 2.0, 4.0), strict=True))
    digests = sorted(number)
    first, second = (side.astype(np.int32) for side in np.triu_indices(3, k=1))
    values = np.array([number[digest] for digest in digests])
    l2 = values[first] + values[second]
    measures = np.stack([l2 * 0 + 1, l2, l2, l2, l2])
    return NameRows(NAME, digests, first, second, np.full(3, 2, np.int64), measures, 1)


@pytest.mark.parametrize(("models", "l2"), [("ab", 3.0), ("ac", 5.0), ("bc", 6.0)])
def test_a_pair_is_found_among_those_of_other_models(lay_side_by_side, models, l2):
    rows = shard(lay_side_by_side({model: {NAME: VALUES[model]} for model in "abc"}))
    two = lay_side_by_side({model: {NAME: VALUES[model]} for model in models})
    (found,) = pairs.table(two, [rows]).to_pylist()
    assert (found["status"], found["l2"], found["changed_fraction"]) == ("different", l2, 0.5)


@pytest.mark.parametrize("models", ["ab", "ac", "bc"])
def test_what_was_measured_of_other_models_is_left_out(lay_side_by_side, models):
    rows = shard(lay_side_by_side({model: {NAME: VALUES[model]} for model in "abc"}))
    two = lay_side_by_side({model: {NAME: VALUES[model]} for model in models})
    (found,) = pairs.between(two, [rows, NameRows.empty("unet/y", 1)])
    assert found.measures.shape[1] == len(found.first) == 1
    assert pairs.table(two, [found]).equals(pairs.table(two, [rows]))
    other = lay_side_by_side({model: {"unet/y": VALUES[model]} for model in models})
    assert pairs.between(other, [rows]) == []


def test_an_identical_tensor_has_distance_zero_and_cosine_one(lay_side_by_side):
    contents = lay_side_by_side({"a": {NAME: VALUES["a"]}, "b": {NAME: VALUES["a"]}})
    (found,) = pairs.table(contents, []).to_pylist()
    measured = ("l0", "l1", "l2", "linf", "relative_l2", "rms", "changed_fraction")
    assert [found[measure] for measure in measured] == [0.0] * 7
    assert found["cosine"] == 1.0


def test_a_pair_that_no_shard_has_is_refused(lay_side_by_side):
    contents = lay_side_by_side({"a": {NAME: VALUES["a"]}, "b": {NAME: VALUES["b"]}})
    with pytest.raises(AtlasError, match=r"unet/x: .*run `distances` again"):
        pairs.table(contents, [])
