"""
A pickle read as data: an interpreter of its opcodes that can run nothing.

Python's own unpickler imports and calls whatever a file names. Here a name is a `Global`, a call
is a look-up in a fixed table (pickle_names.py), and everything else is an `AtlasError` that says
what was asked for. Opcodes, bytes and nesting are limited, each opcode costs a constant, and
nothing is hashed but texts and numbers: time and memory stay bounded whatever the file holds.
Opcodes are described in CPython's Lib/pickletools.py.
"""

import struct
from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.checkpoint.pickle_names import CODE, PARAMETERS, TRUSTED, Global, Module, call, named
from atlas.checkpoint.pickle_opcodes import OPCODES

MOST_OPCODES = 2_000_000
"""About 80,000 tensors."""

MOST_BYTES = 64 * 2**20
LONGEST_NAME = 1000
"""Characters of what is asked for; TorchScript's classes have about a hundred."""

DEEPEST = 1000
"""Marks that may be open at once; state dicts have about ten."""

Value = Any
FAULTS = (IndexError, KeyError, ValueError, TypeError, OverflowError, struct.error)
"""What Python raises where a pickle is cut off or makes no sense."""


class Machine:
    """Reads one pickle from a buffer; `position` is where the next one starts."""

    def __init__(
        self,
        data: bytes | mmap,
        position: int,
        *,
        file: Path,
        load_storage: Callable[[Value], Value],
    ) -> None:
        self.data = data
        self.start = self.position = position
        self.file = file
        self.load_storage = load_storage
        self.stack: list[Value] = []
        self.marks: list[list[Value]] = []
        self.memo: dict[int, Value] = {}
        self.copied = 0

    def run(self) -> Value:
        """
        Return the value that the pickle describes.

        Raises
        ------
        AtlasError
            Where it asks for more than weights, is broken, or goes beyond the limits.
        """
        try:
            for _ in range(MOST_OPCODES):
                opcode = self.take(1)
                if opcode == b".":
                    return self.stack.pop()
                OPCODES[opcode](self)
        except FAULTS as error:
            told = f"{error!r}"[:200]
            raise AtlasError(
                f"{self.file}: a pickle broken at byte {self.position} ({told}), or neither a "
                "safetensors nor a PyTorch file; download or save it again"
            ) from None
        raise self.refusal(f"more than {MOST_OPCODES} steps")

    def refusal(self, what: str) -> AtlasError:
        """Return the error for a pickle that is more than weights."""
        known = next((told for start, told in CODE.items() if what.startswith(start)), TRUSTED)
        return AtlasError(
            f"{self.file}: its pickle asks for {what}, which weights do not need; nothing of it "
            f"was run. {known}"
        )

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self.position + count
        if end - self.start > MOST_BYTES:
            raise self.refusal(f"more than {MOST_BYTES // 2**20} MiB besides the weights")
        piece = self.data[self.position : end]
        if count < 0 or len(piece) != count:
            raise ValueError("cut off")
        self.position = end
        return piece

    def line(self) -> str:
        """Return the rest of the line."""
        end = self.data.find(b"\n", self.position, self.start + MOST_BYTES)
        if end < 0:
            raise ValueError("cut off")
        return self.take(end + 1 - self.position)[:-1].decode("utf-8", "surrogateescape")

    def number(self, form: str) -> Any:
        """Return the next number, of one of struct's forms."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def push(self, value: Value) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def open_mark(self) -> None:
        """Begin a run of items."""
        if len(self.marks) >= DEEPEST:
            raise self.refusal(f"more than {DEEPEST} levels of nesting")
        self.marks.append(self.stack)
        self.stack = []

    def close_mark(self) -> list[Value]:
        """End a run of items and return them."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def remember(self, number: int) -> None:
        """Keep what is on top of the stack, to be pushed again by its number."""
        # picklers count from 0; larger numbers can be chosen to collide in the table
        if not 0 <= number < MOST_OPCODES:
            raise ValueError("a memo's number that no pickler writes")
        self.memo[number] = self.stack[-1]

    def find(self, module: str, name: str) -> None:
        """Push the Global of a name, if weights may ask for it."""
        if len(module) + len(name) > LONGEST_NAME:
            raise self.refusal(f"a name of {len(module) + len(name)} characters")
        found = named(f"{module}.{name}")
        if found is None:
            raise self.refusal(f"{module}.{name}"[:200])
        self.push(found)

    def reduce(self, arguments: Value, function: Value) -> None:
        """Push what a call gives: a look-up in a table, never a call of what the file names."""
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise self.refusal("a call of something that is no name")
        # a list may be given to many calls: count what they copy
        self.copied += sum(len(value) for value in arguments[:1] if isinstance(value, list))
        if self.copied > MOST_OPCODES:
            raise self.refusal(f"more than {MOST_OPCODES} copies")
        self.push(call(function, arguments))

    def build(self) -> None:
        """Set an object's state: kept for TorchScript's modules and tables of parameters alone."""
        state, built = self.stack.pop(), self.stack[-1]
        if isinstance(built, Module) and isinstance(state, dict):
            held = state.get("_parameters") if built.name in PARAMETERS else state
            built.state = held if isinstance(held, dict) else {}
