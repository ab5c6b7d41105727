"""Recover a network's named weights from an ONNX export that took the norms' names off."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from atlas.basis.errors import AtlasError

Weights = dict[str, np.ndarray]


def read(
    model: bytes, *, prefixes: Sequence[str], norm_before: Mapping[str, str]
) -> tuple[Weights, dict[str, str]]:
    """
    Return the weights under the names that the network had in torch, and the file's metadata.

    The exporters kept the names of convolutions and linear layers behind a prefix. They wrote a
    group norm as InstanceNormalization, Mul and Add, whose scale and shift are nameless; its
    name follows from the convolution that it feeds.

    Parameters
    ----------
    model
        The bytes of the ONNX file.
    prefixes
        What the exporters put before the names.
    norm_before
        End of a convolution's module name to end of the name of the norm before it.

    Raises
    ------
    AtlasError
        If a norm can't be named, or two get one name.
    """
    proto = onnx.load_from_string(model)
    arrays = {array.name: numpy_helper.to_array(array) for array in proto.graph.initializer}
    users: dict[str, list[Any]] = defaultdict(list)
    for node in proto.graph.node:
        for value in node.input:
            users[value].append(node)
    weights = {_bare(key, prefixes): array for key, array in arrays.items() if _bare(key, prefixes)}
    for node in proto.graph.node:
        if node.op_type == "InstanceNormalization":
            scale, shift, end = _affine(node, users, arrays)
            module = _norm_name(_convolution_after(end, users), prefixes, norm_before)
            if f"{module}.weight" in weights:
                raise AtlasError(f"two norms of the ONNX graph are named {module}")
            weights[f"{module}.weight"] = arrays[scale].reshape(-1)
            weights[f"{module}.bias"] = arrays[shift].reshape(-1)
    return weights, {entry.key: entry.value for entry in proto.metadata_props}


def _bare(key: str, prefixes: Sequence[str]) -> str:
    """Return the name behind its prefix; empty for an exporter's own constant."""
    return next((key.removeprefix(prefix) for prefix in prefixes if key.startswith(prefix)), "")


def _affine(
    norm: Any, users: Mapping[str, list[Any]], arrays: Mapping[str, np.ndarray]
) -> tuple[str, str, str]:
    """Follow a norm through Reshape, Mul and Add: initialisers of scale and shift, last value."""
    value, found = norm.output[0], []
    for operation in ("Reshape", "Mul", "Add"):
        node = next((node for node in users[value] if node.op_type == operation), None)
        if node is None:
            raise AtlasError(f"no {operation} follows the norm {norm.name} of the ONNX graph")
        found += [operand for operand in node.input if operation != "Reshape" and operand in arrays]
        value = node.output[0]
    scale, shift = found
    return scale, shift, value


def _convolution_after(value: str, users: Mapping[str, list[Any]]) -> str:
    """Return the weight's name of the nearest convolution that a value flows into."""
    queue, seen = deque([value]), {value}
    while queue:
        for node in users[queue.popleft()]:
            if node.op_type == "Conv":
                return str(node.input[1])
            new = [output for output in node.output if output not in seen]
            queue.extend(new)
            seen.update(new)
    raise AtlasError(f"no convolution follows the value {value} of the ONNX graph")


def _norm_name(weight: str, prefixes: Sequence[str], norm_before: Mapping[str, str]) -> str:
    module = _bare(weight, prefixes).removesuffix(".weight")
    for end, norm in norm_before.items():
        if module == end or module.endswith(f".{end}"):
            return module.removesuffix(end) + norm
    raise AtlasError(f"no norm is known to stand before the convolution {module}")
