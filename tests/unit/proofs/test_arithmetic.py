"""Each arithmetic is the one of the tools that use it, bit for bit, as torch computes it here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from atlas.proofs.arithmetic import ARITHMETICS, BY_NAME
from atlas.proofs.rounding import stored

KINDS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
COUNT = 40_003
"""Elements: not a whole number of any processor's vectors."""


def parents(dtype: str, count: int = 3) -> list[torch.Tensor]:
    generator = np.random.default_rng(count)
    base = generator.standard_normal(COUNT)
    return [
        torch.from_numpy((base + 0.3 * generator.standard_normal(COUNT)) * 0.05).to(KINDS[dtype])
        for _ in range(count)
    ]


def bits(values: torch.Tensor) -> np.ndarray:
    kind = torch.int32 if values.dtype == torch.float32 else torch.int16
    unsigned = np.uint32 if values.dtype == torch.float32 else np.uint16
    return values.view(kind).numpy().view(unsigned)


def share(name: str, given: list[torch.Tensor], weights: tuple[float, ...], made, dtype: str):
    """Return the share of elements that an arithmetic makes as torch did."""
    values = [each.float().numpy() for each in given]
    ours = BY_NAME[name].values(values, weights, dtype)
    return float(np.mean(stored(ours, dtype) == bits(made)))


def lerp(*given: torch.Tensor, weight: float) -> torch.Tensor:
    return torch.lerp(*(each.float() for each in given), weight)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("weight", [0.3, 0.5, 0.7, 1 / 3, 0.049])
def test_lerp_is_torchs_fused_one(dtype, weight):
    a, b, _ = parents(dtype)
    made = lerp(a, b, weight=weight).to(KINDS[dtype])
    assert share("fused lerp", [a, b], (1 - weight, weight), made, dtype) == 1


@pytest.mark.parametrize("weight", [0.3, 0.7])
def test_lerp_of_a_tensor_of_weights_is_the_same(weight):
    a, b, _ = parents("f32")
    assert torch.equal(torch.lerp(a, b, torch.tensor(weight)), torch.lerp(a, b, weight))


@pytest.mark.parametrize("weight", [0.3, 0.7])
def test_what_is_not_fused_is_another(weight):
    a, b, _ = parents("f32")
    x, y, near = a.numpy(), b.numpy(), np.float32(weight)
    plain = x + near * (y - x) if near < 0.5 else y - (y - x) * (np.float32(1) - near)
    weights = (1 - weight, weight)
    assert share("lerp", [a, b], weights, torch.from_numpy(plain), "f32") == 1
    assert share("lerp", [a, b], weights, torch.lerp(a, b, weight), "f32") < 0.9


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("weight", [0.3, 0.65])
def test_weighted_sum_is_the_one_of_python_scalars(dtype, weight):
    a, b, _ = parents(dtype)
    name = "weighted sum" if dtype == "f32" else "native weighted sum"
    made = ((1 - weight) * a) + (weight * b)
    assert share(name, [a, b], (1 - weight, weight), made, dtype) == 1


@pytest.mark.parametrize("dtype", KINDS)
def test_difference_is_the_one_of_python_scalars(dtype):
    a, b, c = parents(dtype)
    name = "difference" if dtype == "f32" else "native difference"
    assert share(name, [a, b, c], (1, 0.8, -0.8), a + (0.8 * (b - c)), dtype) == 1


@pytest.mark.parametrize("dtype", KINDS)
def test_fused_difference_is_addcmul(dtype):
    a, b, c = parents(dtype)
    name = "fused difference" if dtype == "f32" else "native fused difference"
    made = a.addcmul(b - c, torch.tensor(0.8, dtype=KINDS[dtype]))
    assert share(name, [a, b, c], (1, 0.8, -0.8), made, dtype) == 1


def test_nested_lerp_is_an_average_of_several():
    given = parents("f32", 4)
    total = given[0]
    for place, each in enumerate(given[1:], start=2):
        total = torch.lerp(total, each, 1 / place)
    assert share("nested fused lerp", given, (0.25,) * 4, total, "f32") == 1


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_native_nested_lerp_is_rounded_after_each_step(dtype):
    a, b, c = parents(dtype)
    made = torch.lerp(torch.lerp(a, b, 0.5), c, 1 / 3)
    assert share("native nested lerp", [a, b, c], (1 / 3,) * 3, made, dtype) == 1


