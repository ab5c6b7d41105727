"""
Forms of values in config/calls: what is written there becomes an argument.

A form is a mapping with one of the keys below, or a plain value that stands for itself.

`shape`
    a meta tensor; `dtype` is the module's unless it is said.
`number`
    a number or a truth.
`fields`
    a dictionary of forms.
`list`, `tuple`
    of forms. `repeat` in a member puts it there as many times.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from atlas.architectures.calls.expressions import evaluate, holds, names_in
from atlas.basis.errors import AtlasError, nearest

KEYS = ("shape", "number", "fields", "list", "tuple")
BESIDE = {"when", "dtype", "attended", "repeat"}
DTYPES = ("float16", "bfloat16", "float32", "float64", "int32", "int64", "bool", "complex64")


def make(form: Any, values: Mapping[str, Any], dtype: torch.dtype) -> Any:
    """
    Return what a form describes.

    Parameters
    ----------
    form
        As in config/calls.
    values
        What the names in its expressions stand for.
    dtype
        Of tensors that say none: the module's.

    Raises
    ------
    UnknownNameError
        if a size is not known.
    AtlasError
        if it is no form.
    """
    if not isinstance(form, Mapping):
        return evaluate(form, values)
    match _key(form):
        case "shape":
            return _tensor(form, values, dtype)
        case "number":
            return evaluate(form["number"], values)
        case "fields":
            return {name: make(value, values, dtype) for name, value in form["fields"].items()}
        case "list":
            return list(_members(form["list"], values, dtype))
        case _:
            return tuple(_members(form["tuple"], values, dtype))


def fits(form: Any, values: Mapping[str, Any]) -> bool:
    """Say whether a form is meant for this configuration: its `when` holds, if it has one."""
    return not isinstance(form, Mapping) or holds(form.get("when", True), values)


def names(form: Any) -> set[str]:
    """Return the names of sizes and of keys of the configuration that a form asks for."""
    if isinstance(form, Mapping):
        own = names_in(form.get("when")) | names_in(form.get("attended"))
        inner = [form[key] for key in (*KEYS, "repeat") if key in form]
        inner = [list(value.values()) if isinstance(value, Mapping) else value for value in inner]
        return own.union(*map(names, inner))
    if isinstance(form, list):
        return set().union(*map(names, form))
    return names_in(form)


def _key(form: Mapping[str, Any]) -> str:
    unknown = [key for key in form if key not in {*KEYS, *BESIDE}]
    if unknown:
        hint = nearest(unknown[0], [*KEYS, *BESIDE]) or f" (known are {', '.join(KEYS)})"
        raise AtlasError(f"a form of an argument has no key {unknown[0]}{hint}")
    found = [key for key in KEYS if key in form]
    if len(found) != 1:
        raise AtlasError(f"a form of an argument has exactly one of the keys {', '.join(KEYS)}")
    return found[0]


def _members(forms: list[Any], values: Mapping[str, Any], dtype: torch.dtype) -> Iterator[Any]:
    for form in forms:
        times = evaluate(form.get("repeat", 1), values) if isinstance(form, Mapping) else 1
        member = make(form, values, dtype)
        yield from [member] * times


def _tensor(form: Mapping[str, Any], values: Mapping[str, Any], dtype: torch.dtype) -> torch.Tensor:
    shape = [_length(length, values) for length in form["shape"]]
    name = form.get("dtype")
    if name is not None and name not in DTYPES:
        raise AtlasError(f"{name} is no dtype{nearest(name, DTYPES) or f' of {DTYPES}'}")
    kind: torch.dtype = dtype if name is None else getattr(torch, name)
    tensor = torch.empty(shape, dtype=kind, device="meta")
    if "attended" in form:
        # What meta.HOOKS hand a mask with values by.
        tensor.attended = evaluate(form["attended"], values)  # type: ignore[attr-defined]
    return tensor


def _length(length: Any, values: Mapping[str, Any]) -> int:
    value = evaluate(length, values)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise AtlasError(f"{length} is no length of an axis: it is {value!r}")
    return value
