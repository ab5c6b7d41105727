"""
Find the recipes of 200 made-up merge trees among 10, 50 and 200 candidates.

With `--draw PICTURE`, draw precision, recall, errors and what was falsely called recovered.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from atlas.recipes.fit import WIDE_ROUNDINGS, fit_blocks
from bench.common.lines import Line, seconds
from bench.recipes.made_trees import DTYPES, SIZES, Tree, tree
from bench.recipes.scores import Found, Score, add, explained

CANDIDATES = (10, 50, 200)
TREES = 200
Scores = Mapping[tuple[int, str], Score]
"""By the number of candidates and the target's dtype."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make trees up, find their recipes, and count what is right."""
    start = time.perf_counter()
    scores = scored(20 if quick else TREES)
    for count in CANDIDATES:
        yield from _lines(f"{count} candidates", _sum(scores, count))
    for dtype in DTYPES:
        yield from _lines(f"{dtype}, 200 candidates", scores[200, dtype])
    yield Line("time of making and finding", "", seconds(time.perf_counter() - start))


def _lines(what: str, score: Score) -> Iterator[Line]:
    yield Line(f"{what}: parts", "", f"{score.parts:,}, {score.sums:,} of them sums")
    yield Line(
        f"{what}: recovered of the sums",
        f"{score.sums:,}",
        f"{score.recovered:,} (hidden: {score.hidden:,}, undetermined: {score.undetermined:,})",
        score.recovered / max(score.sums, 1),
    )
    yield Line(
        f"{what}: parents, precision", f"{score.named:,}", f"{score.precision:.2%}", score.precision
    )
    yield Line(f"{what}: parents, recall", f"{score.wanted:,}", f"{score.recall:.2%}", score.recall)
    yield Line(
        f"{what}: what recovered parts are of in effect, precision and recall",
        f"{score.wanted_in_effect:,}",
        f"{score.precision_in_effect:.2%}, {score.recall_in_effect:.2%}",
        score.recall_in_effect,
    )
    yield Line(f"{what}: errors by told standard errors", "1", f"{score.surprise:.2g}")
    yield Line(
        f"{what}: right in effect",
        f"{score.recovered:,}",
        f"{score.effective:,}",
        score.effective / max(score.recovered, 1),
    )
    yield Line(
        f"{what}: error of weights",
        "",
        ", ".join(
            f"{name} {score.error(at):.2g}"
            for name, at in (("median", 0.5), ("99 %", 0.99), ("largest", 1))
        ),
        score.error(0.99),
        "≤ 0.02",
    )
    yield Line(
        f"{what}: falsely recovered",
        f"{score.others:,}",
        f"{score.false:,} (a missing parent spread: {score.spread:,})",
        score.share_false,
        "≤ 0.01",
    )


def scored(trees: int, candidates: Sequence[int] = CANDIDATES) -> Scores:
    """Find the recipes of so many trees, and hold them against the truth."""
    scores = {(count, dtype): Score() for count in candidates for dtype in DTYPES}
    for seed in range(trees):
        made = tree(seed, max(candidates))
        for count in candidates:
            names = made.models.names[1 : count + 1]
            sums = explained(made, names)
            add(scores[count, made.dtype], made, found(made, names), sums)
    return scores


def found(made: Tree, candidates: Sequence[str]) -> dict[str, Found]:
    """
    Find the recipe of a tree's target among candidates, a family of casts being one.

    Squares are added up to blocks in terms of what rounding leaves of an element of each tensor.
    """
    families = [each for each in candidates if each not in made.alike]
    models = made.models.chosen([made.target, *families])
    blocks = made.blocks
    of = np.array([blocks.index(block) for block in models.blocks])
    sizes = np.array([SIZES[tensor.split(".")[1]] for tensor in models.tensors])
    trust = sizes / np.square(models.roundings)
    squares = np.zeros((len(blocks), *models.squares.shape[1:]))
    np.add.at(squares, of, trust[:, None, None] * models.squares)
    elements = np.bincount(of, sizes)
    floors = np.sqrt(elements)
    roundings = WIDE_ROUNDINGS if made.dtype == "f32" else 1.0
    fits = fit_blocks(squares, elements=elements, floors=floors, roundings=roundings)
    said = {}
    for block, fit in zip(blocks, fits, strict=True):
        names = [models.names[place] for place in fit.parents]
        weights = dict(zip(names, fit.weights or (), strict=False))
        errors = dict(zip(names, fit.errors or (), strict=False))
        said[block] = Found(fit.verdict, weights, errors)
    return said


def _sum(scores: Scores, count: int) -> Score:
    total = Score()
    for dtype in DTYPES:
        for name, value in vars(scores[count, dtype]).items():
            setattr(total, name, getattr(total, name) + value)
    return total


COLOURS = {"f32": "#0072b2", "f16": "#d55e00", "bf16": "#009e73"}
"""Of Okabe and Ito: told apart by all."""
MARKS = {"f32": "o", "f16": "s", "bf16": "^"}


def draw(scores: Scores, trees: int, picture: Path) -> None:
    """Draw what was found against the number of candidates."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(10, 3.1), layout="constrained")
    panels = {
        "precision of parents, %": lambda score: 100 * score.precision,
        "recall of parents, %": lambda score: 100 * score.recall,
        "error of weights, 99 % below": lambda score: score.error(0.99),
        "falsely recovered, %": lambda score: 100 * score.share_false,
    }
    for panel, (title, value) in zip(axes, panels.items(), strict=True):
        for dtype, colour in COLOURS.items():
            heights = [value(scores[count, dtype]) for count in CANDIDATES]
            panel.plot(
                CANDIDATES, heights, color=colour, marker=MARKS[dtype], markersize=5, label=dtype
            )
        panel.set(xscale="log", xticks=CANDIDATES, xlabel="candidates")
        panel.set_xticks(CANDIDATES, [str(count) for count in CANDIDATES])
        panel.minorticks_off()
        panel.set_title(title, fontsize=9, loc="left")
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", linewidth=0.4, alpha=0.5)
    for panel in axes[:2]:
        panel.set_ylim(0, 103)
    axes[2].set_yscale("log")
    axes[3].set_ylim(0, max(2.0, 1.1 * axes[3].get_ylim()[1]))
    axes[3].axhline(1, color="#555555", linewidth=0.8, linestyle=":")
    axes[0].legend(frameon=False, fontsize=8, loc="lower left", title="target's dtype")
    sums = sum(scores[CANDIDATES[-1], dtype].sums for dtype in DTYPES)
    figure.suptitle(
        f"{trees} merge trees of 2 to 5 parents, {sums:,} blocks that are sums of candidates"
    )
    figure.savefig(picture, dpi=150)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", type=Path, required=True, help="the picture to write")
    parser.add_argument("--trees", type=int, default=TREES)
    given = parser.parse_args()
    draw(scored(given.trees), given.trees, given.draw)


if __name__ == "__main__":
    main()
