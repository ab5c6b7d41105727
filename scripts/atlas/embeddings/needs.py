"""What jobs that run text encoders need; nothing of torch here."""

import json
from pathlib import Path

BYTES = {"f32": 4, "bf16": 2, "f16": 2}
FIXED_MB = 1500
"""torch, transformers, tokenisers, and what a batch of texts takes."""
STORED_BYTES = 4
"""Of a weight as it lies in the file, while it is converted: a tensor at a time, twice at most."""


def encoding_mb(record: Path, *, dtype: str) -> int:
    """
    Return the memory in MB (10^6 bytes) that running the largest text encoder takes.

    Parameters
    ----------
    record
        The JSON file of find_text_encoders.
    dtype
        What encoders run in.
    """
    found = json.loads(record.read_text(encoding="utf-8"))["encoders"]
    largest = max((each["parameters"] for each in found), default=0)
    return FIXED_MB + int(largest * (BYTES[dtype] + STORED_BYTES) / 10**6)
