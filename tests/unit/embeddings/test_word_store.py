"""Shards of encoded words: what is known is kept, what is damaged is made anew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.basis.sealing import DamagedFileError
from atlas.embeddings import word_store
from atlas.embeddings.similarities import similarities
from atlas.embeddings.word_store import Encoded, Shards

TEXTS = ["cat", "dog", "red"]
STATE = {"method": 1, "forms": ["pooled"]}


def vectors(content: str) -> np.ndarray:
    return np.random.default_rng(ord(content)).standard_normal((3, 4)).astype(np.float32)


class Encoder:
    """Encodes, and remembers what it was asked for."""

    def __init__(self, broken: str = "") -> None:
        self.asked: list[str] = []
        self.broken = broken

    def __call__(self, content: str) -> Iterator[Encoded]:
        self.asked.append(content)
        if content == self.broken:
            raise AtlasError(f"{content} is broken")
        made = vectors(content)
        for form, kept in (("pooled", made), ("flattened", None)):
            yield Encoded(content, form, TEXTS, [False] * 3, kept, similarities(made))


def update(path, contents, encoder, state=STATE):
    return word_store.update(
        path, contents, encode=encoder, state=state, notes={"held": {"m text_encoder": "a"}}
    )


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "0.parquet"
    update(path, ["a", "b"], Encoder())
    return path


def test_what_is_written_is_read_as_it_was(shard):
    store = Shards([shard])
    assert store.forms("a") == ["pooled", "flattened"]
    found = store.read("b", "pooled")
    assert (found.vectors == vectors("b")).all()
    assert found.texts == TEXTS
    np.testing.assert_allclose(
        found.similarities.cosine, similarities(vectors("b")).cosine, atol=1e-7
    )
    assert store.read("a", "flattened").vectors is None
    assert store.notes[0]["held"] == {"m text_encoder": "a"}


def test_only_what_is_new_is_encoded(shard):
    encoder = Encoder()
    tally = update(shard, ["a", "c"], encoder)
    assert encoder.asked == ["c"]
    assert (tally.encoded, tally.kept, tally.absent) == (1, 1, 1)
    assert (Shards([shard]).read("a", "pooled").vectors == vectors("a")).all()
    assert (Shards([shard]).read("b", "pooled").vectors == vectors("b")).all()


def test_equal_contents_give_equal_bytes(shard):
    before = shard.read_bytes()
    update(shard, ["a", "b"], Encoder())
    assert shard.read_bytes() == before


def test_another_state_encodes_all_anew(shard):
    encoder = Encoder()
    update(shard, ["a", "b"], encoder, STATE | {"method": 2})
    assert encoder.asked == ["a", "b"]


def test_one_that_can_not_be_encoded_keeps_no_other_back(shard):
    tally = update(shard, ["a", "x", "c"], Encoder(broken="x"))
    assert tally.problems == {"x": "x is broken"}
    store = Shards([shard])
    assert store.forms("c")
    assert not store.forms("x")
    assert store.notes[0]["problems"] == {"x": "x is broken"}
    encoder = Encoder()
    update(shard, ["a", "x", "c"], encoder)
    assert encoder.asked == ["x"]


def test_a_damaged_shard_is_told_and_made_anew(shard):
    content = bytearray(shard.read_bytes())
    content[40] ^= 1
    shard.write_bytes(content)
    encoder = Encoder()
    update(shard, ["a"], encoder)
    assert encoder.asked == ["a"]
    shard.write_bytes(content)
    with pytest.raises(DamagedFileError, match="run again"):
        Shards([shard])
