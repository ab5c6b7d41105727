"""
What jobs of groups need, from the number of models and of their tensors.

The constants come from the benchmarks; a test holds the declared memory against a measured one.
Snakemake asks while it reads the workflow, so nothing heavy is imported here.
"""

ROOM_MB = 500
"""For sums of a group's parts, whatever the number of pairs: what does not fit waits in a file."""

SUMS_BYTES = 152
"""Of one part and pair: 12 counts, 5 measures and 2 norms."""

LIBRARIES_MB = 230
"""Interpreter, libraries and what is little beside the rest: the same for groups of any size."""

TENSORS = 3000
"""Of a model, at most: Stable Diffusion XL has 2,500."""
