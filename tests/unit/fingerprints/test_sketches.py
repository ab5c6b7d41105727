"""Sketches in fingerprints: differences of sketches are sketches of differences, to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.checkpoint import Checkpoint, Part
from atlas.fingerprints import fingerprint
from atlas.fingerprints.sketches import Sketches, read_sketches, unpacked
from stored import checkpoint, tensor


@pytest.fixture(params=["plain", "compiled"])
def code(request, monkeypatch):
    """Run with the plain and with the compiled code."""
    monkeypatch.setattr(
        fingerprint, "WORTH_COMPILING", 0 if request.param == "compiled" else 1 << 60
    )


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    shapes = {"unet/a.weight": (300, 400), "unet/b.bias": (40,), "vae/c.weight": (7, 5, 3, 3)}
    return {name: generator.normal(0, 0.05, shape) for name, shape in shapes.items()}


def sketched(held: Checkpoint, to: Path, **options) -> Sketches:
    """Write a fingerprint, and read its sketches."""
    sealed.write(fingerprint.table(held, **options), to, fingerprint.notes(held))
    return read_sketches(to)


def as_dtype(given: dict[str, np.ndarray], dtype: type) -> dict[str, np.ndarray]:
    return {name: array.astype(dtype) for name, array in given.items()}


def test_each_block_tells_what_went_in(tmp_path, code):
    given = weights() | {"unet/ids": np.arange(9), "other/steps": np.ones(4, np.float32)}
    found = sketched(checkpoint(tmp_path / "a", given), tmp_path / "a.parquet")
    assert [(each.component, each.block) for each in found.blocks] == [
        ("unet", "block"),
        ("vae", "block"),
    ]
    unet, vae = found.blocks
    assert (unet.elements, unet.left_out) == (120_040, 9)
    assert (vae.elements, vae.left_out) == (315, 0)
    squares = (given["unet/a.weight"] ** 2).sum() + (given["unet/b.bias"] ** 2).sum()
    assert unet.squares == pytest.approx(squares, rel=1e-12)
    assert found.sums.shape == (2, 256)
    assert found.sums.dtype == np.float32


def test_plain_and_compiled_code_give_equal_bytes(tmp_path, monkeypatch):
    for dtype in (np.float64, np.float32, np.float16, ml_dtypes.bfloat16):
        held = checkpoint(tmp_path / "a", as_dtype(weights(), dtype))
        for limit in (0, 1 << 60):
            monkeypatch.setattr(fingerprint, "WORTH_COMPILING", limit)
            sealed.write(fingerprint.table(held), tmp_path / f"{limit}.parquet")
        found = [(tmp_path / f"{limit}.parquet").read_bytes() for limit in (0, 1 << 60)]
        assert found[0] == found[1]


def test_layout_order_and_threads_change_nothing(tmp_path, code):
    """A transposed matrix in two files, in another order, is the same tensor."""
    given = as_dtype(weights(), np.float32)
    plain = sketched(checkpoint(tmp_path / "a", given), tmp_path / "a.parquet")
    matrix = given.pop("unet/a.weight")
    (tmp_path / "m").write_bytes(matrix.T.tobytes())
    part = Part(file=tmp_path / "m", offset=0, shape=matrix.shape, strides=(1, len(matrix)))
    rest = checkpoint(tmp_path / "b", given)
    held = replace(
        rest,
        files=(*rest.files, tmp_path / "m"),
        tensors=(*rest.tensors, tensor("unet/a.weight", matrix, part)),
    )
    other = sketched(held, tmp_path / "b.parquet", threads=2)
    assert other.blocks == plain.blocks
    np.testing.assert_array_equal(other.sums, plain.sums)


@pytest.mark.parametrize(("dtype", "step"), [(np.float16, 2.0**-11), (ml_dtypes.bfloat16, 2.0**-8)])
def test_a_rounded_copy_is_as_near_as_rounding(tmp_path, dtype, step):
    given = as_dtype(weights(), np.float32)
    wide = sketched(checkpoint(tmp_path / "a", given), tmp_path / "a.parquet")
    narrow = sketched(checkpoint(tmp_path / "b", as_dtype(given, dtype)), tmp_path / "b.parquet")
    distance = np.linalg.norm(wide.sums[0] - narrow.sums[0])
    norm = np.sqrt(wide.blocks[0].squares)
    assert step / 10 < distance / norm < step
    assert wide.blocks[0].layout == narrow.blocks[0].layout


def test_differences_of_sketches_tell_distances(tmp_path, code):
    one, other = weights(), weights()
    noise = np.random.default_rng(9).normal(0, 0.001, one["unet/a.weight"].shape)
    other["unet/a.weight"] += noise
    found = [
        sketched(checkpoint(tmp_path / name, given), tmp_path / f"{name}.parquet")
        for name, given in (("a", one), ("b", other))
    ]
    estimate = np.linalg.norm(found[0].sums[0] - found[1].sums[0])
    assert estimate == pytest.approx(np.linalg.norm(noise), rel=0.15)
    np.testing.assert_array_equal(found[0].sums[1], found[1].sums[1])


def test_what_is_not_finite_is_left_out_and_told(tmp_path, code):
    given = as_dtype(weights(), np.float32)
    whole = sketched(checkpoint(tmp_path / "a", given), tmp_path / "a.parquet")
    given["unet/b.bias"][3] = np.nan
    broken = sketched(checkpoint(tmp_path / "b", given), tmp_path / "b.parquet")
    assert (broken.blocks[0].elements, broken.blocks[0].left_out) == (120_000, 40)
    assert broken.blocks[0].layout != whole.blocks[0].layout
    assert np.isfinite(broken.sums).all()


def test_what_float32_can_not_hold_is_left_out(tmp_path):
    given = weights() | {"unet/b.bias": np.full(40, 1e60)}
    found = sketched(checkpoint(tmp_path / "a", given), tmp_path / "a.parquet")
    assert found.blocks[0].left_out == 40
    assert np.isfinite(found.sums).all()


def test_other_names_or_shapes_are_another_layout(tmp_path):
    given = weights()
    renamed = {name.replace("b.bias", "d.bias"): array for name, array in given.items()}
    turned = given | {"unet/a.weight": given["unet/a.weight"].reshape(400, 300)}
    layouts = {
        sketched(checkpoint(tmp_path / "x", each), tmp_path / "x.parquet").blocks[0].layout
        for each in (given, renamed, turned)
    }
    assert len(layouts) == 3


def test_rows_are_read_without_their_sketches(tmp_path):
    held = checkpoint(tmp_path / "a", weights())
    sketched(held, tmp_path / "a.parquet")
    table, notes = sealed.read(tmp_path / "a.parquet", ["name"])
    assert not table.schema.metadata
    assert "sums" not in notes


def test_an_older_fingerprint_is_told(tmp_path):
    sealed.write(pa.table({"name": ["unet/a"]}), tmp_path / "old.parquet")
    with pytest.raises(AtlasError, match=r"old\.parquet: made before there were sketches"):
        read_sketches(tmp_path / "old.parquet")


def test_nothing_is_no_sketch(tmp_path):
    held = fingerprint.table(Checkpoint(tmp_path, (), ()))
    assert unpacked(held.schema.metadata[b"diffusion-atlas.sketches"]).blocks == ()
