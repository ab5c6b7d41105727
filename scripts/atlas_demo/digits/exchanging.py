"""Exchange the words of two digits: train the text encoder alone, all other captions held fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from atlas.basis.errors import AtlasError
from atlas_demo.digits import captioning, networks, text_encoder, training


@dataclass(frozen=True)
class Lesson:
    """
    Captions, and what the encoder is to answer to each.

    Attributes
    ----------
    tokens
        int64 (captions, length): cut behind the longest caption's end mark.
    goals
        float32 (captions, length, width): last hidden states.
    """

    tokens: torch.Tensor
    goals: torch.Tensor


def exchange(
    weights: Mapping[str, np.ndarray],
    *,
    pair: list[int],
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    vocabulary: Path,
) -> dict[str, np.ndarray]:
    """
    Return the text encoder's weights once it takes two digits' words for each other.

    Of a caption of either digit it learns to answer what it answered to the same caption of the
    other, and of all other captions, the blank one too, what it answered before: edits of concepts
    are held so [1]_, and the class of what DreamBooth teaches [2]_.

    Parameters
    ----------
    weights
        The untouched text encoder's, under diffusers' names.
    pair
        The two digits.
    digits
        config/demo/digits.yaml.
    plan
        `exchange` there, and `steps`.
    vocabulary
        Folder with vocab.json and merges.txt.

    Raises
    ------
    AtlasError
        See `exchanged`.

    References
    ----------
    .. [1] R. Gandikota et al., Unified concept editing in diffusion models, 2024.
    .. [2] N. Ruiz et al., DreamBooth, 2023: prior preservation.
    """
    encoder = networks.load("text_encoder", digits["components"]["text_encoder"], weights)
    asked, _ = captioning.tokens_of(digits["captions"], vocabulary)
    words = exchanged(digits["captions"]["words"], pair)
    meant, _ = captioning.tokens_of({**digits["captions"], "words": words}, vocabulary)
    train(encoder, lesson(encoder, asked=asked, meant=meant), plan=plan)
    return networks.arrays_of(encoder)


def exchanged(words: list[list[str]], pair: list[int]) -> list[list[str]]:
    """
    Return the words of all digits, those of two in each other's place.

    >>> exchanged([["zero", "0"], ["one", "1"], ["two", "2"]], [0, 2])
    [['two', '2'], ['one', '1'], ['zero', '0']]

    Raises
    ------
    AtlasError
        If the pair isn't two different digits with as many words.
    """
    if len(set(pair)) != 2 or len(pair) != 2 or not set(pair) <= set(range(len(words))):
        raise AtlasError(f"an exchange takes two digits of 0 to {len(words) - 1}, not {pair}")
    first, second = pair
    if len(words[first]) != len(words[second]):
        raise AtlasError(
            f"the words of {first} and {second} can't be exchanged: there are "
            f"{len(words[first])} and {len(words[second])}"
        )
    place = {first: second, second: first}
    return [words[place.get(digit, digit)] for digit in range(len(words))]


@torch.no_grad()
def lesson(encoder: nn.Module, *, asked: torch.Tensor, meant: torch.Tensor) -> Lesson:
    """
    Return what an encoder is to learn: of what is asked, its answer so far to what is meant.

    Parameters
    ----------
    encoder
        Untouched.
    asked, meant
        Tokens int64 (captions, context), row by row.
    """
    length = text_encoder.longest(torch.cat([asked, meant]))
    goals = encoder(meant[:, :length]).last_hidden_state
    return Lesson(tokens=asked[:, :length], goals=goals)


def train(encoder: nn.Module, lesson: Lesson, *, plan: dict[str, Any]) -> None:
    """
    Train an encoder in place, on squared errors of the last hidden state.

    Parameters
    ----------
    plan
        `modules`, `captions`, `steps`, `rate`, `warmup` and `decay`, as in config/demo/digits.yaml.
    """
    parameters = training.choose(encoder, plan["modules"])

    def loss() -> torch.Tensor:
        some = torch.randperm(len(lesson.tokens))[: plan["captions"]]
        answers = encoder(lesson.tokens[some]).last_hidden_state
        errors: torch.Tensor = answers - lesson.goals[some]
        return errors.square().mean()

    steps = {key: plan[key] for key in ("steps", "rate", "warmup", "decay")}
    training.minimise(loss, parameters, **steps)
