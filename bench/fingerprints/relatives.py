"""Make families of models up: bases, fine-tunes, merges and copies, as many small blocks."""

import numpy as np
from numpy.typing import NDArray

BLOCKS = [f"{part}{number:02d}" for part in ("IN", "OUT") for number in range(12)] + ["MID"]
SIDE = 32
ELEMENTS = len(BLOCKS) * SIDE * SIDE
FAMILIES = 8
COPIES = 0.05
MERGES = 0.3


def relatives(count: int) -> NDArray[np.float32]:
    """
    Return the weights of so many models, one of them a row: float32 (count, ELEMENTS).

    Fine-tunes differ from their parents by little or much, and some by a low rank in each block;
    merges are weighted means of two of a family.
    """
    generator = np.random.default_rng(0)
    made = np.empty((count, ELEMENTS), np.float32)
    for model in range(count):
        if model < FAMILIES:
            made[model] = generator.normal(0, 0.05, ELEMENTS)
            continue
        kin = np.arange(model % FAMILIES, model, FAMILIES)
        draw = generator.random()
        if draw < COPIES:
            made[model] = made[generator.choice(kin)]
        elif draw < COPIES + MERGES and len(kin) > 1:
            one, other = generator.choice(kin, 2, replace=False)
            share = np.float32(generator.uniform(0.2, 0.8))
            made[model] = share * made[one] + (1 - share) * made[other]
        else:
            step = 0.05 * generator.lognormal(-2.5, 0.8)
            made[model] = made[generator.choice(kin)] + step * _change(generator)
    return made


def _change(generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a change of size 1 per element: of all elements, or of rank 4 in each block."""
    if generator.random() < 0.5:
        return generator.standard_normal(ELEMENTS)
    low = generator.standard_normal((2, len(BLOCKS), SIDE, 4)) / 2
    changes: NDArray[np.float64] = 2 * np.einsum("bir,bjr->bij", *low).reshape(-1)
    return changes
