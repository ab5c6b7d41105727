"""Adapters and full tunes made up, and what is said of them; and the spectra of three, drawn."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import adapters
from atlas.low_rank import noise, spectra
from atlas.low_rank.ranks import rank_of
from atlas.low_rank.verdicts import Part, Verdict, of_role

SHAPES = ((320, 320), (320, 768), (160, 320), (320, 160), (128, 128), (320, 320))
"""Of the matrices of a pretended model."""
RANKS = (1, 2, 4, 8, 16, 32)
DTYPES = (("f32", "f32"), ("f16", "f16"), ("bf16", "bf16"), ("f32", "f16"), ("f16", "f32"))
PICTURED = (640, 640)


def said_of(number: int, *, is_adapter: bool) -> tuple[Verdict, bool]:
    """Return the verdict on a pretended model, and whether an adapter's rank is right."""
    generator = np.random.default_rng([number, is_adapter])
    dtypes = DTYPES[generator.integers(len(DTYPES))]
    rank = int(generator.choice(RANKS))
    power = generator.uniform(0, 2)
    size = np.exp(generator.uniform(np.log(3e-4), np.log(0.1)))
    once = bool(generator.integers(2))
    ranks = []
    for rows, columns in SHAPES:
        base = adapters.weights(generator, rows, columns)
        change = (
            adapters.lora(generator, rows, columns, rank)
            if is_adapter
            else adapters.tune(generator, rows, columns, power)
        )
        of_tensor = size * np.exp(0.3 * generator.standard_normal())
        pair = adapters.changed(base, change, of_tensor, dtypes, once=once)
        ranks.append(rank_of(*pair, dtypes))
    found = of_role(Part(ranks, len(ranks)), "attention")
    return found.verdict, found.rank == rank


def counted(models: int, *, is_adapter: bool) -> tuple[Counter[Verdict], int]:
    """Return how often each verdict is given, and of adapters how many of another rank."""
    said = [said_of(number, is_adapter=is_adapter) for number in range(models)]
    wrong = sum(verdict is Verdict.LORA and not is_right for verdict, is_right in said)
    return Counter(verdict for verdict, _ in said), wrong


def wide(rank: int, dtype: str, width: int) -> bool:
    """Return whether the rank of an adapter on a square matrix comes out exactly."""
    generator = np.random.default_rng([rank, width])
    base = adapters.weights(generator, width, width)
    change = adapters.lora(generator, width, width, rank)
    pair = adapters.changed(base, change, 0.03, (dtype, dtype))
    return rank_of(*pair, (dtype, dtype), rank).rank == rank


def spectrum(change: NDArray[np.float64], base: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the singular values of a change of 0.3 % in float16, over what rounding makes."""
    one, other = adapters.changed(base, change, 0.003, ("f16", "f16"))
    return spectra.all_of(other - one, 1.0) / noise.of_rounding(other, "f16").threshold


def draw(picture: Path) -> None:
    """Draw the spectra of a LoRA, of full tunes, and of rounding."""
    import matplotlib.pyplot as plt

    generator = np.random.default_rng(0)
    base = adapters.weights(generator, *PICTURED)
    light = adapters.tune(generator, *PICTURED, 1.0)
    rounded = adapters.rounded(base, "f16") - base
    lines = {
        "LoRA of rank 8": (spectrum(adapters.lora(generator, *PICTURED, 8), base), "#b5443c"),
        "full fine-tune": (spectrum(light, base), "#41608c"),
        "rounding alone": (
            spectra.all_of(rounded, 1.0) / noise.of_rounding(base, "f16").threshold,
            "#8a929e",
        ),
    }
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for label, (values, colour) in lines.items():
        places = np.arange(1, values.size + 1)
        axes.plot(places, values, ".-", color=colour, markersize=4, linewidth=0.8, label=label)
    axes.axhline(1, color="#1d2433", linewidth=0.8, linestyle="--")
    axes.annotate("1.1 × what rounding can make", (800, 1.12), ha="right", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="number of the singular value", ylim=(0.05, None))
    axes.set_ylabel("singular value, relative to the bound")
    axes.set_title("A baked LoRA ends in a gap, a fine-tune sinks into rounding", fontsize=11)
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    figure.savefig(picture, dpi=150)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", type=Path, required=True, help="the picture to write")
    draw(parser.parse_args().draw)


if __name__ == "__main__":
    main()
