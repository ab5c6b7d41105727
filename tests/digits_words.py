"""
How far words move between the text encoders of two digits models, and whether trained ones most.

`python tests/digits_words.py resources/digits` prints the tables of docs/demo_digits.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from atlas.networks import clip_vocabulary
from atlas_demo import facts
from atlas_demo.digits import ldm_keys, networks, single_file

DIGITS, KEYS = facts.digits(), facts.sd1_keys()
NAMES = [name for names in DIGITS["captions"]["words"] for name in names]
EXCHANGED = ["six", "6", "nine", "9"]
OTHERS = [
    *("cat", "dog", "horse", "bird", "fish", "tree", "house", "car", "river", "mountain"),
    *("red", "blue", "green", "yellow", "brown", "white", "happy", "sad", "old", "young"),
    *("fast", "slow", "king", "queen", "apple", "bread", "water", "fire", "stone", "cloud"),
]
"""Words of one token each that no caption has."""


def weights(model: Path) -> dict[str, NDArray[np.float32]]:
    """Return the text encoder's weights of a model's file, under diffusers' names."""
    return ldm_keys.from_ldm(single_file.read(model), KEYS)["text_encoder"]


def encoder(model: Path) -> nn.Module:
    """Return the text encoder of a model's file."""
    return networks.load("text_encoder", DIGITS["components"]["text_encoder"], weights(model))


def tokens(words: list[str], folder: Path) -> torch.Tensor:
    """Return int64 (words, context), each padded with the end mark."""
    tokenizer = clip_vocabulary.tokenizer(folder)
    padded: torch.Tensor = tokenizer(words, padding="max_length", return_tensors="pt").input_ids
    return padded


@torch.no_grad()
def answers(network: nn.Module, asked: torch.Tensor) -> dict[str, NDArray[np.float64]]:
    """Return (words, width) by form: the state at the end mark, and the mean of those before it."""
    states = network(asked).last_hidden_state.double().numpy()
    ends = asked.numpy().argmax(axis=1)
    rows = range(len(asked))
    means = [states[row, 1 : ends[row]].mean(axis=0) for row in rows]  # 0 is the start mark
    return {"pooled": states[rows, ends], "mean of last": np.array(means)}


def moved(before: nn.Module, after: nn.Module, asked: torch.Tensor) -> dict[str, NDArray]:
    """Return by form the cosine distance of each word from itself, float64 (words,)."""
    old, new = answers(before, asked), answers(after, asked)
    return {form: 1 - _cosines(old[form], new[form]) for form in old}


def auc(distances: NDArray[np.float64], is_trained: NDArray[np.bool_]) -> float:
    """Return how often a trained word moved further than another: the area under the ROC curve."""
    trained, others = distances[is_trained], distances[~is_trained]
    return float(mannwhitneyu(trained, others).statistic / (len(trained) * len(others)))


def _cosines(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: NDArray[np.float64] = (a * b).sum(axis=1) / norms
    return cosines


def show(folder: Path) -> None:
    """Print how far words moved in the two relatives whose text encoder was trained."""
    words = NAMES + OTHERS
    asked = tokens(words, folder.parent / "tokenizers" / "clip")
    base = encoder(folder / "ldm" / "digits.safetensors")
    kinds = {"exchanged": EXCHANGED, "other digits": set(NAMES) - set(EXCHANGED), "others": OTHERS}
    for model, trained in (("digits-exchanged", EXCHANGED), ("digits-captioned", NAMES)):
        after = encoder(folder / "ldm" / f"{model}.safetensors")
        for form, distances in moved(base, after, asked).items():
            medians = {
                kind: float(np.median([distances[words.index(word)] for word in of]))
                for kind, of in kinds.items()
            }
            told = ", ".join(f"{kind} {median:.4f}" for kind, median in medians.items())
            area = auc(distances, np.isin(words, trained))
            print(f"{model}, {form}: AUC {area:.3f}; median cosine distance of {told}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="resources/digits of a run")
    show(parser.parse_args().folder)
