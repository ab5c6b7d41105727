"""What packing a library takes, from the number of models."""

LIBRARIES_MB = 320
"""Interpreter and libraries."""

MODEL_MB = 1.0
"""Of a model: its sketches and digests, twice while they are written."""


def packing_mb(*, models: int) -> int:
    """Return the memory in MB of packing so many models."""
    return round(LIBRARIES_MB + MODEL_MB * models)


def packing_minutes(*, models: int) -> int:
    """Return the minutes to read all fingerprints, with room to spare."""
    return 10 + round(2 * models * 0.1 / 60)
