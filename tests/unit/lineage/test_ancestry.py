"""What holds of shares that are multiplied along a graph."""

import numpy as np
import pytest

from atlas.lineage import ancestry
from atlas.lineage.graph import Edge

BLOCKS = ("IN00", "IN01", "OUT00")


def merge(parent, child, weights, component="unet"):
    return Edge(parent, child, "merge", (component,), direction="decided",
                weights=((component, tuple(weights.items())),))  # fmt: skip


def whole(parent, child, kind="fine-tune", **more):
    return Edge(parent, child, kind, ("unet",), direction="decided", **more)


def by_pair(shares):
    return {(one.child, one.ancestor): one for one in shares}


def test_weights_are_multiplied_along_the_graph():
    edges = [
        merge("x", "m", {"*": 0.2}), merge("y", "m", {"*": 0.8}),
        merge("m", "n", {"*": 0.4}), merge("z", "n", {"*": 0.6}),
        whole("n", "tuned"), whole("tuned", "half", "cast"),
    ]  # fmt: skip
    found = by_pair(ancestry.shares(edges, "unet", ()))
    assert found["half", "x"].least == pytest.approx(0.08)
    assert found["half", "z"].least == pytest.approx(0.6)
    assert found["half", "tuned"].least == 1


def test_share_that_is_in_some_blocks_alone_is_told_with_them():
    edges = [
        merge("x", "m", {"IN00": 0.0, "IN01": 0.04, "OUT00": 0.1}), whole("m", "n"),
        merge("n", "o", {"*": 0.4}),
    ]  # fmt: skip
    found = by_pair(ancestry.shares(edges, "unet", BLOCKS))
    assert found["o", "x"].blocks == ("IN01", "OUT00")
    assert found["o", "x"].least == pytest.approx(0.016)
    assert ancestry.words(found["o", "x"], BLOCKS) == "at least 1.6 % of x, only in IN01, OUT00"


def test_shares_of_unknown_weights_are_not_made_up():
    edges = [merge("x", "m", {"IN00": 0.5, "OUT00": 0.5})]
    assert by_pair(ancestry.shares(edges, "unet", BLOCKS))["m", "x"].blocks == ("IN00", "OUT00")
    assert ancestry.shares([merge("x", "m", {})], "unet", BLOCKS) == []


def test_undecided_edges_end_the_way():
    edges = [Edge("x", "m", "fine-tune", ("unet",)), whole("m", "n")]
    assert set(by_pair(ancestry.shares(edges, "unet", ()))) == {("n", "m")}


def test_what_parents_share_is_there_once():
    shared = {"shared": ("vae",)}
    edges = [
        whole("base", "a", **shared), whole("base", "b", **shared),
        whole("a", "m", "merge", **shared), whole("b", "m", "merge", **shared),
    ]  # fmt: skip
    found = by_pair(ancestry.shares(edges, "vae", ()))
    assert found["m", "base"].least == found["m", "base"].most == 1


def test_shares_are_those_of_the_matrix_of_weights():
    """(1 − W)⁻¹ has the sums over all ways."""
    rng = np.random.default_rng(5)
    size = 12
    weights = np.tril(rng.uniform(-0.2, 0.8, (size, size)) * (rng.random((size, size)) < 0.5), -1)
    edges = [
        merge(f"m{parent:02}", f"m{child:02}", {"*": float(weights[child, parent])})
        for child, parent in np.argwhere(weights != 0).tolist()
    ]
    expected = np.linalg.inv(np.eye(size) - weights)
    found = by_pair(ancestry.shares(edges, "unet", ()))
    for child, parent in np.argwhere(np.abs(np.tril(expected, -1)) > 1e-3).tolist():
        share = found[f"m{child:02}", f"m{parent:02}"].least
        assert share == pytest.approx(expected[child, parent], rel=1e-4)


def test_copies_have_no_rows_of_their_own():
    assert ancestry.table([whole("a", "b", "copy")], {}) == ()
