"""The formulas that web UIs' mergers share, by whatever name they call them."""

from collections.abc import Callable, Mapping

from atlas.claims.block_lists import by_label, value_of
from atlas.claims.claim import Held, Parent
from atlas.claims.sums import Part, Sum, Unclear, merged_parts, weighted

Models = tuple[Sum, Sum, Sum]
"""A, B and C; the empty sum where there is none."""

Formula = Callable[[Models, float, float], Sum]

FORMULAS: Mapping[str, Formula] = {
    "weightedsum": lambda m, a, b: weighted((1 - a, m[0]), (a, m[1])),
    "adddifference": lambda m, a, b: weighted((1, m[0]), (a, m[1]), (-a, m[2])),
    "triplesum": lambda m, a, b: weighted((1 - a - b, m[0]), (a, m[1]), (b, m[2])),
    "sumtwice": lambda m, a, b: weighted(((1 - a) * (1 - b), m[0]), (a * (1 - b), m[1]), (b, m[2])),
    "nointerpolation": lambda m, a, b: m[0],
}
"""By name without spaces: what becomes of A, B and C with alpha and beta."""
SYNONYMS = {"weightsum": "weightedsum", "sum": "weightedsum", "adddiff": "adddifference"}
USES_C = ("adddifference", "triplesum", "sumtwice")
USES_BETA = ("triplesum", "sumtwice")
LONGEST_MODE = 60


def formula_name(told: str) -> str:
    """
    Return the name under which FORMULAS may have a mode.

    >>> formula_name("Weight sum"), formula_name("sum Twice"), formula_name("weighted_sum")
    ('weightedsum', 'sumtwice', 'weightedsum')
    """
    plain = "".join(each for each in told.casefold()[:LONGEST_MODE] if each.isalnum())
    return SYNONYMS.get(plain, plain)


def sum_of(
    mode: str, models: tuple[Parent | None, ...], alpha: float | None, beta: float | None
) -> Sum | Unclear:
    """Return what a merge with the same weights everywhere makes of A, B and C."""
    name = formula_name(mode)
    known = tuple(model for model in models if model is not None)
    if name not in FORMULAS:
        return Unclear(f"{mode or 'no mode'}: no sum of weights", known)
    a = 0.0 if name == "nointerpolation" else alpha
    b = beta if name in USES_BETA else 0.0
    wanted = 3 if name in USES_C else 1 if name == "nointerpolation" else 2
    if a is None or b is None or None in models[:wanted]:
        return Unclear(f"{mode}: a model or a weight of it is not told", known)
    sums: list[Sum] = [{model: 1.0} if model else {} for model in models]
    return FORMULAS[name]((sums[0], sums[1], sums[2]), a, b)


def by_block(
    mode: str,
    models: tuple[Parent | None, ...],
    alphas: Mapping[str, float],
    betas: Mapping[str, float],
    held: Held,
) -> dict[Part, Sum | Unclear]:
    """Return what a merge with weights by label of block makes of each part of a model."""
    known = held if held.blocks else labelled(alphas)
    return {
        (component, block): sum_of(
            mode,
            models,
            value_of(component, block, known, alphas),
            value_of(component, block, known, betas),
        )
        for component, block in merged_parts(known)
    }


def labelled(labels: Mapping[str, float]) -> Held:
    """Return the parts of a model of which no more is known than the labels of its blocks."""
    blocks = {
        "MID" if label == "M00" else label for label in labels if label[:2] in ("IN", "OU", "M0")
    }
    return Held.of({"unet": blocks or {"*"}, "text_encoder": {"*"}, "vae": {"*"}})


def labels_of(weights: list[float] | None, base: float | None) -> Mapping[str, float]:
    """Return a list's weights by label; {} where it is none that is known."""
    return (by_label(weights, base) if weights else None) or {}
