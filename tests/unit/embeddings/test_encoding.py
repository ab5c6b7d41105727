"""What encoders make of texts, held against transformers called directly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import narrow_encoders
from atlas.basis.errors import AtlasError
from atlas.embeddings import encoders, encoding, word_lists
from atlas.embeddings.tokens import Tokenizers, tokens_of
from atlas.networks.sources import Source

LIST = """
sentence: a photo of one {}
words: [cat, old dog, red]
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    place = tmp_path_factory.mktemp("list") / "list.yaml"
    place.write_text(LIST)
    return word_lists.read(place).rows


def encoded(folder: Path, rows, *, batch: int = 4, dtype=torch.float32):
    """Return what the folder's encoder makes of the rows, by form, and its tokens."""
    print_ = narrow_encoders.fingerprinted(folder, folder.with_name(f"{folder.name}.parquet"))
    (found,) = encoders.find("model", print_, folder, encoders.Places())
    tokens = tokens_of(found, rows, Tokenizers())
    network = encoding.load(found, Source("model", folder), device=torch.device("cpu"), dtype=dtype)
    return encoding.encode(found, network, tokens, batch=batch), tokens


def direct(folder: Path, class_name: str, texts, **told):
    """Return transformers' own output for one text after the other."""
    network = getattr(transformers, class_name).from_pretrained(folder / "text_encoder").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "tokenizer")
    with torch.no_grad():
        for text in texts:
            ids = tokenizer(text, return_tensors="pt", **told)["input_ids"]
            yield ids[0].tolist(), network(ids, output_hidden_states=True), network


PADDED = {"padding": "max_length", "max_length": narrow_encoders.CONTEXT}


@pytest.mark.parametrize("projected", [False, True])
def test_clip_is_as_transformers_has_it(tmp_path, rows, projected):
    narrow_encoders.clip(tmp_path / "clip", projected=projected)
    found, tokens = encoded(tmp_path / "clip", rows)
    name = "CLIPTextModelWithProjection" if projected else "CLIPTextModel"
    assert ("projected" in found) == projected
    for at, (ids, output, network) in enumerate(
        direct(tmp_path / "clip", name, [row.text for row in rows], **PADDED)
    ):
        end = ids.index(max(ids))
        close = {"atol": 2e-6, "rtol": 1e-5}
        last = output.last_hidden_state[0].numpy()
        np.testing.assert_allclose(found["flattened"][at], last.ravel(), **close)
        np.testing.assert_allclose(found["pooled"][at], last[end], **close)
        if projected:
            np.testing.assert_allclose(found["projected"][at], output.text_embeds[0], **close)
        else:
            np.testing.assert_allclose(found["pooled"][at], output.pooler_output[0], **close)
        own = list(tokens.own[at])
        assert 0 < own[0] <= own[-1] < end
        np.testing.assert_allclose(found["last"][at], last[own].mean(axis=0), **close)
        before = output.hidden_states[-2][0]
        np.testing.assert_allclose(
            found["penultimate"][at], before[own].mean(dim=0).numpy(), **close
        )
        norm = getattr(network, "text_model", network).final_layer_norm
        normed = norm(before).detach()[own].mean(dim=0).numpy()
        np.testing.assert_allclose(found["penultimate_normed"][at], normed, **close)


@pytest.mark.parametrize("kind", sorted(narrow_encoders.KINDS))
def test_other_kinds_are_as_transformers_has_them(tmp_path, rows, kind):
    narrow_encoders.other(tmp_path / kind, kind)
    found, tokens = encoded(tmp_path / kind, rows)
    name, _ = narrow_encoders.KINDS[kind]
    texts = [row.text for row in rows]
    for at, (ids, output, _) in enumerate(direct(tmp_path / kind, name, texts)):
        assert ids == list(tokens.ids[at])
        own = list(tokens.own[at])
        last = output.last_hidden_state[0][own].mean(dim=0).numpy()
        np.testing.assert_allclose(found["last"][at], last, atol=5e-6, rtol=1e-4)
        if "penultimate" in found:
            before = output.hidden_states[-2][0][own].mean(dim=0).numpy()
            np.testing.assert_allclose(found["penultimate"][at], before, atol=5e-6, rtol=1e-4)
    assert ("penultimate" in found) == (kind not in ("t5", "umt5", "bert"))


def test_of_a_model_that_sees_the_text_half_is_run(tmp_path, rows):
    half = narrow_encoders.seeing(tmp_path / "seeing")
    found, tokens = encoded(tmp_path / "seeing", rows)
    with torch.no_grad():
        for at, ids in enumerate(tokens.ids):
            expected = half(torch.tensor([ids])).last_hidden_state[0][list(tokens.own[at])].mean(0)
            np.testing.assert_allclose(found["last"][at], expected, atol=5e-6, rtol=1e-4)


def test_batches_change_nothing_but_rounding(tmp_path, rows):
    narrow_encoders.clip(tmp_path / "clip")
    one, _ = encoded(tmp_path / "clip", rows, batch=1)
    many, _ = encoded(tmp_path / "clip", rows, batch=100)
    for form in one:
        np.testing.assert_allclose(one[form], many[form], atol=2e-6)


def test_half_precision_is_near(tmp_path, rows):
    narrow_encoders.clip(tmp_path / "clip")
    whole, _ = encoded(tmp_path / "clip", rows)
    half, _ = encoded(tmp_path / "clip", rows, dtype=torch.bfloat16)
    assert half["pooled"].dtype == np.float32
    assert 1e-4 < np.abs(half["pooled"] - whole["pooled"]).max() < 0.3


def test_nan_is_refused_with_the_models_name(tmp_path, rows):
    network = narrow_encoders.clip(tmp_path / "clip")
    with torch.no_grad():
        next(weight for name, weight in network.named_parameters() if "q_proj" in name)[0] = (
            torch.nan
        )
    network.save_pretrained(tmp_path / "clip" / "text_encoder")
    print_ = narrow_encoders.fingerprinted(tmp_path / "clip", tmp_path / "print.parquet")
    (found,) = encoders.find("model", print_, tmp_path / "clip", encoders.Places())
    made, _ = encoded(tmp_path / "clip", rows)
    with pytest.raises(AtlasError, match="text_encoder of model gives NaN or infinity for 9 of 9"):
        encoding.require_finite(found, made, [row.text for row in rows])
