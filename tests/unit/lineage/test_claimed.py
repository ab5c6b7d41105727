"""What claims come to as evidence."""

import pandas as pd

from atlas.lineage.claimed import claimed

MODELS = ("a", "b", "c")
EMPTY = dict.fromkeys(
    ["model", "source", "kind", "component", "block", "parent", "parent_model", "how", "weight",
     "inherited", "order", "detail"], "",
)  # fmt: skip


def table(*rows):
    return pd.DataFrame([EMPTY | row for row in rows])


def strengths(told):
    return {pair: [str(sign.strength) for sign in signs] for pair, signs in told.signs.items()}


def test_declared_base_of_the_group_is_a_claim():
    assert strengths(claimed(None, MODELS, {"b": "a", "c": "elsewhere"})) == {("b", "a"): ["claim"]}


def test_what_may_be_inherited_is_a_hint():
    row = {"model": "b", "source": "kohya", "kind": "fine-tune", "parent": "A", "parent_model": "a"}
    told = claimed(table(row | {"inherited": "True", "how": "hash"}), MODELS, {})
    assert strengths(told) == {("b", "a"): ["hint"]}
    assert told.parents("b") == []
    named = claimed(table(row | {"inherited": "False", "how": "name"}), MODELS, {})
    assert named.parents("b") == ["a"]
    assert "found by name" in named.signs["b", "a"][0].words


def test_parents_that_nobody_has_are_missing_and_other_kinds_are_no_parents():
    rows = [
        {"model": "b", "source": "webui", "kind": "weighted sum", "parent": "lost"},
        {"model": "b", "source": "kohya", "kind": "epoch of run", "parent": "run", "order": "3"},
    ]
    told = claimed(table(*rows), MODELS, {})
    assert told.missing == {"b": (("lost", "weighted sum", "webui"),)}
    assert told.orders == {"b": {"kohya": 3.0}}


def test_dates_and_steps_are_told_apart_and_inherited_ones_are_not_taken():
    dated = {"model": "b", "source": "modelspec", "kind": "date", "order": "1.7e9"}
    steps = {"model": "b", "source": "kohya", "kind": "epoch of run", "order": "3"}
    more = [
        dated | {"source": "kohya", "order": "1.6e9"},
        steps | {"order": "5"},
        dated | {"model": "a", "inherited": "True"},
    ]
    told = claimed(table(dated, steps, *more), MODELS, {})
    assert told.orders == {"b": {"date": 1.7e9, "kohya": 5.0}}
    assert told.of_leaders({"a": "a", "b": "a", "c": "c"}).orders == {"a": told.orders["b"]}


def test_weights_are_as_old_as_their_first_file_and_have_as_many_steps_as_any():
    rows = [
        {"model": model, "source": source, "kind": kind, "order": order}
        for model, order in (("a", "1.6e9"), ("b", "1.7e9"))
        for source, kind in (("modelspec", "date"), ("lightning", "epoch of run"))
    ]
    told = claimed(table(*rows), MODELS, {}).of_leaders({"a": "a", "b": "a", "c": "c"})
    assert told.orders == {"a": {"date": 1.6e9, "lightning": 1.7e9}}


def test_models_of_the_same_weights_are_one():
    told = claimed(None, MODELS, {"b": "a", "c": "b"})
    leaders = told.of_leaders({"a": "a", "b": "a", "c": "c"})
    assert set(leaders.signs) == {("c", "a")}
