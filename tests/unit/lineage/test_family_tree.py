"""What holds of pictures of lineages."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from atlas.lineage import family_tree
from atlas.lineage.graph import Edge, Lineage, Node, sorted_edges
from atlas.lineage.layers import CROWD, layout
from atlas.plots import style


def edge(parent, child, kind="fine-tune", direction="decided", components=("unet",), **more):
    return Edge(parent, child, kind, components, direction=direction, **more)


def lineage(edges, labels=None):
    names = sorted({one for each in edges for one in (each.parent, each.child)})
    nodes = tuple(Node(name, (labels or {}).get(name, name), name.startswith("missing"))
                  for name in names)  # fmt: skip
    return Lineage("g", nodes, sorted_edges(edges))


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def placed(made):
    return layout(made, made.edges, {})


def test_parents_stand_above_their_children():
    found = placed(lineage([edge("a", "b"), edge("b", "c"), edge("a", "c", "merge")]))
    top = {box.models[0]: y for box, (_, y) in zip(found.boxes, found.centres, strict=True)}
    assert top["a"] < top["b"] < top["c"]


def test_boxes_do_not_overlap():
    rng = np.random.default_rng(3)
    edges = [edge(f"m{rng.integers(0, child):02}", f"m{child:02}") for child in range(1, 60)]
    found = placed(lineage(edges))
    sizes = np.array([box.size for box in found.boxes])
    apart = np.abs(found.centres[:, None] - found.centres[None]) - (sizes[:, None] + sizes) / 2
    touching = (apart < -1e-3).all(axis=2)
    np.fill_diagonal(touching, False)
    assert not touching.any()


def test_models_of_the_same_weights_share_a_box():
    made = lineage([edge("a", "copy", "copy"), edge("a", "b"), edge("copy", "c")])
    found = placed(made)
    assert ("a", "copy") in {box.models for box in found.boxes}
    assert "= copy" in texts(family_tree.draw(made))


def test_many_leaves_stand_in_one_box():
    found = placed(lineage([edge("a", f"t{number}") for number in range(CROWD + 1)]))
    assert len(found.boxes) == 2
    assert len(found.ways) == 1


def test_undecided_edges_have_no_arrow():
    found = placed(lineage([edge("a", "b"), edge("b", "c", direction="undecided")]))
    assert sorted((way.is_decided, way.tip is not None) for way in found.ways) == [
        (False, False), (True, True),
    ]  # fmt: skip


def test_merges_bear_their_weights_and_missing_parents_say_so():
    weights = (("unet", (("*", 0.25),)),)
    made = lineage([
        edge("a", "m", "merge", weight=0.25, weights=weights), edge("missing: b", "m", "merge"),
    ])  # fmt: skip
    drawn = texts(family_tree.draw(made))
    assert "0.25" in drawn
    assert "missing" in drawn


def test_hostile_labels_are_shown_and_never_obeyed(tmp_path):
    hostile = {"a": '</text><script>alert("x")</script> $x$', "b": 'n0 [label="x"]; <b>\\N'}
    svg, _ = style.save(family_tree.draw(lineage([edge("a", "b")], hostile)), tmp_path / "tree")
    text = svg.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;/text&gt;" in text


def test_equal_lineages_give_equal_bytes(tmp_path):
    edges = [edge("a", "b"), edge("a", "c", "merge"), edge("b", "c", "merge")]
    files = [
        [file.read_bytes() for file in style.save(family_tree.draw(lineage(order)), tmp_path / "x")]
        for order in (edges, edges[::-1])
    ]
    assert files[0] == files[1]


def test_components_whose_tree_is_the_whole_have_no_picture():
    assert family_tree.components_that_differ(lineage([edge("a", "b")])) == []
    two = lineage([edge("a", "b"), edge("a", "c", components=("vae",))])
    assert family_tree.components_that_differ(two) == ["unet", "vae"]


@pytest.mark.parametrize("component", [None, "vae"])
def test_nothing_to_draw_is_said(component):
    empty = Lineage("g", (Node("a", "a"),), (), findings=("nothing is known",))
    assert any("Nothing is known" in text for text in texts(family_tree.draw(empty, component)))


def test_the_bold_name_of_the_base_fits_its_box():
    name = "0.4.1 as shipped"
    figure = family_tree.draw(lineage([edge("a", "b")], {"a": name}), base="a")
    (axes,) = figure.axes
    (text,) = (each for each in axes.texts if each.get_text() == name)
    assert text.get_weight() == "bold"
    drawn = text.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    boxes = [patch.get_window_extent() for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    assert any(box.x0 < drawn.x0 and drawn.x1 < box.x1 for box in boxes)
