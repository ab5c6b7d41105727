"""Weak signs of which of two relatives came first."""

import numpy as np
import pytest

from atlas.lineage import signs
from atlas.lineage.evidence import Evidence, Strength
from atlas.lineage.signs import Moments

NAMES = ("base", "tuned")


def moments(squares, kurtosis):
    return Moments(
        tuple(f"t{place}" for place in range(len(squares))),
        np.array(squares, dtype=float), np.array(kurtosis, dtype=float),
    )  # fmt: skip


def told(parent, child, distance=1.0):
    return {sign.kind: sign for sign in signs.of_statistics(parent, child, distance, names=NAMES)}


@pytest.mark.parametrize(("growth", "sign"), [(1.0, True), (-1.0, False), (0.1, None)])
def test_norm_that_grows_by_the_step_speaks_for_the_edge(growth, sign):
    found = told(moments([5.0], [np.nan]), moments([5.0 + growth], [np.nan]))
    assert (found["norm"].supports if "norm" in found else None) is sign


def test_kurtosis_is_a_hint_where_most_tensors_agree():
    many = np.arange(30.0)
    found = told(moments(many, many), moments(many, many + 1))
    assert found["kurtosis"].strength is Strength.HINT
    mixed = many + np.where(many % 2, 1, -1)
    assert "kurtosis" not in told(moments(many, many), moments(many, mixed))
    assert "kurtosis" not in told(moments(many[:5], many[:5]), moments(many[:5], many[:5] + 1))


def test_other_tensors_tell_nothing():
    other = Moments(("x",), np.array([9.0]), np.array([np.nan]))
    assert told(moments([5.0], [np.nan]), other) == {}


def test_words_name_the_models_so_that_they_stay_true_of_a_turned_edge():
    words = told(moments([5.0], [np.nan]), moments([6.0], [np.nan]))["norm"].words
    assert words.startswith("tuned lies farther from the initialisation than base")


def test_weak_signs_of_the_minority_become_hints():
    weak = [Evidence(kind, Strength.WEAK, kind, kind != "c") for kind in "abc"]
    assert [sign.strength for sign in signs.total(weak)] == ["weak", "weak", "hint"]
    assert signs.total(weak[1:]) == tuple(weak[1:])


def test_larger_order_is_a_hint_for_the_child():
    orders = {"base": {"kohya": 100.0}, "tuned": {"kohya": 200.0}}
    assert [sign.supports for sign in signs.of_order(*NAMES, orders)] == [True]
    assert [sign.supports for sign in signs.of_order(*NAMES[::-1], orders)] == [False]
    assert signs.of_order(*NAMES, {}) == []
    assert signs.of_order(*NAMES, orders | {"tuned": {"lightning": 200.0}})[0].kind != "order"


def test_the_later_date_is_a_hint_for_the_child():
    orders = {"base": {"date": 1.66e9}, "tuned": {"date": 1.68e9}}
    (sign,) = signs.of_order(*NAMES, orders)
    assert (sign.kind, sign.strength, sign.supports) == ("date", "hint", True)
    assert sign.words == "base is of 2022-08-08, tuned of 2023-03-28"
    assert [sign.supports for sign in signs.of_order(*NAMES[::-1], orders)] == [False]


def test_who_holds_the_state_of_a_training_was_not_converted():
    for source in ("lightning", "averaged weights"):
        (sign,) = signs.of_order(*NAMES, {"base": {source: 470000.0}, "tuned": {"date": 1.7e9}})
        assert (sign.kind, sign.strength, sign.supports) == ("training state", "hint", True)
        assert sign.words == "base holds the state of its training, tuned does not"
    both = {"base": {"lightning": 5.0}, "tuned": {"averaged weights": 4.0}}
    assert signs.of_order(*NAMES, both) == []
