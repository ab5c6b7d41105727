"""Neighbour joining finds the tree behind additive distances; rooting and Newick keep it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.relations.trees import (
    Edge,
    Tree,
    neighbour_joining,
    newick,
    rooted_at_midpoint,
    rooted_at_tip,
)


def random_tree(tips, random):
    """Return edges (a, b, length) of a random binary unrooted tree."""
    edges, new = [(0, 1, random.uniform(0.1, 5))], tips
    for tip in range(2, tips):
        a, b, length = edges.pop(random.integers(len(edges)))
        share = random.uniform(0.1, 0.9)
        edges += [(a, new, length * share), (new, b, length * (1 - share))]
        edges.append((tip, new, random.uniform(0.1, 5)))
        new += 1
    return edges


def path_lengths(edges, tips):
    """Return the distances between the tips along the edges: Floyd and Warshall's slow way."""
    size = max(max(a, b) for a, b, _ in edges) + 1
    between = np.full((size, size), np.inf)
    np.fill_diagonal(between, 0.0)
    for a, b, length in edges:
        between[a, b] = between[b, a] = length
    for k in range(size):
        between = np.minimum(between, between[:, [k]] + between[[k]])
    return between[:tips, :tips]


def edges_of(tree):
    return [
        (node, child, tree.length[child])
        for node, children in enumerate(tree.children)
        for child in children
    ]


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 14), st.integers(0, 10**6))
def test_additive_distances_give_back_their_tree(tips, seed):
    distances = path_lengths(random_tree(tips, np.random.default_rng(seed)), tips)
    edges = neighbour_joining(distances)
    assert len(edges) == 2 * tips - 3
    assert np.allclose(path_lengths(edges, tips), distances, rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 14), st.integers(0, 10**6))
def test_rooting_keeps_all_distances(tips, seed):
    distances = path_lengths(random_tree(tips, np.random.default_rng(seed)), tips)
    edges = neighbour_joining(distances)
    for tree in (rooted_at_tip(edges, tips, tips - 1), rooted_at_midpoint(edges, tips)):
        assert np.allclose(path_lengths(edges_of(tree), tips), distances, rtol=1e-9)


def depths(tree):
    depth = {tree.root: 0.0}
    for node in tree.postorder()[::-1]:
        for child in tree.children[node]:
            depth[child] = depth[node] + tree.length[child]
    return depth


def test_the_midpoint_is_as_far_from_both_ends():
    random = np.random.default_rng(5)
    distances = path_lengths(random_tree(9, random), 9)
    depth = depths(rooted_at_midpoint(neighbour_joining(distances), 9))
    deepest = sorted(depth[tip] for tip in range(9))[-2:]
    assert deepest == pytest.approx([distances.max() / 2] * 2)


def test_a_negative_branch_on_the_way_to_the_midpoint_counts_as_nothing():
    """From tip 0 to tip 2 it is 5 + 0 + 2, and to tip 1 only 5 + 1.5."""
    lengths = {(0, 4): 5.0, (1, 4): 1.5, (4, 5): -1.0, (2, 5): 2.0, (3, 5): 1.5}
    tree = rooted_at_midpoint([Edge(*ends, length) for ends, length in lengths.items()], 4)
    assert set(tree.children[tree.root]) == {0, 4}
    assert (tree.length[0], tree.length[4]) == (3.5, 1.5)
    assert tree.length[5] == -1.0, "the branch itself stays as it was estimated"


def test_a_tip_as_root_is_its_first_child_at_depth_zero():
    distances = path_lengths(random_tree(7, np.random.default_rng(1)), 7)
    tree = rooted_at_tip(neighbour_joining(distances), 7, 3)
    assert tree.children[tree.root][0] == 3
    assert depths(tree)[3] == 0.0


def test_squared_distances_of_training_steps_give_the_path():
    """Orthogonal steps: each model hangs on the path by a branch of length 0."""
    points = np.cumsum(np.eye(5) * [1.0, 3.0, 2.0, 4.0, 1.5], axis=0)
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    depth = depths(rooted_at_tip(neighbour_joining(squared), 5, 0))
    assert [depth[tip] for tip in range(5)] == pytest.approx(list(squared[0]))


def test_a_merge_gets_a_negative_branch_between_its_parents():
    """d(M,A) = .3, d(M,B) = .7, d(A,B) = 1: squared, (.09 + .49 - 1)/2 = -.21 hangs M."""
    squared = np.array([[0, 1, 0.09], [1, 0, 0.49], [0.09, 0.49, 0]])
    lengths = {edge.a: edge.length for edge in neighbour_joining(squared)}
    assert lengths[2] == pytest.approx(-0.21)
    assert lengths[0] == pytest.approx(0.3)
    assert lengths[1] == pytest.approx(0.7)


def test_neighbour_joining_agrees_with_scikit_bio():
    """On distances that no tree fits; lengths of all paths are compared."""
    skbio = pytest.importorskip("skbio")
    points = np.random.default_rng(2).normal(size=(15, 4))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    names = [f"t{number}" for number in range(15)]
    theirs = skbio.tree.nj(skbio.DistanceMatrix(distances, names), neg_as_zero=False)
    paths = theirs.cophenet().filter(names).data
    assert np.allclose(path_lengths(neighbour_joining(distances), 15), paths, atol=1e-9)


@pytest.mark.parametrize("tips", [0, 1])
def test_a_tree_needs_two_tips_to_have_an_edge(tips):
    assert neighbour_joining(np.zeros((tips, tips))) == []


def test_newick_quotes_names_and_keeps_negative_lengths():
    tree = Tree(3, 3, ((), (), (), (0, 1, 2)), (1.5, -0.25, 0.0, 0.0))
    text = newick(tree, [["plain-1.0"], ["it's (here)"], ["under_score", "twin"]])
    assert text == "(plain-1.0:1.5,'it''s (here)':-0.25,('under_score':0,twin:0):0.0);"


def test_a_deep_tree_needs_no_recursion():
    tips = 3000
    children = [()] * tips + [(0, 1)] + [(tips + k - 2, k) for k in range(2, tips)]
    tree = Tree(tips, 2 * tips - 2, tuple(children), (1.0,) * (2 * tips - 1))
    assert newick(tree, [[f"t{k}"] for k in range(tips)]).count("(") == tips - 1
