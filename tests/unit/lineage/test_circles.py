"""No model is its own ancestor."""

import networkx as nx

from atlas.lineage.circles import without_circles
from atlas.lineage.evidence import Strength
from atlas.lineage.graph import Edge


def edge(parent, child, strength):
    return Edge(parent, child, "fine-tune", ("unet",), direction="decided", strength=strength)


def test_the_weakest_of_a_circle_gives_way_and_says_so():
    edges = [
        edge("a", "b", Strength.PROOF), edge("b", "c", Strength.CLAIM),
        edge("c", "a", Strength.CONVEX), edge("c", "d", Strength.CLAIM),
    ]  # fmt: skip
    found, told = without_circles(edges)
    undecided = [one for one in found if not one.is_decided]
    assert [(one.parent, one.child) for one in undecided] == [("b", "c")]
    assert "a → b → c" in undecided[0].note
    assert len(told) == 1


def test_what_has_no_circle_is_left_as_it_is():
    edges = [edge("a", "b", Strength.CLAIM), edge("a", "c", Strength.CLAIM)]
    assert without_circles(edges) == (edges, [])


def test_tangle_ends_without_circles():
    names = "abcdef"
    edges = [edge(a, b, Strength.CLAIM) for a in names for b in names if a != b]
    found, _ = without_circles(edges)
    decided = nx.DiGraph((one.parent, one.child) for one in found if one.is_decided)
    assert nx.is_directed_acyclic_graph(decided)
    assert decided.number_of_edges() > 0
