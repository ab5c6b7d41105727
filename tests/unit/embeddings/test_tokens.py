"""Texts in tokens: where they end, which tokens are the word's, what does not fit."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

import narrow_encoders
from atlas.basis.errors import AtlasError
from atlas.embeddings import encoders
from atlas.embeddings.tokens import Tokenizers, tokens_of
from atlas.embeddings.word_lists import ALONE, SENTENCE, Row


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    narrow_encoders.clip(folder / "clip")
    print_ = narrow_encoders.fingerprinted(folder / "clip", folder / "print.parquet")
    (found,) = encoders.find("model", print_, folder / "clip", encoders.Places())
    return found


@pytest.fixture(scope="module")
def opened():
    return Tokenizers()


def told(encoder, opened, *rows: Row):
    return tokens_of(encoder, rows, opened)


def test_the_words_own_tokens_are_found_inside_a_sentence(clip, opened):
    row = Row("cat", "", SENTENCE, "a cat on", start=2)
    tokens = told(clip, opened, Row("cat", "", ALONE, "cat"), row)
    assert [tokens.ids[0][at] for at in tokens.own[0]] == list(tokens.ids[0][1:-1])
    assert [tokens.ids[1][at] for at in tokens.own[1]] == list(tokens.ids[0][1:-1])


def test_a_text_ends_at_the_first_mark(clip, opened):
    tokens = told(clip, opened, Row("cat", "", ALONE, "cat"))
    ids = tokens.ids[0]
    assert tokens.ends == (len(ids) - 1,) == (ids.index(max(ids)),)


def test_a_text_beyond_the_limit_is_cut_and_said(clip, opened, caplog):
    caplog.set_level(logging.WARNING)
    long = "abcdefgh " * 9
    tokens = told(clip, opened, Row(long, "", ALONE, long), Row("cat", "", ALONE, "cat"))
    assert tokens.cut == (True, False)
    assert len(tokens.ids[0]) == narrow_encoders.CONTEXT
    assert f"of which the first {narrow_encoders.CONTEXT} are read" in caplog.text


def test_a_word_that_leaves_no_token_is_refused(clip, opened):
    with pytest.raises(AtlasError, match="nothing of it is left"):
        told(clip, opened, Row("\u200b", "", ALONE, " "))


def test_a_tokenizer_of_another_encoder_is_refused(clip, opened):
    with pytest.raises(AtlasError, match="give the tokenizer that belongs to it"):
        told(replace(clip, vocabulary=300), opened, Row("cat", "", ALONE, "cat"))


def test_a_folder_that_is_no_tokenizer_is_named(clip, opened, tmp_path):
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(AtlasError, match="can't be read as a tokenizer"):
        told(replace(clip, tokenizer=str(tmp_path)), opened, Row("cat", "", ALONE, "cat"))


@pytest.mark.parametrize(
    ("act", "is_own", "padding"),
    [("gelu", False, 0), ("quick_gelu", False, 513), ("gelu", True, 513)],
)
def test_padding_is_the_tokenizers_own_or_a_fact_of_the_encoder(clip, opened, act, is_own, padding):
    config = clip.config | {"hidden_act": act}
    encoder = replace(clip, config=config, is_own_tokenizer=is_own)
    assert told(encoder, opened, Row("cat", "", ALONE, "cat")).padding == padding


def test_equal_tokens_have_one_digest(clip, opened):
    one = told(clip, opened, Row("cat", "", ALONE, "cat"))
    same = told(clip, opened, Row("CAT", "", ALONE, "CAT"))  # CLIP knows no upper case
    other = told(clip, opened, Row("dog", "", ALONE, "dog"))
    assert one.digest == same.digest != other.digest
