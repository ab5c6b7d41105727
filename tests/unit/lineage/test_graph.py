"""What holds of a lineage's edges and of its files."""

import json
from dataclasses import replace
from io import BytesIO

import networkx as nx
import pytest

from atlas.basis.errors import AtlasError
from atlas.lineage import graph, graphml
from atlas.lineage.evidence import Evidence, Strength, judged
from atlas.lineage.graph import Edge, Lineage, Node


def sign(strength, supports=True, words="w"):
    return Evidence("kind", strength, words, supports)


def test_stronger_class_is_never_outvoted():
    many = [sign(Strength.CLAIM, False, str(number)) for number in range(5)]
    told = judged([sign(Strength.PROOF), *many])
    assert told.is_forward
    assert told.is_decided


@pytest.mark.parametrize("strength", [Strength.WEAK, Strength.HINT])
def test_weak_signs_turn_an_edge_and_decide_nothing(strength):
    told = judged([sign(strength, False)])
    assert not told.is_forward
    assert not told.is_decided


def test_signs_of_the_strongest_class_that_disagree_decide_nothing():
    told = judged([sign(Strength.CLAIM), sign(Strength.CLAIM, False), sign(Strength.WEAK, False)])
    assert not told.is_decided
    assert not told.is_forward
    assert told.strength is None


def test_without_signs_nothing_is_decided():
    assert not judged([]).is_decided


def test_edge_is_turned_with_its_evidence_and_tells_contradictions():
    edge = Edge("a", "b", "cast", ("unet",), (
        sign(Strength.DIGESTS, False, "b is wider"), sign(Strength.CLAIM, True, "a is the base"),
    ))  # fmt: skip
    turned = graph.directed(edge)
    assert (turned.parent, turned.child, turned.direction) == ("b", "a", "decided")
    assert [one.supports for one in turned.evidence] == [True, False]
    assert "a is the base" in turned.note


HOSTILE = 'x\x00</script>"&<b>\ud800\ufffe\n💥'


def made(label="A"):
    edges = [
        Edge("a", "b", "merge", ("unet",), (sign(Strength.CONVEX),), ("te",), 0.25,
             (("unet", (("*", 0.25),)),), "decided", Strength.CONVEX),
        Edge("a", "b", "component of", ("vae",), (sign(Strength.WEAK, words=label),)),
        Edge("missing: c", "b", "merge", ("unet",), weight=-0.5),
    ]  # fmt: skip
    nodes = (Node("a", label), Node("b", "B"), Node("missing: c", "c", True))
    return Lineage("g", nodes, graph.sorted_edges(edges), ({"child": "b"},), (), ("said",))


def test_json_gives_back_the_lineage(tmp_path):
    lineage = made()
    file = tmp_path / "lineage.json"
    file.write_text(graph.dumps(lineage), encoding="utf-8")
    assert graph.read(file) == lineage
    assert json.loads(file.read_text())["edges"][0]["strength"] in {"convex", "weak", None}


def test_no_lineage_is_told_with_its_file(tmp_path):
    file = tmp_path / "lineage.json"
    file.write_text('{"group": "g"}')
    with pytest.raises(AtlasError, match="is no lineage"):
        graph.read(file)


@pytest.mark.parametrize("label", ["A", HOSTILE])
def test_graphml_is_read_back(label):
    text = graphml.dumps(made(label))
    read = nx.read_graphml(BytesIO(text.encode("utf-8")), force_multigraph=True)
    assert set(read) == {"a", "b", "missing: c"}
    assert read.nodes["missing: c"]["missing"] is True
    kinds = {data["kind"]: data for _, _, data in read.edges(data=True) if data["decided"]}
    assert kinds["merge"]["share"] == 0.25
    assert isinstance(read.nodes["a"]["label"], str)


def test_order_of_finding_does_not_count():
    lineage = made()
    turned = replace(lineage, edges=graph.sorted_edges(list(lineage.edges)[::-1]))
    assert graph.dumps(lineage) == graph.dumps(turned)
    assert graphml.dumps(lineage) == graphml.dumps(turned)
