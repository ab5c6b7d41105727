"""Calls: arguments derived from signatures equal those once written by hand; what is not known."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from atlas.architectures import catalogue, inputs
from atlas.architectures.calls import forms
from atlas.architectures.calls.expressions import UnknownNameError, evaluate, holds
from atlas.basis.errors import AtlasError

GOLDEN: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[2] / "architectures" / "denoiser_arguments.yaml").read_text("utf-8")
)
CASES = [(name, case) for name, cases in GOLDEN.items() for case in cases]


def described(value: Any) -> Any:
    """Return an argument as the golden file writes it: tensors by dtype and shape."""
    if isinstance(value, torch.Tensor):
        assert value.device.type == "meta"
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, dict):
        return {name: described(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [described(member) for member in value]}
    return [described(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "case"), CASES)
def test_derived_arguments_are_those_once_written_by_hand(name: str, case: dict[str, Any]) -> None:
    width, height = case["size"]
    given = inputs.denoiser(
        catalogue.load(name),
        width=width,
        height=height,
        batch=case["batch"],
        text_length=case["text_length"],
        dtype=torch.float16 if case["batch"] == 1 else torch.bfloat16,
    )
    assert given.pop("return_dict") is False
    assert described(given) == case["arguments"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (7, 7),
        (None, None),
        ("missing | empty | 2 * (a + b) // 3", 4),
        ("sizes[1] % 2", 1),
        ("-len(sizes) + max(sizes)", 1),
        ("sum(sizes) / a", 2.5),
        ("list(a, b)", [2, 4]),
        ("'a' if 0 else 'b'", None),
    ],
)
def test_expressions_are_arithmetic_of_named_values(expression: object, value: object) -> None:
    values = {"a": 2, "b": 4, "sizes": [2, 3], "empty": None}
    if value is None and expression is not None:
        with pytest.raises(AtlasError, match="is not understood"):
            evaluate(expression, values)
    else:
        assert evaluate(expression, values) == value


def test_a_name_without_a_value_is_told_and_makes_a_condition_false() -> None:
    with pytest.raises(UnknownNameError, match="no_such has no value"):
        evaluate("2 * no_such", {})
    assert not holds("no_such", {})
    assert not holds("no_such == 2", {})
    assert holds("a > 1 and not (no_such or a == 3)", {"a": 2})
    assert holds(True, {})


def test_an_expression_runs_nothing() -> None:
    for hostile in ("__import__('os')", "a.__class__", "(lambda: 0)()", "[1]", "1 +"):
        with pytest.raises(AtlasError, match=r"not understood|no expression"):
            evaluate(hostile, {"a": 1})


def test_forms_make_nested_values() -> None:
    form = {
        "fields": {
            "mask": {"shape": ["n", 1], "dtype": "bool"},
            "shapes": {"list": [{"repeat": "n", "tuple": [1, "n // 2"]}, {"number": "n > 3"}]},
            "none": None,
        }
    }
    made = forms.make(form, {"n": 4}, torch.float16)
    assert described(made) == {
        "mask": "bool[4, 1]",
        "shapes": [{"tuple": [1, 2]}] * 4 + [True],
        "none": None,
    }
    assert forms.names(form) == {"n"}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"shap": [1]}, "no key shap; did you mean shape"),
        ({"shape": [1], "number": 1}, "exactly one of"),
        ({"shape": ["1 / 2"]}, "1 / 2 is no length of an axis: it is 0.5"),
        ({"shape": [1], "dtype": "float61"}, "float61 is no dtype; did you mean float64"),
    ],
)
def test_a_faulty_form_is_told(form: dict[str, Any], message: str) -> None:
    with pytest.raises(AtlasError, match=message):
        forms.make(form, {}, torch.float16)
