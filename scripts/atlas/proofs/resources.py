"""
What proving a group's recipes takes.

Snakemake asks while it reads the workflow, so nothing heavy is imported here.
"""

LIBRARIES_MB = 250
"""Interpreter and libraries."""

MODEL_MB = 25
"""Of a table of contents of 2,500 tensors; of a dozen models they are held."""

MODELS_HELD = 12

THREAD_MB = 60
"""Of a thread: a chunk of each parent, what is computed of it, and a sample."""

GB_PER_MINUTE = 3.0
"""Of targets and parents, on a busy core; a network's disk may take longer."""


def proofs_mb(*, models: int, threads: int) -> int:
    """Return the memory in MB: it grows with no model's size, nor beyond a dozen of them."""
    return LIBRARIES_MB + MODEL_MB * min(models, MODELS_HELD) + THREAD_MB * threads + 200


def proofs_minutes(*, models: int, size_mb: float) -> int:
    """Return the minutes where every model is a merge of four others of the group."""
    return 10 + models // 4 + int(5 * size_mb / 1000 / GB_PER_MINUTE)
