"""Family tree: neighbour joining on squared distances, rooted at the base."""

from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from atlas.plots import cladogram, style
from atlas.plots.context import Context
from atlas.plots.layout import (
    LARGEST,
    ROW,
    Page,
    draw_entry,
    entry_width,
    number_width,
    open_page,
    thinned,
)
from atlas.plots.marks import Mark, add_line, add_marker
from atlas.plots.nodes import Nodes, nodes_of
from atlas.plots.order import leaves_of
from atlas.plots.style import ACCENT, INK, SMALL, SOFT
from atlas.plots.ticks import round_below
from atlas.plots.words import component_title, counted, measure_of, significant
from atlas.relations.matrices import Matrix
from atlas.relations.trees import Tree, neighbour_joining, newick, rooted_at_midpoint, rooted_at_tip

HEAD = 0.26
"""Inches above two trees side by side, for what each of them is."""
NEGATIVE = 0.01
"""A branch below minus this share of the longest one is marked as negative."""


@dataclass(frozen=True, eq=False)
class Family:
    """The tree of a matrix's nodes."""

    nodes: Nodes
    tree: Tree
    base: int | None
    """The node that holds the declared base and is the root; None if rooted at the midpoint."""


def family_of(matrix: Matrix) -> Family | None:
    """
    Join the neighbours of a matrix; None where fewer than two distinct models compare.

    Squared L2 adds along a path of independent training steps, so trees are built on squared
    distances (on plain ones for measures that count, which add by themselves).
    """
    nodes = nodes_of(matrix)
    size = len(nodes.members)
    if size < 2:
        return None
    edges = neighbour_joining(nodes.distances ** measure_of(matrix).adds_up)
    base = nodes.node_of(matrix.index(matrix.base)) if matrix.base is not None else None
    tree = rooted_at_midpoint(edges, size) if base is None else rooted_at_tip(edges, size, base)
    return Family(nodes, tree, base)


def beside(matrix: Matrix) -> dict[str, str]:
    """Return the tree in Newick form, to be written beside the picture."""
    return {".nwk": newick_of(matrix) + "\n"}


def newick_of(matrix: Matrix) -> str:
    """Return the matrix's tree in Newick form, its leaves named by the models' ids."""
    family = family_of(matrix)
    if family is None:
        rows = nodes_of(matrix).members[:1]
        names = [[matrix.ids[row] for row in rows[0]]] if rows else []
        return newick(Tree(1, 0, ((),), (0.0,)), names) if names else ";"
    names = [[matrix.ids[row] for row in rows] for rows in family.nodes.members]
    return newick(family.tree, names)


def draw(matrix: Matrix) -> Figure:
    """Draw the tree."""
    with style.applied():
        context = Context.of(matrix)
        family = family_of(matrix)
        if family is None:
            return context.no_distances_page("tree")
        return _draw(context, family)


@dataclass(frozen=True)
class Places:
    """Where a tree's nodes stand: depth in the units of the branches, row from the top."""

    depth: dict[int, float]
    row: dict[int, float]
    tips: tuple[int, ...]
    """Tips from top to bottom."""


def places_of(matrix: Matrix, family: Family) -> Places:
    """Lay the tree out, its children turned so that the tips follow the heatmap's order."""
    tree, members = family.tree, family.nodes.members
    rank = {row: place for place, row in enumerate(leaves_of(matrix).order)}
    mean: dict[int, tuple[float, int]] = {}
    for node in tree.postorder():
        if node < tree.tips:
            mean[node] = (float(np.mean([rank[row] for row in members[node]])), 1)
        else:
            parts = [mean[child] for child in tree.children[node]]
            count = sum(number for _, number in parts)
            mean[node] = (sum(value * number for value, number in parts) / count, count)
    order, depth, stack = [], {tree.root: 0.0}, [tree.root]
    while stack:
        node = stack.pop()
        if node < tree.tips:
            order.append(node)
        below = sorted(
            tree.children[node], key=lambda child: (child != family.base, mean[child][0])
        )
        for child in below:
            depth[child] = depth[node] + max(tree.length[child], 0.0)
        stack.extend(below[::-1])
    return Places(depth, _rows(family, order), tuple(order))


def _rows(family: Family, order: list[int]) -> dict[int, float]:
    """Give each tip the middle of its models' rows, and inner nodes the middle of theirs."""
    row: dict[int, float] = {}
    used = 0
    for tip in order:
        row[tip] = used + len(family.nodes.members[tip]) / 2
        used += len(family.nodes.members[tip])
    for node in family.tree.postorder():
        children = family.tree.children[node]
        if children:
            row[node] = (min(row[c] for c in children) + max(row[c] for c in children)) / 2
    return row


