"""
Make merge trees up: a target of known parents among candidates, with the distances of all.

Weights are made of what real ones are made of: blocks of matrices with loud rows, of norms far
from 0 and of small biases; fine-tunes that move each tensor by a share of its norm, in a direction
of their own or of low rank; and all of it rounded to the dtype in which it is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]

SHAPES = {"weight": (40, 40), "proj": (32, 48), "norm": (24,), "bias": (48,)}
"""Of the tensors of a block."""
SIZES = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}
BLOCK = sum(SIZES.values())
"""Elements of a block."""
DTYPES = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
KEPT_BITS = {"f32": (23, -126), "f16": (10, -14), "bf16": (7, -126)}
"""Bits of the mantissa that are kept, and the lowest exponent of a normal number."""
TUNED = (0.002, 0.05)
"""By what share of their norm fine-tunes move."""
LOW_RANK = 4
CORRELATED = 0.3
MEASURED = 5e-7
"""Relative error of a measured square, times the root of its elements: 1.3e-8 of 1,600."""
DECOYS = 50

Shares = dict[str, float]
"""Parent to weight."""


@dataclass(frozen=True)
class Tree:
    """A target, what it was made of, and candidates: the known parents first, then decoys."""

    target: str
    dtype: str
    kind: str
    """`convex`, `by block` or `difference`."""
    tuned: bool
    """The target was trained on after it had been merged."""
    truth: Mapping[str, Shares]
    """For each block the parents with a weight other than 0."""
    missing: frozenset[str]
    """Parents that are no candidates."""
    alike: Mapping[str, str]
    """Casts among the candidates, with what they are casts of."""
    merges: Mapping[str, Shares]
    """Candidates that are merges of others, with their parents: these come first."""
    models: "Models"

    @property
    def blocks(self) -> list[str]:
        """In order."""
        return list(self.truth)

    def is_sum(self, block: str) -> bool:
        """Tell whether the candidates' weighted sum gives this block of the target."""
        return not self.tuned and not self.missing & set(self.truth[block])


@dataclass(frozen=True)
class Models:
    """A target and others, with the squared distances of their tensors."""

    names: tuple[str, ...]
    """The target is the first."""
    dtypes: tuple[str, ...]
    tensors: tuple[str, ...]
    """`block.tensor`, in order of the blocks."""
    blocks: tuple[str, ...]
    """Of each tensor."""
    weights: NDArray[np.float32]
    """A row per model: float32 (models, elements)."""
    squares: NDArray[np.float64]
    """Squared L2 distances: float64 (tensors, models, models)."""
    roundings: NDArray[np.float64]
    """L2 that rounding to its own dtype leaves of the target: float64 (tensors,)."""

    def chosen(self, names: Sequence[str]) -> "Models":
        """Return some of the models."""
        at = [self.names.index(name) for name in names]
        return Models(
            names=tuple(names),
            dtypes=tuple(self.dtypes[each] for each in at),
            tensors=self.tensors,
            blocks=self.blocks,
            weights=self.weights[at],
            squares=self.squares[:, at][:, :, at],
            roundings=self.roundings,
        )


def rounded(values: Weights, dtype: str) -> NDArray[np.float32]:
    """Return values as a checkpoint of this dtype keeps them, in float32."""
    kept: NDArray[np.float32] = values.astype(np.float32).astype(DTYPES[dtype]).astype(np.float32)
    return kept


def rounding(values: NDArray[np.float32], dtype: str) -> NDArray[np.float64]:
    """Return the mean square that rounding to this dtype leaves of each element: ulp² / 12."""
    bits, lowest = KEPT_BITS[dtype]
    _, exponents = np.frexp(np.abs(values))
    ulp = np.ldexp(1.0, np.maximum(exponents - 1, lowest) - bits)
    return np.square(ulp) / 12


def tree(seed: int, candidates: int = 200) -> Tree:
    """
    Return one random tree.

    Its candidates are, in this order: the parents that are not missing, a cast of one and children
    of two of them, their base, and then, mixed, models that are correlated with a parent's change,
    fine-tunes, also of other candidates, and merges. So the first 10 or 50 of them are a smaller
    search for the same parents.
    """
    generator = np.random.default_rng([seed, 16])
    made = _Maker(generator)
    count = int(generator.integers(2, 6))
    kind = str(generator.choice(["convex", "convex", "by block", "difference"]))
    if kind == "difference":
        count = max(count, 3)
    missing = int(generator.choice([0, 0, 0, 1, 2, 3]))
    parents = [made.tune(f"parent{number}") for number in range(count)]
    if generator.random() < 0.4:  # a merge of two of them is a parent as well
        parents[-1] = made.merge("child-parent", parents[:2])
    gone = frozenset(parents[:missing]) - {"child-parent"}
    if "child-parent" in parents and gone:  # one of its parents and it would give the other
        gone |= {"parent0", "parent1"}
    dtype = str(generator.choice(list(DTYPES)))
    tuned = bool(generator.random() < 0.15)
    truth = dict(made.recipe(kind, parents))
    weights = made.follow(truth)
    if tuned:
        weights = weights + made.change(weights, generator.uniform(*TUNED), low=False)
    order = made.companions([each for each in parents if each not in gone], parents, candidates)
    made.add("target", weights, dtype)
    return Tree(
        target="target",
        dtype=dtype,
        kind=kind,
        tuned=tuned,
        truth=truth,
        missing=gone,
        alike={each: each.removesuffix("-cast") for each in order if each.endswith("-cast")},
        merges=made.merges,
        models=made.models(["target", *order]),
    )


