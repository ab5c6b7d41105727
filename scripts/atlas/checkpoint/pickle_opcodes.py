"""What each opcode of a pickle does to the machine that reads it (see pickle_machine.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from atlas.checkpoint.pickle_names import Global

Value = Any

LONGEST_KEY = 1024
"""Characters of a key in a table of tensors."""


def put_items(table: Value, items: list[Value]) -> None:
    """Set items of a dict; keys that are no text or index have no meaning here."""
    if not isinstance(table, dict):
        return
    for key, value in zip(items[::2], items[1::2], strict=True):
        if isinstance(key, str) and len(key) > LONGEST_KEY:
            raise ValueError(f"a key of {len(key)} characters")
        # larger numbers can be chosen to collide in the table
        if isinstance(key, str) or (isinstance(key, int) and 0 <= key < 2**31):
            table[key] = value


def append_items(values: Value, items: list[Value]) -> None:
    """Append to a list; objects that only look like one stay empty."""
    if isinstance(values, list):
        values.extend(items)


class Machine(Protocol):
    """What opcodes work on: a stack with marks, a memo, and the bytes that follow."""

    stack: list[Value]
    memo: dict[int, Value]

    def take(self, count: int) -> bytes:
        """Return the next bytes."""

    def line(self) -> str:
        """Return the rest of the line."""

    def number(self, form: str) -> Any:
        """Return the next number, of one of struct's forms."""

    def push(self, value: Value) -> None:
        """Put a value on the stack."""

    def open_mark(self) -> None:
        """Begin a run of items."""

    def close_mark(self) -> list[Value]:
        """End a run of items and return them."""

    def remember(self, number: int) -> None:
        """Keep what is on top of the stack, to be pushed again by its number."""

    def find(self, module: str, name: str) -> None:
        """Push what a name stands for, if weights may ask for it."""

    def reduce(self, arguments: Value, function: Value) -> None:
        """Push what a call gives."""

    def build(self) -> None:
        """Set an object's state."""

    def load_storage(self, identifier: Value) -> Value:
        """Return what a persistent id stands for."""

    def refusal(self, what: str) -> Exception:
        """Return the error for a pickle that is more than weights."""


Handler = Callable[[Machine], Any]


def _text(form: str, *, binary: bool = False) -> Handler:
    def read(machine: Machine) -> None:
        raw = machine.take(machine.number(form))
        machine.push(raw if binary else raw.decode("utf-8", "surrogatepass"))

    return read


def _remember(form: str) -> Handler:
    return lambda machine: machine.remember(machine.number(form))


def _recall(form: str) -> Handler:
    return lambda machine: machine.push(machine.memo[machine.number(form)])


def _tuple(count: int) -> Handler:
    def build(machine: Machine) -> None:
        items = tuple(machine.stack[-count:])
        if len(items) != count:
            raise IndexError("stack")
        machine.stack[-count:] = [items]

    return build


def _marked(build: Callable[[list[Value]], Value]) -> Handler:
    return lambda machine: machine.push(build(machine.close_mark()))


def _dict_of(items: list[Value]) -> dict[Any, Value]:
    table: dict[Any, Value] = {}
    put_items(table, items)
    return table


def _set_item(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    put_items(machine.stack[-1], [key, value])


def _set_items(machine: Machine) -> None:
    items = machine.close_mark()
    put_items(machine.stack[-1], items)


def _append(machine: Machine) -> None:
    item = machine.stack.pop()
    append_items(machine.stack[-1], [item])


def _extend(machine: Machine) -> None:
    items = machine.close_mark()
    append_items(machine.stack[-1], items)


def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise machine.refusal("a name that is no text")
    machine.find(module, name)


def _new_object(machine: Machine) -> None:
    arguments, kind = machine.stack.pop(), machine.stack.pop()
    machine.reduce(arguments, kind)


def _persistent(machine: Machine) -> None:
    persistent = machine.stack.pop()
    # before PyTorch 1.6 a module's class was stored with its source, which nobody needs
    is_class = isinstance(persistent, tuple) and len(persistent) == 4 and persistent[0] == "module"
    if is_class and isinstance(persistent[1], Global):
        machine.push(persistent[1])
    else:
        machine.push(machine.load_storage(persistent))


def _whole_number(machine: Machine) -> None:
    text = machine.line()
    machine.push({"00": False, "01": True}.get(text) if text in {"00", "01"} else int(text))


def _long(form: str) -> Handler:
    return lambda machine: machine.push(
        int.from_bytes(machine.take(machine.number(form)), "little", signed=True)
    )


def _refuse(what: str) -> Handler:
    def refuse(machine: Machine) -> None:
        raise machine.refusal(what)

    return refuse


OPCODES: dict[bytes, Handler] = {
    b"\x80": lambda m: m.take(1),  # PROTO
    b"\x95": lambda m: m.take(8),  # FRAME
    b"(": lambda m: m.open_mark(),
    b"0": lambda m: m.stack.pop() if m.stack else m.close_mark(),  # POP
    b"1": lambda m: m.close_mark(),  # POP_MARK
    b"2": lambda m: m.push(m.stack[-1]),  # DUP
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _whole_number,
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"L": lambda m: m.push(int(m.line().removesuffix("L"))),
    b"\x8a": _long("<B"),
    b"\x8b": _long("<i"),
    b"F": lambda m: m.push(float(m.line())),
    b"G": lambda m: m.push(m.number(">d")),
    b"S": lambda m: m.push(m.line().strip("'\"")),
    b"T": _text("<i"),
    b"U": _text("<B"),
    b"V": lambda m: m.push(m.line()),
    b"X": _text("<I"),
    b"\x8c": _text("<B"),
    b"\x8d": _text("<Q"),
    b"B": _text("<I", binary=True),
    b"C": _text("<B", binary=True),
    b"\x8e": _text("<Q", binary=True),
    b"\x96": _text("<Q", binary=True),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b")": lambda m: m.push(()),
    b"\x8f": lambda m: m.push([]),  # EMPTY_SET
    b"l": _marked(list),
    b"t": _marked(tuple),
    b"d": _marked(_dict_of),
    b"\x91": _marked(list),  # FROZENSET
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"a": _append,
    b"e": _extend,
    b"\x90": _extend,  # ADDITEMS
    b"s": _set_item,
    b"u": _set_items,
    b"p": lambda m: m.remember(int(m.line())),
    b"q": _remember("<B"),
    b"r": _remember("<I"),
    b"\x94": lambda m: m.remember(len(m.memo)),  # MEMOIZE
    b"g": lambda m: m.push(m.memo[int(m.line())]),
    b"h": _recall("<B"),
    b"j": _recall("<I"),
    b"c": lambda m: m.find(m.line(), m.line()),
    b"\x93": _stack_global,
    b"R": lambda m: m.reduce(m.stack.pop(), m.stack.pop()),
    b"\x81": _new_object,  # NEWOBJ
    b"b": lambda m: m.build(),
    b"Q": _persistent,
    b"P": _refuse("a persistent id as text (PERSID)"),
    b"i": _refuse("an instance of a class (INST)"),
    b"o": _refuse("an instance of a class (OBJ)"),
    b"\x92": _refuse("an object with named arguments (NEWOBJ_EX)"),
    b"\x82": _refuse("an extension code (EXT1)"),
    b"\x83": _refuse("an extension code (EXT2)"),
    b"\x84": _refuse("an extension code (EXT4)"),
    b"\x97": _refuse("an outside buffer (NEXT_BUFFER)"),
    b"\x98": _refuse("an outside buffer (READONLY_BUFFER)"),
}
