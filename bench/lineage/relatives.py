"""Trace made-up groups of models: how many fine-tunes hang on what they were made from."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from atlas.lineage import digests, family_tree
from atlas.lineage.claimed import claimed
from atlas.lineage.graph import TUNE, Lineage
from atlas.lineage.holders import holders
from atlas.lineage.known import Known
from atlas.lineage.making import Making, Part
from atlas.lineage.tracing import trace
from atlas.plots import style
from atlas.recipes.verdicts import Form, Verdict
from atlas.relations.matrices import Matrix
from bench.common.lines import Line, seconds

SIZE = 100_000
BASES = 3
STEP = 0.1
"""Of a tune, at most, relative to the weights; at least three tenths of it."""
TUNES = 0.55
"""Share of models that are tunes; the others are merges of two to four relatives."""
UNET = "unet"


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Trace and draw groups whose making is known, without and with declared bases."""
    for models in (80,) if quick else (80, 232):
        group = _Group(models)
        for share in (0.0, 0.5):
            known = group.known(share)
            start = time.perf_counter()
            lineage = trace(known)
            taken = time.perf_counter() - start
            right, told = group.right(lineage), len(group.tuned)
            # What a relative is that is no parent: the nearest of all.
            nearest = group.nearest_is_parent()
            yield Line(
                f"{models} models, {share:.0%} of bases declared: tunes on their parent",
                f"nearest of all: {nearest} of {told}", f"{right} of {told}",
                right / max(1, nearest), "≥ 1",
            )  # fmt: skip
            yield Line(f"{models} models: tracing", "20 s", seconds(taken), taken / 20, "≤ 1")
        start = time.perf_counter()
        style.save(family_tree.draw(lineage), folder / "lineage")
        yield Line(f"{models} models: drawing", "", seconds(time.perf_counter() - start))


class _Group:
    """Models made step by step from bases that have nothing to do with one another."""

    def __init__(self, models: int) -> None:
        self.generator = np.random.default_rng(1)
        self.names = [f"base-{number}" for number in range(BASES)]
        self.points = [self.generator.standard_normal(SIZE) for _ in self.names]
        self.family = list(range(BASES))
        self.tuned: dict[str, str] = {}
        self.makings: dict[tuple[str, str], Making] = {}
        while len(self.names) < models:
            name = f"model-{len(self.names):03d}"
            (self._tune if self.generator.random() < TUNES else self._merge)(name)
        rows = np.array(self.points)
        gram = rows @ rows.T
        squares = np.diag(gram)[:, None] + np.diag(gram) - 2 * gram
        self.distances = np.sqrt(np.maximum(squares, 0.0))
        np.fill_diagonal(self.distances, 0.0)
        self.norms = np.sqrt(np.diag(gram))

    def _tune(self, name: str) -> None:
        is_late = self.generator.random() < 0.4
        parent = int(self.generator.integers(len(self.names) if is_late else BASES))
        step = STEP * self.generator.uniform(0.3, 1) * self.generator.standard_normal(SIZE)
        self.tuned[name] = self.names[parent]
        self._add(name, self.points[parent] + step, self.family[parent])

    def _merge(self, name: str) -> None:
        family = int(self.generator.integers(BASES))
        relatives = [place for place, own in enumerate(self.family) if own == family]
        if len(relatives) < 2:
            return
        count = min(len(relatives), int(self.generator.integers(2, 5)))
        parents = self.generator.choice(relatives, count, replace=False).tolist()
        weights = self.generator.dirichlet(np.full(count, 3.0))
        point = np.sum([w * self.points[p] for w, p in zip(weights, parents, strict=True)], axis=0)
        heaviest = np.argsort(-weights)
        part = Part(
            Verdict.RECOVERED, Form.CONVEX,
            tuple(self.names[parents[place]] for place in heaviest),
            tuple(weights[heaviest].tolist()),
        )  # fmt: skip
        self.makings[name, UNET] = Making(name, UNET, part, {})
        self._add(name, point, family)

    def _add(self, name: str, point: np.ndarray, family: int) -> None:
        self.names.append(name)
        self.points.append(point)
        self.family.append(family)

    def known(self, declared: float) -> Known:
        """Return what is known, with the bases of a share of the tunes declared."""
        order = np.argsort(self.names)
        names = tuple(self.names[place] for place in order)
        apart = self.distances[np.ix_(order, order)]
        norms = self.norms[order]
        same = np.eye(len(names), dtype=bool)
        l2 = Matrix(names, names, apart, same, UNET)
        relative = Matrix(names, names, apart / np.sqrt(np.outer(norms, norms)), same, UNET)
        drawn = np.random.default_rng(2).random(len(self.tuned)) < declared
        bases = {
            child: parent
            for (child, parent), is_told in zip(self.tuned.items(), drawn, strict=True)
            if is_told
        }
        return Known(
            group="made up",
            labels={name: name for name in names},
            derived=digests.nothing(names),
            holders={UNET: holders(l2, relative, {name: name for name in names})},
            makings=self.makings,
            claimed=claimed(None, names, bases),
            bases=bases,
        )

    def right(self, lineage: Lineage) -> int:
        """Count tunes that hang on what they were made from, directed so or undecided."""
        return sum(
            edge.kind == TUNE and self.tuned.get(edge.child) == edge.parent
            for edge in lineage.edges
        )

    def nearest_is_parent(self) -> int:
        """Count tunes of which the nearest of all others is what they were made from."""
        apart = self.distances + np.diag(np.full(len(self.names), np.inf))
        return sum(
            self.names[int(apart[self.names.index(child)].argmin())] == parent
            for child, parent in self.tuned.items()
        )
