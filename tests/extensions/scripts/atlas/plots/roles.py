"""How many tensors of a pair have each role."""

import pyarrow as pa
from matplotlib.figure import Figure

from atlas.plots import style


def draw(pair: pa.Table, blocks: pa.Table, *, a: str, b: str) -> Figure:
    """Draw a bar per role."""
    with style.applied():
        figure = Figure(figsize=(4, 2), layout="constrained")
        axes = figure.add_subplot()
        roles = pair["role"].to_pylist()
        axes.bar(sorted(set(roles)), [roles.count(role) for role in sorted(set(roles))])
        axes.set_title(f"{a} and {b}: {len(blocks)} parts")
        return figure
