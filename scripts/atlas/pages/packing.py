"""A page's data in one text: JSON and arrays, gzipped in base64. assets/unpack.js reads it."""

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNED = 8
LEVEL = 6
"""Of gzip, for numbers that hardly repeat: 9 takes ten times as long, for 1 % less."""
KINDS = {
    "uint8": "u1",
    "int8": "i1",
    "uint16": "u2",
    "int16": "i2",
    "int32": "i4",
    "float32": "f4",
}
"""numpy's dtypes by the names that the page knows."""


class Packing:
    """Arrays by name, and facts that are told of them."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}

    def add(self, array: NDArray[Any]) -> str:
        """
        Take an array, flat, and return the name that it has in the page.

        Parameters
        ----------
        array
            uint8, int8, uint16, int16, int32 or float32.
        """
        name = f"a{len(self._arrays)}"
        self._arrays[name] = np.ascontiguousarray(array).ravel()
        return name

    def packed(self, facts: Any, *, level: int = 9) -> str:
        """
        Return everything as base64: equal bytes for equal facts and arrays.

        Parameters
        ----------
        level
            Of gzip: LEVEL for numbers that hardly repeat.
        """
        offset, told, parts = 0, [], []
        for name, array in self._arrays.items():
            data = array.astype(array.dtype.newbyteorder("<")).tobytes()
            kind = KINDS[array.dtype.name]
            told.append({"name": name, "kind": kind, "offset": offset, "count": array.size})
            parts.append(data + b"\0" * (-len(data) % ALIGNED))
            offset += len(parts[-1])
        head = json.dumps({"facts": facts, "arrays": told}, ensure_ascii=False).encode("utf-8")
        start = len(head).to_bytes(4, "little") + head
        whole = start + b"\0" * (-len(start) % ALIGNED) + b"".join(parts)
        return base64.b64encode(gzip.compress(whole, level, mtime=0)).decode("ascii")
