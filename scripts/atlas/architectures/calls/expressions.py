"""
The little expressions of config/calls: sizes and conditions in terms of named values.

>>> evaluate("width | 4 * heads[0]", {"width": None, "heads": [2, 3]})
8
>>> holds("kind == 'text' and not masked", {"kind": "text"})
True
"""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from atlas.basis.errors import AtlasError

OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "list": lambda *values: list(values),
    "max": max,
    "min": min,
    "sum": sum,
}


class UnknownNameError(AtlasError):
    """A name that has no value: no symbol and no key of the configuration."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} has no value")


def evaluate(expression: object, values: Mapping[str, Any]) -> Any:
    """
    Return the value of an expression; what is no text stands for itself.

    Python's arithmetic and comparisons of numbers, texts in quotes, indices, `len`, `list`, `max`,
    `min`, `sum`. `a | b` is a, or b where a has no value.

    Parameters
    ----------
    expression
        Such as `channels * patch * patch`.
    values
        What the names stand for; a name whose value is None has none.

    Raises
    ------
    UnknownNameError
        if a name has no value.
    AtlasError
        if it is no such expression.
    """
    return _value(_parsed(expression), values) if isinstance(expression, str) else expression


def holds(condition: object, values: Mapping[str, Any]) -> bool:
    """Say whether a condition is true; a name without a value makes it false."""
    return _holds(_parsed(condition), values) if isinstance(condition, str) else bool(condition)


def names_in(expression: object) -> set[str]:
    """Return the names that an expression asks for."""
    if not isinstance(expression, str):
        return set()
    names = {node.id for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name)}
    return names - set(FUNCTIONS)


@cache
def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise AtlasError(f"{expression!r} is no expression: {error.msg}") from error


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            if values.get(name) is None:
                raise UnknownNameError(name)
            return values[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            try:
                return _value(left, values)
            except UnknownNameError:
                return _value(right, values)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_value(left, values), _value(right, values))
        case ast.Subscript(value=whole, slice=index):
            return _value(whole, values)[_value(index, values)]
        case ast.Call(func=ast.Name(id=name), args=given) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_value(argument, values) for argument in given))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return _holds(node, values)
    raise AtlasError(f"{ast.unparse(node)!r} is not understood in an expression")


def _holds(node: ast.expr, values: Mapping[str, Any]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_holds(part, values) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_holds(part, values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand, values)
    try:
        return bool(_value(node, values))
    except UnknownNameError:
        return False
