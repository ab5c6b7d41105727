"""What was made from what in made-up groups."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atlas.lineage import graph
from atlas.lineage.signs import Moments
from atlas.lineage.tracing import trace
from atlas.recipes.verdicts import Verdict

spec = importlib.util.spec_from_file_location("made_up", Path(__file__).with_name("made_up.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
Group = made_up.Group

CLAIMS = [
    "model", "source", "kind", "component", "block", "parent", "parent_model", "how", "weight",
    "inherited", "order", "detail",
]  # fmt: skip


def claim(**cells):
    return pd.DataFrame([dict.fromkeys(CLAIMS, "") | cells])


def edges(lineage, kind=None):
    return {(edge.parent, edge.child): edge for edge in lineage.edges if kind in (None, edge.kind)}


@pytest.fixture
def group():
    """Two bases that have nothing to do with one another, tunes of both, a merge and its tune."""
    found = Group()
    found.base("base")
    found.base("stranger")
    for name in ("a", "b", "c"):
        found.tune(name, "base")
    found.tune("strange", "stranger")
    found.merge("merged", {"a": 0.6, "b": 0.4})
    found.tune("again", "merged", 0.02)
    return found


def test_tunes_hang_on_their_bases_and_no_edge_joins_strangers(group):
    lineage = trace(group.known(base="base"))
    found = edges(lineage, "fine-tune")
    assert {("base", "a"), ("base", "b"), ("base", "c"), ("merged", "again")} <= set(found)
    pair = {one for ends in found for one in ends if one in ("strange", "stranger")}
    assert pair == {"strange", "stranger"}
    strangers = {"stranger", "strange"}
    assert all(len(strangers & set(ends)) != 1 for ends in edges(lineage))


def test_merge_is_decided_by_its_convex_form_with_weights(group):
    found = edges(trace(group.known()), "merge")
    assert set(found) == {("a", "merged"), ("b", "merged")}
    assert found["a", "merged"].weight == 0.6
    assert found["a", "merged"].is_decided
    assert found["a", "merged"].strength == "convex"


def test_direction_of_a_tune_is_undecided_unless_it_is_declared(group):
    assert not edges(trace(group.known(base="base")))["base", "a"].is_decided
    declared = edges(trace(group.known(bases={"a": "base"})))["base", "a"]
    assert declared.is_decided
    assert declared.strength == "claim"


def test_tune_of_a_merge_is_not_taken_for_the_base_of_what_was_merged(group):
    found = edges(trace(group.known(bases={"strange": "stranger"})), "fine-tune")
    assert ("merged", "again") in found
    assert not any("again" in ends for ends in found if ends != ("merged", "again"))


def test_middle_of_its_tunes_is_taken_for_the_base():
    group = Group()
    group.base("zebra")
    for name in "abcd":
        group.tune(name, "zebra")
    assert set(edges(trace(group.known()))) == {("zebra", name) for name in "abcd"}


def test_recipe_turned_around_gives_way_to_the_convex_one(group):
    group.recipe("a", {"merged": 1 / 0.6, "b": -0.4 / 0.6})
    found = edges(trace(group.known(base="base")))
    assert ("a", "merged") in found
    assert ("merged", "a") not in found
    assert found["base", "a"].kind == "fine-tune"


def add_difference(group):
    weights = {"c": 1.0, "a": 0.8, "base": -0.8}
    group.merge("difference", weights)
    group.recipe("c", {"difference": 1.0, "base": 0.8, "a": -0.8})
    return group


def test_add_difference_is_undecided_and_a_claim_decides_it(group):
    add_difference(group)
    found = edges(trace(group.known(base="base")), "merge")
    of_claim = claim(model="difference", source="roster recipe", kind="add difference",
                     parent="c", parent_model="c", how="id", inherited="false")  # fmt: skip
    told = edges(trace(group.known(base="base", claims=of_claim)), "merge")
    assert told["c", "difference"].is_decided
    assert told["base", "difference"].weight == -0.8
    undecided = [edge for ends, edge in found.items() if "difference" in ends]
    assert undecided
    assert not any(edge.is_decided for edge in undecided)


def proof(turned, block="*", verdict="proved"):
    return pd.DataFrame([{
        "target": "difference", "component": "unet", "block": block, "verdict": verdict,
        "turned": turned,
    }])  # fmt: skip


@pytest.mark.parametrize(("turned", "decided"), [("0.98", True), ("1.0", False), ("", False)])
def test_proof_decides_only_where_it_fails_turned_around(group, turned, decided):
    add_difference(group)
    found = edges(trace(group.known(base="base", proofs=proof(turned))), "merge")
    strengths = {edge.strength for ends, edge in found.items() if ends[1] == "difference"}
    assert ("proof" in strengths) is decided


@pytest.mark.parametrize(("last", "decided"), [("proved", True), ("not proved", False)])
def test_of_each_block_the_best_arithmetic_counts(group, last, decided):
    add_difference(group)
    rows = [proof("0.98", "IN00"), proof("", "IN00", "not proved"), proof("0.9", "IN01", last)]
    found = edges(trace(group.known(base="base", proofs=pd.concat(rows))), "merge")
    strengths = {edge.strength for ends, edge in found.items() if ends[1] == "difference"}
    assert ("proof" in strengths) is decided


def test_component_that_comes_from_elsewhere_has_an_edge():
    group = Group()
    group.base("base")
    group.base("base", "vae")
    group.base("other")
    group.base("other", "vae")
    group.tune("child", "base")
    group.same("child", "other", "vae")
    group.tune("heir", "base")
    group.same("heir", "base", "vae")
    lineage = trace(group.known(base="base"))
    found = edges(lineage)
    assert found["other", "child"].kind == "component of"
    assert found["other", "child"].components == ("vae",)
    assert not found["other", "child"].is_decided
    assert found["base", "heir"].shared == ("vae",)


def test_low_rank_makes_a_lora_of_a_tune(group):
    row = {"child": "a", "base": "base", "component": "unet", "role": "*", "verdict": "lora",
           "detail": "LoRA of rank 32"}  # fmt: skip
    found = edges(trace(group.known(base="base", low_rank=pd.DataFrame([row]))))
    assert found["base", "a"].kind == "lora"
    assert "rank 32" in found["base", "a"].note
    assert found["base", "b"].kind == "fine-tune"


def test_named_parent_that_nobody_has_is_a_missing_node(group):
    told = claim(model="c", source="modelspec", kind="weighted sum", parent="Anything<v3>",
                 inherited="false")  # fmt: skip
    lineage = trace(group.known(claims=told))
    assert [node.label for node in lineage.nodes if node.missing] == ["Anything<v3>"]
    assert edges(lineage)["missing: Anything<v3>", "c"].kind == "merge"


@pytest.mark.parametrize("verdict", [Verdict.RECOVERED, Verdict.APPROXIMATE])
def test_named_parent_is_missing_where_the_others_do_not_explain_all(group, verdict):
    group.recipe("merged", {"a": 0.6, "b": 0.4}, verdict=verdict)
    cells = {"source": "webui", "kind": "weighted sum", "inherited": "false", "how": "id"}
    named = [("A", "a"), ("B", "b"), ("Lost", "")]
    told = pd.concat(
        [claim(model="merged", parent=name, parent_model=model, **cells) for name, model in named],
        ignore_index=True,
    )
    lineage = trace(group.known(claims=told))
    assert edges(lineage)["a", "merged"].is_decided
    missing = [node.label for node in lineage.nodes if node.missing]
    assert missing == ([] if verdict is Verdict.RECOVERED else ["Lost"])


def test_declared_base_that_weights_deny_is_told(group):
    lineage = trace(group.known(bases={"a": "stranger"}))
    assert ("stranger", "a") not in edges(lineage)
    assert any("the a: the roster's base stranger" in one for one in lineage.findings)


def test_larger_norm_is_a_weak_sign(group):
    moments = {}
    for name in ("base", "a"):
        point = group.points[name, "unet"]
        moments[name] = {"unet": Moments(("t",), np.array([point @ point]), np.array([np.nan]))}
    edge = edges(trace(group.known(moments=moments)))["base", "a"]
    assert any(sign.kind == "norm" and sign.supports for sign in edge.evidence)
    assert not edge.is_decided


def test_lineage_does_not_depend_on_the_order_of_models(group):
    add_difference(group)
    expected = graph.dumps(trace(group.known(base="base")))
    for seed in range(3):
        shuffled = Group()
        names = list(group.points)
        random.Random(seed).shuffle(names)
        shuffled.points = {name: group.points[name] for name in names}
        makings = list(group.makings)
        random.Random(seed).shuffle(makings)
        shuffled.makings = {key: group.makings[key] for key in makings}
        assert graph.dumps(trace(shuffled.known(base="base"))) == expected


def test_nothing_to_tell_is_told():
    group = Group()
    group.base("a")
    group.base("b")
    lineage = trace(group.known())
    assert lineage.edges == ()
    assert "nothing" in lineage.findings[0]
