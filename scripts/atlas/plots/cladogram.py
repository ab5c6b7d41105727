"""A tree without its branches' lengths, for those whose branches are mostly too short to see."""

from collections.abc import Mapping, Sequence

from matplotlib.collections import LineCollection

from atlas.plots.layout import Page
from atlas.plots.marks import add_line, add_marker
from atlas.plots.style import FAINT, INK, SMALL, text_width
from atlas.relations.trees import Tree

HEADING = "The same without lengths"
SHORT = 0.01
"""A branch below this share of the longest path can hardly be seen."""
WIDEST = 4.6
STEP = 0.3
"""Inches between two levels, where there is room for it."""


def is_crowded(tree: Tree, deepest: float) -> bool:
    """Tell whether most branches, the root's own aside, are too short to be seen."""
    lengths = [
        tree.length[node] for node in tree.postorder() if node not in (tree.root, *_still(tree))
    ]
    return sum(abs(length) < SHORT * deepest for length in lengths) > len(lengths) / 2


def _still(tree: Tree) -> tuple[int, ...]:
    """Return the tip that is the root itself, on a branch of 0."""
    return tuple(
        node for node in tree.children[tree.root] if node < tree.tips and tree.length[node] == 0
    )


def levels_of(tree: Tree) -> dict[int, int]:
    """Return how many branches lie between each node and the farthest tip below it."""
    level: dict[int, int] = {}
    for node in tree.postorder():
        level[node] = max((level[child] + 1 for child in tree.children[node]), default=0)
    return level


def cladogram_width(tree: Tree) -> float:
    """Return the inches that the tree takes, at least those of its heading."""
    wanted = min(STEP * levels_of(tree)[tree.root], WIDEST)
    return max(wanted, text_width(HEADING, SMALL, "bold"))


def draw_cladogram(
    page: Page,
    tree: Tree,
    row: Mapping[int, float],
    members: Sequence[int],
    colours: Sequence[str],
    *,
    x: float,
    step: float,
) -> None:
    """
    Draw the tree with its tips at the left, one below another, and its root at the right.

    Parameters
    ----------
    row
        Node to its row, from the top.
    members
        Of how many models each tip is.
    colours
        Of each tip.
    x
        Inches from the body's left edge to the tips.
    step
        Inches of a row.
    """
    levels = levels_of(tree)
    unit = cladogram_width(tree) / levels[tree.root]
    across = {node: page.left + x + level * unit for node, level in levels.items()}
    down = {node: page.top + place * step for node, place in row.items()}
    lines = []
    for node in tree.postorder():
        children = tree.children[node]
        lines += [[(across[c], down[c]), (across[node], down[c])] for c in children]
        if children:
            ends = [down[child] for child in children]
            lines.append([(across[node], min(ends)), (across[node], max(ends))])
    page.canvas.add_collection(
        LineCollection(lines, colors=INK, linewidths=1.0, capstyle="projecting")
    )
    for tip in range(tree.tips):
        y = down[tip]
        if members[tip] > 1:
            half = (members[tip] - 1) / 2 * step + 0.04
            add_line(page.canvas, [across[tip]] * 2, [y - half, y + half], color=INK, lw=1.4)
        size = tip_points(step)
        add_marker(
            page.canvas, across[tip], y, "o", ms=size, mfc=colours[tip], mec="none", zorder=3
        )


def tip_points(step: float) -> float:
    """Return the width in points of a tip's dot, in rows of so many inches."""
    return min(4.5, 65 * step)


def draw_guide(page: Page, start: float, end: float, y: float) -> None:
    """Draw the dotted line of a row, in inches from the body's top left corner."""
    look = {"color": FAINT, "lw": 0.7, "linestyle": (0, (1, 2))}
    add_line(page.canvas, [page.left + start, page.left + end], [page.top + y] * 2, **look)
