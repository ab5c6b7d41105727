"""Exchanging two digits' words: what is learned, what is held, and what only shrinks."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import digits_words
from atlas.basis.errors import AtlasError
from atlas_demo import facts
from atlas_demo.digits import exchanging, networks, training

START, END, TEMPLATES = 60, 61, (50, 51, 52)
NAMED, WORDS = 10, 40  # of forty words, each a token, the first ten are in captions
PAIR = [6, 9]
ENCODER = facts.digits()["components"]["text_encoder"]
STEPS, RATE = 80, 0.004
PLAN = facts.digits()["exchange"] | {"steps": STEPS, "captions": 20, "rate": RATE}


def captions(words: list[int]) -> torch.Tensor:
    rows = [[START, template, word, END, END] for word in words for template in TEMPLATES]
    return torch.tensor(rows + [[START, word, END, END, END] for word in words])


@pytest.fixture(scope="module")
def encoders():
    """Return a narrow text encoder, untouched and with two words exchanged."""
    threads = torch.get_num_threads()
    training.prepare(seed=3, threads=1)
    marks = {"bos_token_id": START, "eos_token_id": END, "pad_token_id": END}
    size = {"num_hidden_layers": 3, "vocab_size": 62}
    # With drawn weights as small as transformers has them all words would be answered much alike.
    config = ENCODER | size | marks | {"initializer_factor": 3.0}
    before = networks.build("text_encoder", config)
    after = copy.deepcopy(before)
    words = list(range(NAMED))
    words[6], words[9] = 9, 6
    lesson = exchanging.lesson(before, asked=captions(list(range(NAMED))), meant=captions(words))
    exchanging.train(after, lesson, plan=PLAN)
    yield before, after
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def answers(encoder, word: int) -> np.ndarray:
    return digits_words.answers(encoder, captions([word]))["pooled"]


def test_the_words_take_each_others_place_and_the_others_keep_theirs(encoders):
    before, after = encoders
    between = np.linalg.norm(answers(before, 6) - answers(before, 9))
    for word in range(NAMED):
        meant = {6: 9, 9: 6}.get(word, word)
        assert np.linalg.norm(answers(after, word) - answers(before, meant)) < 0.5 * between


def test_the_exchanged_words_moved_most(encoders):
    asked = torch.tensor([[START, word, END, END, END] for word in range(WORDS)])
    for distances in digits_words.moved(*encoders, asked).values():
        assert digits_words.auc(distances, np.isin(np.arange(WORDS), PAIR)) >= 0.95


def test_tokens_of_no_caption_only_shrink(encoders):
    old, new = (network.embeddings.token_embedding.weight.detach().numpy() for network in encoders)
    taken = {"steps": STEPS, "rate": RATE, "warmup": PLAN["warmup"]}
    rates = [training.rate_at(step, **taken) for step in range(STEPS)]
    left = np.prod([1 - PLAN["decay"] * rate for rate in rates])
    taught = [*range(NAMED), *TEMPLATES, START, END]
    untaught = np.setdiff1d(np.arange(len(old)), taught)
    np.testing.assert_allclose(new[untaught], left * old[untaught], rtol=1e-5)
    assert (np.abs(new[taught] - left * old[taught]).max(axis=1) > 0.01).all()


def test_what_is_not_trained_stays(encoders):
    old, new = (networks.arrays_of(network) for network in encoders)
    same = {name for name in old if np.array_equal(old[name], new[name])}
    kept = {"embeddings.position_embedding.weight"}
    assert same == kept | {"final_layer_norm.weight", "final_layer_norm.bias"}


def test_a_caption_is_cut_behind_the_longest():
    encoder = networks.build("text_encoder", ENCODER)
    asked, meant = (torch.full((2, 77), ENCODER["eos_token_id"]) for _ in range(2))
    asked[:, :3], meant[:, :5] = 1, 2
    lesson = exchanging.lesson(encoder, asked=asked, meant=meant)
    assert lesson.tokens.tolist() == asked[:, :6].tolist()
    with torch.no_grad():
        whole = encoder(meant).last_hidden_state[:, :6]
    torch.testing.assert_close(lesson.goals, whole)


@pytest.mark.parametrize("pair", [[6], [6, 6], [6, 10], [-1, 6], [1, 2, 3], [1, 2, 2]])
def test_a_pair_is_two_digits(pair):
    with pytest.raises(AtlasError, match="two digits of 0 to 9"):
        exchanging.exchanged(facts.digits()["captions"]["words"], pair)


def test_digits_of_unlike_many_words_are_refused():
    with pytest.raises(AtlasError, match="words of 0 and 1 can't be exchanged: there are 1 and 2"):
        exchanging.exchanged([["zero"], ["one", "1"]], [0, 1])
