"""The vocabularies of a group: shared tables once, comparisons kept, tokens by their texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import narrow_encoders
from atlas.basis.errors import AtlasError
from atlas.embeddings import token_texts, vocabularies, vocabulary_store
from atlas.embeddings.vocabularies import Member
from atlas.fingerprints import fingerprint

TOKENS = ["cat</w>", "dog</w>", "red</w>", "a</w>", "b</w>", "c</w>", "d</w>", "e</w>"]
STATE = {"method": 1}


def base_rows() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((8, 12)).astype(np.float32)


def member(folder: Path, model: str, rows: np.ndarray, tokenizer: Path | None = None) -> Member:
    """Write a model of a text encoder's token embeddings, and return it."""
    place = folder / model
    (place / "text_encoder").mkdir(parents=True, exist_ok=True)
    layer = "text_model.encoder.layers.0"
    save_file(
        {
            "text_model.embeddings.token_embedding.weight": rows,
            f"{layer}.layer_norm1.weight": np.ones(rows.shape[1], np.float32),
        },
        place / "text_encoder" / "model.safetensors",
    )
    (place / "model_index.json").write_text("{}")
    print_ = narrow_encoders.fingerprinted(place, folder / f"{model}.parquet")
    return Member(model, "text_encoder", print_, fingerprint.anchor(place), tokenizer)


@pytest.fixture
def members(tmp_path):
    """Return a base, a copy, and one of which two tokens moved."""
    words = tmp_path / "tokenizer"
    words.mkdir()
    told = {text: number for number, text in enumerate(TOKENS)}
    (words / "vocab.json").write_text(json.dumps(told))
    tuned = base_rows()
    tuned[1] += 2
    tuned[2] += 1
    return [
        member(tmp_path, "base", base_rows(), words),
        member(tmp_path, "copy", base_rows()),
        member(tmp_path, "tuned", tuned),
    ]


def compared(members, path, **chosen):
    found = list(vocabularies.vocabularies(members, **({"base": "base"} | chosen)))
    pairs = {pair: compare for each in found for pair, compare in each.pairs().items()}
    return found, vocabulary_store.update(path, pairs, state=STATE)[0]


def test_a_shared_table_is_not_compared_and_moved_tokens_are_named(members, tmp_path):
    found, known = compared(members, tmp_path / "v.parquet")
    assert len(known) == 1
    table = vocabularies.table(found, known, {}).set_index("model")
    assert list(table["identical"]) == [8, 8, 6]
    assert table.loc["tuned", "moved_most"] == "dog</w> red</w>"
    lines = list(vocabularies.sentences("g", table.reset_index(), {"tuned": "fine-tuned"}))
    assert lines == [
        "g · vocabulary of the text encoder: copy: all 8 tokens as base, bit for bit",
        "g · vocabulary of the text encoder: fine-tuned: of 8 tokens 6 identical, 2 moved; "
        "moved most: dog</w> red</w>",
    ]


def test_only_new_pairs_are_compared(members, tmp_path, monkeypatch):
    path = tmp_path / "v.parquet"
    _, before = compared(members, path)
    calls = []
    real = vocabularies.vocabulary.compare
    monkeypatch.setattr(
        vocabularies.vocabulary, "compare", lambda *given: calls.append(1) or real(*given)
    )
    other = member(tmp_path, "other", base_rows() + 1)
    _, after = compared([*members, other], path)
    assert len(calls) == 1
    (pair,) = before
    assert after[pair].rows.equals(before[pair].rows)
    assert after[pair].summary == json.loads(json.dumps(before[pair].summary))
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    calls.clear()
    compared([*members, other], path)
    assert len(calls) == 2, "a damaged file is made anew"


def test_another_width_is_told_and_the_others_compared(members, tmp_path):
    wide = member(tmp_path, "wide", np.ones((8, 14), np.float32))
    found, known = compared([*members, wide], tmp_path / "v.parquet")
    table = vocabularies.table(found, known, {}).set_index("model")
    assert "its tokens have 14 numbers, those of base 12" in table.loc["wide", "problem"]
    assert table.loc["tuned", "moved"] == 2


def test_a_file_that_changed_is_told_and_the_others_compared(members, tmp_path):
    other = member(tmp_path, "other", base_rows() + 1)
    place = tmp_path / "other" / "text_encoder" / "model.safetensors"
    content = bytearray(place.read_bytes())
    content[-216] ^= 1  # in the middle of the tensors, where the table lies
    place.write_bytes(content)
    (found,) = vocabularies.vocabularies([*members, other], base="base")
    known, failed = vocabulary_store.update(tmp_path / "v.parquet", found.pairs(), state=STATE)
    table = vocabularies.table([found], known, failed).set_index("model")
    assert "holds other weights than when it was fingerprinted" in table.loc["other", "problem"]
    assert table.loc["tuned", "moved"] == 2


def test_a_broken_tokenizer_leaves_tokens_their_numbers(members, tmp_path):
    (tmp_path / "tokenizer" / "vocab.json").write_text("[1")
    found, known = compared(members, tmp_path / "v.parquet")
    table = vocabularies.table(found, known, {}).set_index("model")
    assert table.loc["tuned", "moved_most"] == "#1 #2"


def test_the_first_model_is_the_base_where_the_base_has_none(members, tmp_path):
    (found,) = vocabularies.vocabularies(members[1:], base="base")
    assert found.base == "copy"
    assert list(found.texts) == []


def test_texts_are_read_of_either_form_of_a_tokenizer(tmp_path):
    fast = narrow_encoders.words()
    fast.save_pretrained(tmp_path / "fast")
    assert token_texts.texts_of(tmp_path / "fast") == narrow_encoders.WORDS
    unigram = {"model": {"vocab": [["<pad>", 0.0], ["▁cat", -2.5]]}, "added_tokens": []}
    (tmp_path / "unigram").mkdir()
    (tmp_path / "unigram" / "tokenizer.json").write_text(json.dumps(unigram))
    assert token_texts.texts_of(tmp_path / "unigram") == ["<pad>", "▁cat"]
    (tmp_path / "none").mkdir()
    assert token_texts.texts_of(tmp_path / "none") == []
    (tmp_path / "none" / "vocab.json").write_text('["a"]')
    with pytest.raises(AtlasError, match="its tokens can't be read"):
        token_texts.texts_of(tmp_path / "none")
