"""The whole way: checkpoints, fingerprints, the pairs that fits ask for, and the table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

import adapters
from adapters import KINDS
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.low_rank import tables
from atlas.low_rank.differences import Models
from atlas.recipes.tables import FITS

BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0"
SHAPES = {
    **{f"{BLOCK}.attn1.to_{letter}.weight": (64, 64) for letter in "qkv"},
    **{f"{BLOCK}.attn2.to_{letter}.weight": (64, 96) for letter in "kv"},
    "down_blocks.0.resnets.0.conv1.weight": (64, 8, 3, 3),
    "down_blocks.0.resnets.0.conv2.weight": (64, 8, 3, 3),
    "down_blocks.0.resnets.0.norm1.weight": (64,),
}


def base() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        name: adapters.weights(generator, shape[0], int(np.prod(shape[1:]))).reshape(shape)
        for name, shape in SHAPES.items()
    }


def with_change(make, *where: str, size: float = 0.05) -> dict[str, np.ndarray]:
    """Return the base with a change of the tensors that have one of the words in their names."""
    generator = np.random.default_rng(1)
    found = base()
    for name, held in found.items():
        if any(word in name for word in where):
            flat = held.reshape(len(held), -1)
            change = adapters.unit(make(generator, *flat.shape))
            found[name] = (flat + size * np.linalg.norm(flat) * change).reshape(held.shape)
    return found


def lora_of(rank: int):
    return lambda generator, rows, columns: adapters.lora(generator, rows, columns, rank)


def full(generator, rows, columns):
    return adapters.tune(generator, rows, columns, 0.5)


@pytest.fixture
def hold(tmp_path):
    """Store models, each (weights, dtype), and return what fingerprints tell of them."""

    def hold(given: dict[str, tuple[dict[str, np.ndarray], str]]) -> Models:
        prints, homes = {}, {}
        for model, (arrays, dtype) in given.items():
            path = tmp_path / f"{model}.safetensors"
            save_file(
                {
                    f"unet/{name}": np.ascontiguousarray(array.astype(KINDS[dtype]))
                    for name, array in arrays.items()
                },
                path,
            )
            opened = open_checkpoint(path)
            prints[model] = tmp_path / f"{model}.parquet"
            sealed.write(fingerprint.table(opened), prints[model], fingerprint.notes(opened))
            homes[model] = fingerprint.anchor(opened.path)
        return Models(prints, homes, None)

    return hold


def rows(models: Models, first: str, second: str) -> dict[str, dict]:
    frame = tables.of_pair(models, first, second)
    assert list(frame.columns) == tables.COLUMNS
    assert (frame["component"] == frame["component"].iloc[0]).all()
    return {row["role"]: row for row in frame.to_dict("records")}


@pytest.mark.parametrize("dtypes", [("f32", "f32"), ("f32", "f16"), ("f16", "f32"), ("f16", "f16")])
def test_a_baked_lora_is_found_where_it_is(hold, dtypes):
    tuned = with_change(lora_of(8), "attn2", "attn1")
    found = rows(hold({"a": (base(), dtypes[0]), "b": (tuned, dtypes[1])}), "b", "a")
    assert found["*"]["verdict"] == "lora"
    assert (found["*"]["rank"], found["*"]["tensors"], found["*"]["low"]) == (8, 5, 5)
    assert set(found) == {"*", "cross_attention", "self_attention"}
    assert found["cross_attention"]["detail"] == "LoRA of rank 8 baked into cross-attention"


def test_kernels_are_matrices_of_outputs_by_all_taps(hold):
    tuned = with_change(lora_of(4), "conv")
    found = rows(hold({"a": (base(), "f32"), "b": (tuned, "f32")}), "b", "a")
    assert (found["convolution"]["verdict"], found["convolution"]["rank"]) == ("lora", 4)


def test_a_full_tune_is_none(hold):
    tuned = with_change(full, "attn", "conv", "norm")
    found = rows(hold({"a": (base(), "f16"), "b": (tuned, "f16")}), "b", "a")
    assert found["*"]["verdict"] == "full"
    assert "1 biases or norms differ too" in found["*"]["detail"]


def test_copies_and_casts_have_no_rows(hold):
    held = hold({"a": (base(), "f32"), "b": (base(), "f16"), "c": (base(), "f32")})
    for other in "bc":
        assert tables.of_pair(held, "a", other).empty


def test_a_group_has_rows_for_what_no_recipe_explains(hold):
    held = hold(
        {
            "a": (base(), "f32"),
            "b": (with_change(lora_of(8), "attn"), "f32"),
            "c": (with_change(full, "attn"), "f32"),
        }
    )
    (component,) = {each.component for each in held.differences("a", "b")}
    fits = [
        ("a", "*", "none", "b"),
        ("b", "*", "approximate", "a"),
        ("b", "IN00", "none", "c"),
        ("c", "*", "recovered", "a"),
    ]
    table = pa.Table.from_pylist(
        [
            {"target": target, "component": component, "block": block}
            | {"verdict": verdict, "nearest": nearest}
            for target, block, verdict, nearest in fits
        ],
        schema=FITS,
    )
    asked = tables.pairs(table, {"b": "c"})
    assert asked == [("a", "b", component), ("b", "a", component), ("b", "c", component)]
    frame = tables.of_group(held, asked)
    whole = frame[frame["role"] == "*"]
    assert whole[["child", "base"]].values.tolist() == [["a", "b"], ["b", "a"], ["b", "c"]]
    assert whole["verdict"].tolist() == ["lora", "lora", "full"]
    assert frame.to_csv() == tables.of_group(held, asked).to_csv()


def test_a_broken_file_costs_its_own_rows(hold, tmp_path):
    held = hold(
        {
            "a": (base(), "f32"),
            "b": (with_change(lora_of(8), "attn"), "f32"),
            "c": (with_change(lora_of(4), "attn"), "f32"),
        }
    )
    (component,) = {each.component for each in held.differences("a", "b")}
    file = tmp_path / "b.safetensors"
    file.write_bytes(file.read_bytes()[:-100_000])
    frame = tables.of_group(held, [("b", "a", component), ("c", "a", component)])
    broken = frame[frame["child"] == "b"]
    assert len(broken) == 1
    assert broken["verdict"].item() == "undecided"
    assert "b.safetensors" in broken["detail"].item()
    sound = frame[(frame["child"] == "c") & (frame["role"] == "*")]
    assert (sound["verdict"].item(), sound["rank"].item()) == ("lora", 4)


def test_other_weights_than_were_fingerprinted_are_not_told_of(hold, tmp_path):
    held = hold({"a": (base(), "f32"), "b": (with_change(lora_of(8), "attn"), "f32")})
    file = tmp_path / "b.safetensors"
    held_bytes = bytearray(file.read_bytes())
    held_bytes[len(held_bytes) // 2 :] = bytes(len(held_bytes) - len(held_bytes) // 2)
    file.write_bytes(bytes(held_bytes))
    frame = tables.of_pair(held, "b", "a")
    assert "than when it was fingerprinted" in frame["detail"].item()


def test_no_pairs_make_a_header(hold):
    held = hold({"a": (base(), "f32")})
    assert tables.of_group(held, []).to_csv(index=False) == ",".join(tables.COLUMNS) + "\n"