class _Maker:
    """Makes models, each from those that are there."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._draw = generator
        self.blocks = [f"B{number:02d}" for number in range(generator.integers(12, 26))]
        self.kept: dict[str, NDArray[np.float32]] = {}
        self.dtypes: dict[str, str] = {}
        self.merges: dict[str, Shares] = {}
        self._sizes = np.array(list(SIZES.values()) * len(self.blocks))
        self._starts = np.cumsum(self._sizes) - self._sizes
        self.add("base0", self._initial(), "f32")
        other = self.kept["base0"] + self.change(self.kept["base0"], 0.2, low=False)
        self.add("base1", other, "f16")

    def add(self, name: str, weights: Weights, dtype: str) -> str:
        """Keep a model as it is rounded."""
        self.kept[name], self.dtypes[name] = rounded(weights, dtype), dtype
        return name

    def tune(self, name: str, of: str | None = None) -> str:
        """Make a fine-tune, of one of the bases if not told."""
        base = of or ("base0" if self._draw.random() < 0.7 else "base1")
        low, high = np.log(TUNED)
        size = float(np.exp(self._draw.uniform(low, high)))
        start = self.kept[base].astype(np.float64)
        moved = start + self.change(start, size, low=self._draw.random() < 0.3)
        return self.add(name, moved, self._dtype())

    def merge(self, name: str, parents: Sequence[str]) -> str:
        """Make a convex merge of all blocks alike."""
        shares = _shares(self._draw, len(parents))
        self.merges[name] = dict(zip(parents, shares, strict=True))
        total = sum(w * self.kept[each].astype(float) for each, w in self.merges[name].items())
        return self.add(name, np.asarray(total), self._dtype())

    def decoy(self, name: str, parent: str) -> str:
        """Make a fine-tune whose change is correlated with a parent's."""
        base = self.kept["base0"].astype(np.float64)
        theirs = self.kept[parent].astype(np.float64) - base
        size = np.linalg.norm(theirs) / np.linalg.norm(base)
        own = self.change(base, size, low=False)
        own *= np.linalg.norm(theirs) / np.linalg.norm(own)
        moved = base + CORRELATED * theirs + np.sqrt(1 - CORRELATED**2) * own
        return self.add(name, moved, self._dtype())

    def companions(
        self, known: Sequence[str], parents: Sequence[str], candidates: int
    ) -> list[str]:
        """Make the other candidates, and return the names of all of them."""
        order = list(known)
        if known and self.dtypes[known[0]] == "f32":
            order.append(self.add(f"{known[0]}-cast", self.kept[known[0]].astype(float), "f16"))
        if len(known) > 1:
            order.append(self.merge("child0", known[:2]))
            order.append(self.merge("child1", known[-2:]))
        order.append("base0")
        decoys = DECOYS
        for number in range(candidates - len(order)):
            name = f"other{number:03d}"
            if decoys and (number < 4 or number % 3):
                decoys -= 1
                self.decoy(name, parents[number % len(parents)])
            elif number % 9 == 0 and number > 8:
                neighbours = [each for each in order if each.startswith("other")]
                self.merge(name, list(self._draw.choice(neighbours, 2, replace=False)))
            else:
                self.tune(name, str(self._draw.choice(order)) if number % 2 else None)
            order.append(name)
        return order[:candidates]

    def recipe(self, kind: str, parents: Sequence[str]) -> list[tuple[str, Shares]]:
        """Draw weights, the same for all blocks but of `by block`."""
        whole = self._weights(kind, parents)
        return [
            (block, self._weights(kind, parents) if kind == "by block" else whole)
            for block in self.blocks
        ]

    def follow(self, truth: Mapping[str, Shares]) -> Weights:
        """Return the sum of each block."""
        made = np.empty(len(self.blocks) * BLOCK)
        for number, shares in enumerate(truth.values()):
            part = slice(number * BLOCK, (number + 1) * BLOCK)
            made[part] = sum(w * self.kept[p][part].astype(float) for p, w in shares.items())
        return made

    def change(self, weights: NDArray[np.floating], size: float, *, low: bool) -> Weights:
        """Return a change by this share of each tensor's norm, more of some and less of others."""
        drawn = self._draw.standard_normal(len(weights), dtype=np.float32)
        if low:
            self._lower(drawn)
        parts = np.repeat(np.arange(len(self._starts)), self._sizes)
        squares = [np.add.reduceat(np.square(each), self._starts) for each in (weights, drawn)]
        uneven = self._draw.lognormal(0, 0.4, len(self._starts))
        scales: Weights = size * uneven * np.sqrt(squares[0] / squares[1])
        return drawn * scales[parts]

    def models(self, names: Sequence[str]) -> Models:
        """Measure models."""
        kept = np.stack([self.kept[name] for name in names])
        tensors = [f"{block}.{tensor}" for block in self.blocks for tensor in SHAPES]
        squares = np.empty((len(tensors), len(names), len(names)))
        roundings = np.empty(len(tensors))
        start = 0
        for number, tensor in enumerate(tensors):
            stop = start + SIZES[tensor.split(".")[1]]
            part = kept[:, start:stop]
            squares[number] = self._measured(squared_distances(part), part.shape[1])
            noise = rounding(part[0], self.dtypes[names[0]]).sum()
            roundings[number] = np.sqrt(noise)
            start = stop
        return Models(
            names=tuple(names),
            dtypes=tuple(self.dtypes[name] for name in names),
            tensors=tuple(tensors),
            blocks=tuple(tensor.split(".")[0] for tensor in tensors),
            weights=kept,
            squares=squares,
            roundings=roundings,
        )

    def _measured(self, squares: NDArray[np.float64], elements: int) -> NDArray[np.float64]:
        """Return squares with the errors of measured ones, whose differences are float32."""
        noise = np.triu(self._draw.standard_normal(squares.shape, dtype=np.float32))
        noise *= np.float32(MEASURED / np.sqrt(elements))
        return squares * (1.0 + (noise + noise.T).astype(np.float64))

    def _initial(self) -> Weights:
        """Return a trained network: loud rows, norms that are far from 0, small biases."""
        parts = []
        for _ in self.blocks:
            for name, shape in SHAPES.items():
                scale = {"norm": 0.06, "bias": 0.02}.get(name, 0.04)
                part = scale * self._draw.standard_normal(shape)
                if len(shape) > 1:
                    part *= self._draw.lognormal(0, 0.5, (shape[0], 1))
                parts.append((part + 0.3 * (name == "norm")).reshape(-1))
        return np.concatenate(parts)

    def _lower(self, drawn: NDArray[np.float32]) -> None:
        """Let the matrices of a change be of low rank."""
        for start, shape in zip(
            self._starts, list(SHAPES.values()) * len(self.blocks), strict=True
        ):
            if len(shape) > 1:
                up = self._draw.standard_normal((shape[0], LOW_RANK), dtype=np.float32)
                down = self._draw.standard_normal((LOW_RANK, shape[1]), dtype=np.float32)
                drawn[start : start + up.shape[0] * down.shape[1]] = (up @ down).reshape(-1)

    def _weights(self, kind: str, parents: Sequence[str]) -> Shares:
        if kind != "difference":
            return dict(zip(parents, _shares(self._draw, len(parents)), strict=True))
        shares = {parents[0]: 1.0}
        for plus, minus in zip(parents[1::2], parents[2::2], strict=False):
            scale = round(float(self._draw.uniform(0.3, 1)), 2)
            shares |= {plus: scale, minus: -scale}
        return shares

    def _dtype(self) -> str:
        return str(self._draw.choice(["f32", "f16", "f16", "bf16"], p=[0.3, 0.3, 0.3, 0.1]))


def squared_distances(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """
    Return all squared distances of the rows: float64 (rows, rows).

    They are taken around the first one, the target, so that what is next to it keeps all digits.
    """
    apart = rows.astype(np.float64)
    apart -= apart[0]
    products = apart @ apart.T
    lengths = np.diag(products)
    return np.maximum(lengths[:, None] + lengths - 2 * products, 0)


def _shares(generator: np.random.Generator, count: int) -> list[float]:
    """Draw weights of two digits, none below 0.05, that sum to 1."""
    while True:
        shares = np.round(generator.dirichlet(np.full(count, 2.0)), 2)
        shares[-1] = round(1 - float(shares[:-1].sum()), 2)
        if shares.min() >= 0.05:
            return [float(share) for share in shares]
