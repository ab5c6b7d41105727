"""Open the packed parts of a page in Python, the slow way: numbers one by one."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pages.packing import ALIGNED

Arrays = Mapping[str, NDArray[Any]]


def opened(text: str) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return the facts of a part and its arrays by name."""
    whole = gzip.decompress(base64.b64decode(text))
    length = int.from_bytes(whole[:4], "little")
    told = json.loads(whole[4 : 4 + length])
    start = 4 + length + -(4 + length) % ALIGNED
    arrays = {
        each["name"]: np.frombuffer(
            whole, "<" + each["kind"], each["count"], start + each["offset"]
        )
        for each in told["arrays"]
    }
    return told["facts"], arrays


def written(facts: Mapping[str, Any], arrays: Arrays, at: int) -> int | float:
    """Return the number at a place as its decimal digits say it; a code as an int."""
    digits = int(arrays[facts["low"]][at]) + 256 * int(arrays[facts["high"]][at])
    if digits < 100:
        return digits
    return float(f"{digits}e{int(arrays[facts['powers']][at]) - facts['count'] + 1}")
