"""Fingerprints of whole checkpoints: rows, digests, casts, and what must not be stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import xxhash

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.checkpoint import Checkpoint, Part
from atlas.fingerprints import fingerprint
from stored import DTYPES, checkpoint, tensor

SCRIPTS = Path(fingerprint.__file__).parents[2]


@pytest.fixture(params=["plain", "compiled"])
def code(request, monkeypatch):
    """Run with the plain and with the compiled code."""
    monkeypatch.setattr(
        fingerprint, "WORTH_COMPILING", 0 if request.param == "compiled" else 1 << 60
    )


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    wide = generator.standard_normal((300, 500)) * 0.05
    return {
        f"unet/{name}": wide[: 50 + i].astype(kind)
        for i, (name, kind) in enumerate((name, kind) for name, kind in DTYPES.items())
    }


def rows(held: Checkpoint, **given) -> dict[str, dict]:
    return {row["name"]: row for row in fingerprint.table(held, **given).to_pylist()}


def test_every_tensor_has_a_row_in_order_of_name(tmp_path, code):
    held = checkpoint(tmp_path / "a", arrays() | {"vae/x": np.zeros(3, np.float32)})
    table = fingerprint.table(held)
    assert table.schema == fingerprint.SCHEMA
    assert table["name"].to_pylist() == sorted(tensor.name for tensor in held.tensors)
    row = rows(held)["unet/f32"]
    assert (row["dtype"], row["shape"], row["numel"]) == ("f32", [51, 500], 51 * 500)


def test_a_digest_is_that_of_dtype_shape_and_bytes(tmp_path, code):
    given = arrays()
    for name, row in rows(checkpoint(tmp_path / "a", given)).items():
        head = f"{row['dtype']}[{','.join(map(str, given[name].shape))}]".encode()
        assert row["digest"] == xxhash.xxh3_128_hexdigest(head + given[name].tobytes())


def test_digests_tell_dtypes_and_shapes_apart(tmp_path):
    same = {
        "unet/a": np.zeros((4, 6), np.float16),
        "unet/b": np.zeros((6, 4), np.float16),
        "unet/c": np.zeros((4, 6), ml_dtypes.bfloat16),
        "unet/d": np.zeros((4, 3), np.float32),
    }
    assert len({row["digest"] for row in rows(checkpoint(tmp_path / "a", same)).values()}) == 4


@pytest.mark.parametrize("half", ["f16", "bf16", "f8_e4m3fn", "f8_e5m2"])
def test_a_narrower_copy_has_the_digest_that_was_foretold(tmp_path, code, half):
    floating = {name: array for name, array in arrays().items() if array.dtype.kind not in "iub"}
    copies = {
        name: array.astype(np.float32).astype(DTYPES[half]) for name, array in floating.items()
    }
    original = rows(checkpoint(tmp_path / "a", floating))
    copy = rows(checkpoint(tmp_path / "b", copies))
    for name, row in original.items():
        assert row[f"digest_{half}"] == copy[name]["digest"]
        assert copy[name][f"digest_{half}"] == copy[name]["digest"]


def test_a_float32_copy_of_float64_has_the_digest_that_was_foretold(tmp_path, code):
    wide = {"unet/x": np.random.default_rng(0).standard_normal(70_000)}
    narrow = {"unet/x": wide["unet/x"].astype(np.float32)}
    back = {"unet/x": narrow["unet/x"].astype(np.float64)}
    given = {"a": wide, "b": narrow, "c": back}
    found = [rows(checkpoint(tmp_path / name, each))["unet/x"] for name, each in given.items()]
    assert found[1]["digest"] == found[1]["digest_f32"]
    assert found[0]["digest_f32"] == found[2]["digest_f32"] == found[1]["digest"]
    half = {"unet/x": narrow["unet/x"].astype(np.float16)}
    assert rows(checkpoint(tmp_path / "d", half))["unet/x"]["digest_f32"] is None


def test_integers_have_a_digest_alone(tmp_path):
    row = rows(checkpoint(tmp_path / "a", arrays()))["unet/i64"]
    empty = ("digest_f16", "digest_f8_e5m2", "norm", "mean", "std", "kurtosis")
    assert [row[column] for column in empty] == [None] * 6
    assert row["nonfinite"] == 0


def test_nan_and_infinities_are_counted(tmp_path, code):
    values = np.ones(70_000, np.float16)
    values[[5, 69_000]] = np.nan, np.inf
    row = rows(checkpoint(tmp_path / "a", {"unet/x": values}))["unet/x"]
    assert (row["nonfinite"], row["mean"], row["norm"]) == (2, 1.0, np.sqrt(69_998))


def test_a_tensor_without_elements_has_a_row(tmp_path, code):
    row = rows(checkpoint(tmp_path / "a", {"unet/x": np.zeros((0, 3), np.float32)}))["unet/x"]
    assert (row["numel"], row["norm"], row["mean"], row["std"]) == (0, 0.0, None, None)


def test_a_view_is_the_same_weights_as_its_copy(tmp_path):
    base = np.random.default_rng(0).standard_normal((120, 40)).astype(np.float32)
    path = tmp_path / "fused"
    path.write_bytes(base.tobytes())
    part = Part(file=path, offset=4 * 40 * 30, shape=(40, 60), strides=(1, 40))
    view = base[30:90].T
    fused = Checkpoint(path, (path,), (tensor("unet/q", view, part),))
    plain = checkpoint(tmp_path / "plain", {"unet/q": view})
    assert rows(fused)["unet/q"]["digest"] == rows(plain)["unet/q"]["digest"]


def test_parts_say_where_the_elements_lie(tmp_path):
    held = checkpoint(tmp_path / "weights", {"unet/x": np.arange(6, dtype=np.float32)})
    (part,) = rows(held)["unet/x"]["parts"]
    home = fingerprint.anchor(held.path)
    assert home == tmp_path
    with (home / part["file"]).open("rb") as file:
        file.seek(part["offset"])
        np.testing.assert_array_equal(np.frombuffer(file.read(24), np.float32), np.arange(6))


def test_plain_and_compiled_code_give_equal_fingerprints(tmp_path, monkeypatch):
    held = checkpoint(tmp_path / "model", arrays())
    plain = fingerprint.table(held)
    monkeypatch.setattr(fingerprint, "WORTH_COMPILING", 0)
    assert fingerprint.table(held).equals(plain)


def test_equal_checkpoints_give_equal_bytes_whatever_the_threads(tmp_path, code):
    for folder, threads in (("a", 1), ("b", 3)):
        (tmp_path / folder).mkdir()
        held = checkpoint(tmp_path / folder / "model", arrays())
        sealed.write(fingerprint.table(held, threads=threads), tmp_path / f"{folder}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_plain_and_compiled_code_agree(tmp_path, monkeypatch):
    held = checkpoint(tmp_path / "a", arrays())
    plain = rows(held)
    monkeypatch.setattr(fingerprint, "WORTH_COMPILING", 0)
    for name, row in rows(held).items():
        for column, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(plain[name][column], rel=1e-9, abs=1e-12)
            else:
                assert value == plain[name][column]


def test_a_checkpoint_replaced_while_it_is_read_is_refused(tmp_path, monkeypatch):
    held = checkpoint(tmp_path / "model", arrays())
    read = fingerprint.read_range

    def read_and_replace(files, stored, start, buffer):
        read(files, stored, start, buffer)
        if stored.name == "unet/f32":
            (tmp_path / "new").write_bytes(held.path.read_bytes())
            (tmp_path / "new").replace(held.path)

    monkeypatch.setattr(fingerprint, "read_range", read_and_replace)
    with pytest.raises(AtlasError, match=r"model: changed while it was being read"):
        fingerprint.table(held)


def test_a_small_checkpoint_loads_no_heavy_library(tmp_path):
    np.save(tmp_path / "weights.npy", np.ones(100, np.float32))
    program = f"""
import sys
from pathlib import Path
from atlas.basis import sealed
from atlas.basis.arrow import spare_pandas
from atlas.fingerprints import fingerprint
from atlas.checkpoint import Checkpoint, Part, Tensor
spare_pandas()
file = Path({str(tmp_path / "weights.npy")!r})
part = Part(file, 128, (100,))
tensor = Tensor("k", "unet/k", "unet", "b", "other", "f32", (100,), (part,))
table = fingerprint.table(Checkpoint(file, (file,), (tensor,)))
sealed.write(table, Path({str(tmp_path / "out.parquet")!r}))
print(sorted(set(sys.modules) & {{"torch", "pandas", "numba", "scipy", "diffusers", "matplotlib"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
