"""Tables of token embeddings: found in fingerprints, read in blocks, refused when changed."""

from __future__ import annotations

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.checkpoint import Part
from atlas.embeddings import token_tables
from atlas.embeddings.token_tables import is_token_table, of_fingerprint, of_tensor
from atlas.fingerprints import fingerprint
from stored import DTYPES, checkpoint, tensor

NAME = "text_encoder/text_model.embeddings.token_embedding.weight"


def array(kind: str = "f32", rows: int = 50, width: int = 7) -> np.ndarray:
    values = np.random.default_rng(3).standard_normal((rows, width))
    return values.astype(np.float32).astype(DTYPES[kind]) if kind != "f64" else values


def fingerprinted(tmp_path, arrays):
    held = checkpoint(tmp_path / "model", arrays)
    sealed.write(fingerprint.table(held), tmp_path / "print.parquet")
    return tmp_path / "print.parquet"


def found(path, component="text_encoder"):
    return of_fingerprint(path, home=path.parent, component=component, label="model a")


@pytest.mark.parametrize("kind", ["f64", "f32", "f16", "bf16", "f8_e4m3fn", "f8_e5m2"])
def test_blocks_are_the_rows_exactly(tmp_path, kind):
    given = array(kind)
    table = found(fingerprinted(tmp_path, {NAME: given, "unet/a": array()}))
    blocks = list(table.blocks(rows=16))
    assert [len(block) for block in blocks] == [16, 16, 16, 2]
    assert (table.rows, table.width, table.dtype, table.name) == (50, 7, kind, NAME)
    read = np.concatenate(blocks)
    assert read.dtype == (np.float64 if kind == "f64" else np.float32)
    np.testing.assert_array_equal(read, given.astype(read.dtype))


def test_an_open_checkpoint_gives_the_same_table(tmp_path):
    held = checkpoint(tmp_path / "model", {NAME: array()})
    table = of_tensor(held.tensors[0], label="a")
    np.testing.assert_array_equal(np.concatenate(list(table.blocks())), array())


def test_wide_tables_come_in_small_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(token_tables, "BLOCK_BYTES", 3 * 7 * 4)
    table = found(fingerprinted(tmp_path, {NAME: array()}))
    assert {len(block) for block in table.blocks()} == {3, 2}


def test_shards_and_strides_are_read_in_order(tmp_path):
    given = array()
    upper, lower = given[:20], given[20:]
    (tmp_path / "upper").write_bytes(b"xx" + upper.tobytes())
    (tmp_path / "lower").write_bytes(np.ascontiguousarray(lower.T).tobytes())
    parts = (
        Part(tmp_path / "upper", 2, upper.shape),
        Part(tmp_path / "lower", 0, lower.shape, strides=(1, 30)),
    )
    table = of_tensor(tensor(NAME, given, *parts), label="a")
    np.testing.assert_array_equal(np.concatenate(list(table.blocks(rows=13))), given)


def test_a_file_that_changed_since_its_fingerprint_is_refused(tmp_path):
    path = fingerprinted(tmp_path, {NAME: array()})
    file = tmp_path / "model"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(AtlasError, match=r"model: .* other weights than when it was fingerprinted"):
        list(found(path).blocks(rows=8))


def test_a_file_that_changes_meanwhile_is_refused(tmp_path):
    held = checkpoint(tmp_path / "model", {NAME: array()})
    blocks = of_tensor(held.tensors[0], label="a").blocks(rows=30)
    next(blocks)
    (tmp_path / "model").write_bytes((tmp_path / "model").read_bytes() + b"\0")
    with pytest.raises(AtlasError, match="changed while it was being read"):
        list(blocks)


def test_a_component_without_a_table_is_told(tmp_path):
    path = fingerprinted(tmp_path, {"text_encoder/a.weight": array(), NAME + ".x": array()})
    with pytest.raises(AtlasError, match=r"model a: text_encoder should have one table .* none"):
        found(path)


def test_integers_and_other_shapes_are_refused(tmp_path):
    held = checkpoint(tmp_path / "model", {NAME: np.zeros((4, 2), np.int64)})
    with pytest.raises(AtlasError, match="stored as i64"):
        of_tensor(held.tensors[0], label="a")
    with pytest.raises(AtlasError, match=r"shape \(4 × 2 × 1\)"):
        of_tensor(replace(held.tensors[0], shape=(4, 2, 1)), label="a")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (NAME, True),
        ("text_encoder_3/shared.weight", True),
        ("text_encoder/embed_tokens.weight", True),
        ("text_encoder/text_model.embeddings.position_embedding.weight", False),
        ("text_encoder/unshared.weight", False),
    ],
)
def test_tables_are_told_by_their_names(name, is_one):
    assert is_token_table(name) is is_one


def test_a_narrow_table_is_widened_exactly(tmp_path):
    given = np.array([[1.0, -0.0, 2.0**-14, 3.3895e38]], ml_dtypes.bfloat16)
    (block,) = found(fingerprinted(tmp_path, {NAME: given})).blocks()
    assert block.view(np.uint32).tolist() == [
        (given.view(np.uint16).astype(np.uint32)[0] << 16).tolist()
    ]
