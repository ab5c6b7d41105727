"""Texts as a text encoder takes them: token ids, and which of them are the word's."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.embeddings.encoders import Encoder
from atlas.embeddings.families import family
from atlas.embeddings.word_lists import Row
from atlas.networks import tokenizers

LOG = logging.getLogger(__name__)

MOST = 512
"""Tokens of a text where neither encoder nor tokeniser has a limit."""


@dataclass(frozen=True)
class Tokens:
    """The rows of a list in an encoder's tokens."""

    ids: tuple[tuple[int, ...], ...]
    """Of each text, with the marks of start and end, without padding."""
    own: tuple[tuple[int, ...], ...]
    """Positions of the word's tokens in each text."""
    ends: tuple[int, ...]
    """Position of the first mark of the end in each text; -1 where the encoder has none."""
    cut: tuple[bool, ...]
    """Whether a text was longer than the encoder takes."""
    padding: int
    most: int
    """Tokens that texts are filled up to, where they are."""

    @property
    def digest(self) -> str:
        """Equal for equal tokens: what an encoder is told, whichever tokeniser told it."""
        told = json.dumps([self.ids, self.own, self.ends, self.padding, self.most])
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


class Tokenizers:
    """Opens each folder's tokeniser once."""

    def __init__(self) -> None:
        self._opened: dict[str, Any] = {}

    def __getitem__(self, folder: str) -> Any:
        if folder not in self._opened:
            self._opened[folder] = tokenizers.opened(Path(folder))
        return self._opened[folder]


def tokens_of(encoder: Encoder, rows: Sequence[Row], opened: Tokenizers) -> Tokens:
    """
    Return a list's rows in tokens.

    Raises
    ------
    AtlasError
        The tokeniser can't be read, leaves nothing of a word, or has tokens that the encoder lacks.
    """
    tokenizer = opened[encoder.tokenizer]
    most = _limit(encoder.config, tokenizer)
    texts = [row.text for row in rows]
    try:
        told = tokenizer(texts, truncation=True, max_length=most, return_offsets_mapping=True)
    except (NotImplementedError, ValueError) as error:
        raise AtlasError(
            f"{encoder.tokenizer}: this tokenizer can't say where its tokens stand in a text "
            f"({tokenizers.first_line(error)}); give one with tokenizer.json"
        ) from error
    lengths = [len(ids) for ids in tokenizer(texts, verbose=False)["input_ids"]]
    cut = tuple(length > most for length in lengths)
    for row, length in zip(rows, lengths, strict=True):
        if length > most:
            LOG.warning("%r: %d tokens, of which the first %d are read", row.text, length, most)
    ids = tuple(tuple(each) for each in told["input_ids"])
    if (largest := max(map(max, ids))) >= encoder.vocabulary:
        raise AtlasError(
            f"{encoder.tokenizer}: has a token {largest}, and the {encoder.component} of "
            f"{encoder.model} has {encoder.vocabulary}; give the tokenizer that belongs to it"
        )
    own = tuple(
        _own(row, each, offsets, tokenizer)
        for row, each, offsets in zip(rows, ids, told["offset_mapping"], strict=True)
    )
    for row, found in zip(rows, own, strict=True):
        if not found:
            raise AtlasError(
                f"{row.text!r}: nothing of it is left in the tokens of {encoder.tokenizer}; take "
                "it off the list"
            )
    ends = _ends(encoder, rows, ids, tokenizer)
    return Tokens(ids, own, ends, cut, _padding(encoder, tokenizer), most)


def _limit(config: Mapping[str, Any], tokenizer: Any) -> int:
    """Return how many tokens an encoder takes: its table of positions, else a usual number."""
    limits = (config.get("max_position_embeddings", MOST), tokenizer.model_max_length, MOST)
    return int(min(limits))


def _own(
    row: Row, ids: Sequence[int], offsets: Sequence[tuple[int, int]], tokenizer: Any
) -> tuple[int, ...]:
    """Return the positions of the word; where it was cut off, of all that is left of the text."""
    special = set(tokenizer.all_special_ids)
    text = [at for at, token in enumerate(ids) if token not in special]
    within = [at for at in text if offsets[at][0] < row.stop and offsets[at][1] > row.start]
    return tuple(within or text)


def _ends(
    encoder: Encoder, rows: Sequence[Row], ids: Sequence[tuple[int, ...]], tokenizer: Any
) -> tuple[int, ...]:
    """
    Return where each text ends: at the first mark of the end.

    transformers finds it as the largest token where a configuration has the old end mark 2; the two
    differ where a tokeniser was given tokens beyond the mark, and then the pooled form that a
    pipeline takes is none of the text's end.
    """
    if "pooled" not in family(encoder.family).forms:
        return (-1,) * len(ids)
    ends = []
    for row, each in zip(rows, ids, strict=True):
        if tokenizer.eos_token_id not in each:
            raise AtlasError(f"{encoder.tokenizer}: puts no mark of the end behind {row.text!r}")
        first = each.index(tokenizer.eos_token_id)
        if each.index(max(each)) != first:
            raise AtlasError(
                f"{encoder.tokenizer}: {row.text!r} has a token beyond the mark of the end, so "
                "that where it ends is told in two ways; take it off the list"
            )
        ends.append(first)
    return tuple(ends)


def _padding(encoder: Encoder, tokenizer: Any) -> int:
    """Return what texts are filled up with: what the model's own tokeniser says, else a fact."""
    rule = family(encoder.family).padding
    if rule is None or encoder.is_own_tokenizer:
        padding = tokenizer.pad_token_id
        return int(tokenizer.eos_token_id if padding is None else padding)
    told = rule.get(str(encoder.config.get("hidden_act", "quick_gelu")), "end")
    return int(tokenizer.eos_token_id if told == "end" else told)