@pytest.mark.parametrize("dtype", KINDS)
def test_nested_weighted_sum_is_sum_twice(dtype):
    a, b, c = parents(dtype)
    name = "nested weighted sum" if dtype == "f32" else "native nested weighted sum"
    made = (1 - 0.2) * ((1 - 0.3) * a + 0.3 * b) + 0.2 * c
    assert share(name, [a, b, c], (0.56, 0.24, 0.2), made, dtype) == 1


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize(
    ("weights", "name"),
    [((0.5, 0.3, 0.2), "fused chain"), ((1.0, 2.0, 3.0), "fused chain, divided")],
)
def test_a_fused_chain_is_addcmul_from_zero(dtype, weights, name):
    given = parents(dtype)
    total = torch.zeros(COUNT)
    for each, weight in zip(given, weights, strict=True):
        total.addcmul_(each, torch.tensor([weight]))
    total.div_(torch.tensor(weights).sum())
    normal = tuple(weight / sum(weights) for weight in weights)
    assert share(name, given, normal, total.to(KINDS[dtype]), dtype) == 1


@pytest.mark.parametrize("dtype", KINDS)
def test_deltas_are_task_arithmetic(dtype):
    base, a, b = parents(dtype)
    deltas = torch.stack([a - base, b - base])
    deltas.mul_(torch.tensor([0.4, 0.5], dtype=KINDS[dtype])[:, None])
    name = "deltas" if dtype == "f32" else "native deltas"
    made = base + deltas.sum(dim=0)
    assert share(name, [base, a, b], (0.1, 0.4, 0.5), made, dtype) == 1


def test_fused_deltas_are_addcmul_from_a_base():
    base, a, b = parents("f32")
    made = base.addcmul(a - base, torch.tensor(0.4)).addcmul(b - base, torch.tensor(0.5))
    assert share("fused deltas", [base, a, b], (0.1, 0.4, 0.5), made, "f32") == 1


@pytest.mark.parametrize("dtype", KINDS)
def test_mean_is_a_sum_by_a_number(dtype):
    a, b, c = parents(dtype)
    name = "mean" if dtype == "f32" else "native mean"
    assert share(name, [a, b, c], (1 / 3,) * 3, (a + b + c) / 3, dtype) == 1


def test_a_sum_in_float64_is_rounded_once():
    a, b, _ = parents("f32")
    made = (0.7 * a.double() + 0.3 * b.double()).float()
    assert share("float64 sum", [a, b], (0.7, 0.3), made, "f32") == 1


def test_one_minus_a_weight_is_not_the_plain_number():
    x = np.array([1.0]), np.array([1.0])
    (made,) = BY_NAME["float64 sum with 1 - m"].values(x, (0.2, 0.8), "f64")
    assert made == (1 - 0.8) * 1.0 + 0.8


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda each: each.name)
def test_a_parent_alone_is_itself(arithmetic):
    a, b = (each.numpy() for each in parents("f32", 2))
    assert (arithmetic.values([a, b], (0, 1), "f32") == b).all()


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda each: each.name)
def test_every_order_is_the_same_sum(arithmetic):
    """Whatever the order and rounding: within that of float16, it is the weighted sum."""
    cases = [
        (0.5, 0.3, 0.2),
        (1, 0.8, -0.8),
        (1 / 3,) * 3,
        (0.7, 0.3),
        (0.2, 0.8),
        (0.5, 0.25, 0.25),
    ]
    tried = 0
    for weights in cases:
        values = [each.numpy() for each in parents("f32", len(weights))]
        exact = sum(
            weight * each.astype(np.float64) for weight, each in zip(weights, values, strict=True)
        )
        for order in arithmetic.orders(weights):
            made = arithmetic.values(
                [values[place] for place in order], tuple(weights[place] for place in order), "f16"
            )
            assert np.abs(made - exact).max() < 1e-3
            tried += 1
    assert tried


def test_orders_that_make_no_difference_are_tried_once():
    assert BY_NAME["weighted sum"].orders((0.7, 0.3)) == [(0, 1)]
    assert BY_NAME["fused lerp"].orders((0.7, 0.3)) == [(0, 1), (1, 0)]
    assert BY_NAME["difference"].orders((0.8, 1, -0.8)) == [(1, 0, 2)]
    assert BY_NAME["nested lerp"].orders((0.7, 0.3)) == []