def _draw(context: Context, family: Family) -> Figure:
    places = places_of(context.matrix, family)
    entries = {row: context.entry(row) for rows in family.nodes.members for row in rows}
    count = len(entries)
    width = 4.6 if count <= 60 else 6.5
    step = min(max(ROW, min(0.3, 4.5 / count)), LARGEST / count)
    height = step * count
    numbers = number_width(list(entries.values()))
    left = width + 0.25
    deepest = max(places.depth.values()) or 1.0
    beyond = left + entry_width(list(entries.values()), numbers) + 0.15
    is_crowded = cladogram.is_crowded(family.tree, deepest)
    across = cladogram.cladogram_width(family.tree) + 0.05 if is_crowded else 0.0
    head = HEAD if is_crowded else 0.0
    page = open_page(
        title=_title(context, family),
        subtitle=context.subtitle(_method(context, family)),
        width=beyond + across,
        height=head + height + 0.55,
        legend=context.legend(*_marks(context, family)),
        notes=[
            *_negative_note(family),
            *context.left_out_note(family.nodes.left_out, "for want of distances to the others"),
            *context.notes(family.nodes.shown()),
            *context.thinned_note(step),
        ],
    )
    page.top += head
    scale, named = width / deepest, thinned(step)
    _draw_branches(page, family, places, scale, step)
    used = 0
    for tip in places.tips:
        _draw_tip(page, context, family, tip, places, scale, step, left)
        for row in family.nodes.members[tip]:
            y = (used + 0.5) * step
            if used % named == 0:
                draw_entry(page, left, y, entries[row], numbers)
            if is_crowded and used % named == 0:
                end = left + entry_width([entries[row]], numbers) + 0.06
                cladogram.draw_guide(page, end, beyond - 0.06, y)
            used += 1
    for node in _negative(family):
        x, y = page.left + places.depth[node] * scale, page.top + places.row[node] * step
        add_marker(page.canvas, x, y, "D", ms=4.5, mfc="white", mec=ACCENT, mew=1.2, zorder=4)
    _draw_bar(page, context, deepest, scale, height + 0.28)
    if is_crowded:
        page.write(0.0, -0.16, "Branches to scale", weight="bold")
        page.write(beyond, -0.16, cladogram.HEADING, weight="bold")
        members = family.nodes.members
        colours = [context.colours.models[rows[0]] for rows in members]
        sizes = [len(rows) for rows in members]
        cladogram.draw_cladogram(page, family.tree, places.row, sizes, colours, x=beyond, step=step)
    return page.figure


def _title(context: Context, family: Family) -> str:
    drawn = sum(map(len, family.nodes.members))
    distinct = len(family.nodes.members)
    text = f"{component_title(context.matrix)}: family tree of {counted(drawn, 'model')}"
    if distinct < drawn:
        text += f", {distinct} of them distinct"
    return text


def _method(context: Context, family: Family) -> str:
    matrix = context.matrix
    power = "squared distances" if measure_of(matrix).adds_up == 2 else "distances"
    if family.base is not None:
        root = f"rooted at the base, {matrix.labels[matrix.index(matrix.base or '')]}"
    elif matrix.base is not None:
        root = "rooted at the midpoint, as the base has no distances to the others"
    else:
        root = "rooted at the midpoint, as no base is declared"
    return f"neighbour joining on {power}, {root}"


def _negative(family: Family) -> list[int]:
    """Return the nodes whose branch came out clearly negative."""
    longest = max(family.tree.length)
    return [node for node, length in enumerate(family.tree.length) if length < -NEGATIVE * longest]


def _marks(context: Context, family: Family) -> list[Mark]:
    marks = []
    if any(len(rows) > 1 for rows in family.nodes.members):
        marks.append(Mark(f"a tip of several models {context.sameness()}", INK, "line"))
    if _negative(family):
        marks.append(Mark("negative branch, drawn as 0", ACCENT, "diamond"))
    return marks


def _negative_note(family: Family) -> list[str]:
    number = len(_negative(family))
    if not number:
        return []
    told = (
        "1 branch came out negative and is drawn as 0: its models lie between their neighbours, as"
        if number == 1
        else f"{number} branches came out negative and are drawn as 0: their models lie between"
        " their neighbours, as"
    )
    return [f"{told} merges do. The Newick file keeps the lengths."]


def _draw_branches(page: Page, family: Family, places: Places, scale: float, step: float) -> None:
    tree = family.tree
    lines = []
    for node in tree.postorder():
        for child in tree.children[node]:
            x, y = places.depth[node] * scale, places.row[child] * step
            lines.append([(x, y), (places.depth[child] * scale, y)])
        rows = [places.row[child] * step for child in tree.children[node]]
        if rows:
            x = places.depth[node] * scale
            lines.append([(x, min(rows)), (x, max(rows))])
    shifted = [[(page.left + x, page.top + y) for x, y in line] for line in lines]
    page.canvas.add_collection(
        LineCollection(shifted, colors=INK, linewidths=1.0, capstyle="projecting")
    )


def _draw_tip(
    page: Page,
    context: Context,
    family: Family,
    tip: int,
    places: Places,
    scale: float,
    step: float,
    left: float,
) -> None:
    rows = family.nodes.members[tip]
    x, y = page.left + places.depth[tip] * scale, page.top + places.row[tip] * step
    end = page.left + left - 0.1
    cladogram.draw_guide(page, x + 0.06 - page.left, end - page.left, y - page.top)
    if len(rows) > 1:
        half = (len(rows) - 1) / 2 * step
        add_line(page.canvas, [end, end], [y - half - 0.04, y + half + 0.04], color=INK, lw=1.4)
    colour = context.colours.models[rows[0]]
    size = cladogram.tip_points(step)
    add_marker(page.canvas, x, y, "o", ms=size, mfc=colour, mec="none", zorder=3)


def _draw_bar(page: Page, context: Context, deepest: float, scale: float, y: float) -> None:
    """Draw a bar of a round distance's contribution to the branches."""
    power = measure_of(context.matrix).adds_up
    distance = round_below((deepest * 0.4) ** (1 / power))
    length = distance**power * scale
    measure = measure_of(context.matrix).title
    add_line(
        page.canvas,
        [page.left, page.left + length],
        [page.top + y] * 2,
        color=INK,
        lw=1.6,
        solid_capstyle="butt",
    )
    text = f"{measure} of {significant(distance)}"
    if power == 2:
        text = f"{measure} of {significant(distance)}, squared: {significant(distance**2)}"
    page.write(length + 0.1, y, text, color=SOFT, fontsize=SMALL)
