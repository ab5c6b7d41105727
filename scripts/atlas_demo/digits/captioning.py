"""The captions as the networks take them: tokens, and the text encoder's answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from atlas.basis import tables
from atlas.networks import clip_vocabulary
from atlas_demo.digits.captions import captions
from atlas_demo.digits.denoiser import Conditions


def tokens_of(facts: Mapping[str, Any], folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return all captions in CLIP's tokens and the digit of each, and the blank one as the last.

    Parameters
    ----------
    facts
        `captions` of config/demo/digits.yaml.
    folder
        As clip_vocabulary.write makes it.

    Returns
    -------
    tokens
        int64 (captions + 1, context), each padded with the end mark.
    digits
        int64 (captions,).
    """
    named = captions(facts["templates"], facts["words"])
    tokenizer = clip_vocabulary.tokenizer(folder)
    texts = [caption.text for caption in named] + [facts["blank"]]
    padded = tokenizer(texts, padding="max_length", return_tensors="pt").input_ids
    return padded, torch.tensor([caption.digit for caption in named])


@torch.no_grad()
def answers(encoder: nn.Module, tokens: torch.Tensor) -> Conditions:
    """Return the text encoder's answers to tokens whose last row is the blank caption."""
    states = encoder(tokens).last_hidden_state
    return Conditions(states=states[:-1], blank=states[-1])


def write(conditions: Conditions, path: Path) -> None:
    """Write the answers, so that training the UNet needs neither tokenizer nor text encoder."""
    states = {"states": conditions.states.contiguous(), "blank": conditions.blank.contiguous()}
    with tables.replacing(path) as partial:
        save_file(states, partial)


def read(path: Path) -> Conditions:
    """Return the answers that `write` wrote."""
    return Conditions(**load_file(path))
