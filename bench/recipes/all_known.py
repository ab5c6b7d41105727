"""
Find the recipes of 90 merges of 15 fine-tunes by five methods, all parents being candidates.

In this setting the merged parents of language models were looked for ("UNMERGE"): arithmetic of
known fine-tunes of one base. All of these are weighted sums, so each number is to be 1, but where
rounding hides a parent: their blocks are few thousand numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.common.lines import Line
from bench.recipes.made_trees import DTYPES, Maker, Tree
from bench.recipes.scores import HIDDEN, Found, Score, add, least
from bench.recipes.trees import found

TUNES = 15
MERGES = 90
METHODS = {
    "weighted sum of 2": ("convex", 2),
    "weighted sum of 3": ("convex", 3),
    "add difference from the base": ("difference", 3),
    "add difference of three": ("difference", 3),
    "by block (MBW)": ("by block", 2),
}
"""Kind and number of parents."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make the merges, find their recipes, and count."""
    scores = scored(20 if quick else MERGES)
    for method, (score, whole) in scores.items():
        yield Line(
            f"{method}: merges with the right parents",
            f"{whole.merges}",
            f"{whole.right} (of {whole.hiding} rounding hides a parent everywhere)",
            whole.right / whole.merges,
            "≥ 1",
        )
        yield Line(f"{method}: blocks recovered", f"{score.sums}", f"{score.recovered}")
        yield Line(f"{method}: precision", "1", f"{score.precision:.4f}", score.precision, "≥ 1")
        yield Line(f"{method}: recall", "1", f"{score.recall:.4f}", score.recall)
        yield Line(f"{method}: largest error of a weight", "", f"{score.error(1):.2g}")


@dataclass
class Whole:
    """Counts of merges, of all of whose blocks taken together."""

    merges: int = 0
    hiding: int = 0
    """Of these with a parent that rounding hides in every block."""
    right: int = 0
    """Of all with no wrong parent, and all that are not hidden."""

    def add(self, tree: Tree, said: Mapping[str, Found]) -> None:
        """Count a merge."""
        named = {each for block in said.values() for each in block.weights}
        parents = {each for block in tree.truth.values() for each in block}
        seen = {each for each in parents if is_seen(tree, each)}
        self.merges += 1
        self.hiding += seen < parents
        self.right += seen <= named <= parents


def is_seen(tree: Tree, parent: str) -> bool:
    """Tell whether the other parents leave more than rounding does in any block."""
    models = tree.models
    for block, truth in tree.truth.items():
        rows = [at for at, each in enumerate(models.blocks) if each == block]
        others = [models.names.index(each) for each in truth if each != parent]
        floor = np.square(models.roundings[rows]).sum()
        if least(models.squares[rows].sum(axis=0), others) > HIDDEN**2 * floor:
            return True
    return False


def scored(merges: int) -> dict[str, tuple[Score, Whole]]:
    """Make so many merges, by each method the same number, and hold their recipes against it."""
    generator = np.random.default_rng(15)
    made = Maker(generator)
    tunes = [made.tune(f"tune{number:02d}", "base0") for number in range(TUNES)]
    scores = {method: (Score(), Whole()) for method in METHODS}
    for number in range(merges):
        method = list(METHODS)[number % len(METHODS)]
        kind, count = METHODS[method]
        parents = [str(each) for each in generator.choice(tunes, count, replace=False)]
        if method == "add difference from the base":
            parents[-1] = "base0"
        truth = dict(made.recipe(kind, parents))
        dtype = list(DTYPES)[number // len(METHODS) % len(DTYPES)]
        made.add("target", made.follow(truth), dtype)
        models = made.models(["target", *tunes, "base0"])
        tree = Tree("target", dtype, kind, False, truth, frozenset(), {}, {}, models)
        said = found(tree, [*tunes, "base0"])
        blocks, whole = scores[method]
        add(blocks, tree, said, dict.fromkeys(truth, True))
        whole.add(tree, said)
    return scores
