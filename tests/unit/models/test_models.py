"""What is told of each model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import factory
from atlas.basis import tables
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.models import description
from atlas.relations import contents
from atlas.roster import writing


@pytest.fixture
def prints(tmp_path):
    weights = {
        "base": factory.weights(1),
        "tuned": factory.changed(factory.weights(1), 2, "unet/"),
        "nan": {"net/x": np.full(3, np.nan, np.float32), "net/y": np.zeros(2, np.float32)},
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in weights}
    for name, path in paths.items():
        folder = factory.diffusers_folder(tmp_path / name, weights[name])
        tables.write(fingerprint.table(open_checkpoint(folder)), path, {"findings": ["note"]})
    paths["lost"] = tmp_path / "lost.parquet"
    tables.write(fingerprint.SCHEMA.empty_table(), paths["lost"], {"problem": "x.ckpt: empty"})
    return paths


def test_components_are_counted_and_shared_ones_found(prints):
    rows = description.describe(prints).set_index(["model", "component"])
    assert rows.loc[("base", "unet"), "tensors"] == 6
    assert rows.loc[("base", "unet"), "parameters"] == 72 + 4 + 144 + 16 + 24 + 4
    assert rows.loc[("base", "vae"), "shared_with"] == "tuned"
    assert rows.loc[("base", "unet"), "shared_with"] == ""
    assert rows.loc[("nan", "net"), "nonfinite_tensors"] == 1
    assert rows.loc[("nan", "net"), "zero_tensors"] == 1


def described(folder: Path, weights: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Return the rows of models, by model and component."""
    paths = {name: folder / f"{name}.parquet" for name in weights}
    for name, path in paths.items():
        opened = open_checkpoint(factory.diffusers_folder(folder / name, weights[name]))
        tables.write(fingerprint.table(opened), path)
    return description.describe(paths).set_index(["model", "component"])


def test_the_commonest_dtype_comes_first(tmp_path):
    kinds = {"net/a": np.float32, "net/b": np.float16, "net/c": np.float16}
    rows = described(tmp_path, {"x": {name: np.ones(2, kind) for name, kind in kinds.items()}})
    assert rows.loc[("x", "net"), "dtype"] == "f16 f32"


def test_weights_are_shared_only_where_all_are(tmp_path):
    one, zeros = np.ones(2, np.float32), np.zeros(2, np.float32)
    weights = {
        "once": {"net/a": one, "net/b": zeros},
        "same": {"net/a": one, "net/b": zeros},
        "twice": {"net/a": one, "net/b": zeros, "net/c": zeros},
    }
    rows = described(tmp_path, weights)
    assert rows["shared_with"].tolist() == ["same", "once", ""]


def test_a_model_may_share_weights_with_itself(tmp_path):
    one = np.ones(2, np.float32)
    rows = described(tmp_path, {"x": {"text_encoder/a": one, "text_encoder_2/a": one}})
    assert rows["shared_with"].tolist() == ["x:text_encoder_2", "x:text_encoder"]


def test_equal_counters_are_nothing_to_share(tmp_path):
    weights = {name: {"other/steps": np.ones(1, np.int64)} for name in ("a", "b")}
    assert described(tmp_path, weights)["shared_with"].tolist() == ["", ""]


def test_a_long_list_of_models_is_cut_and_counted(tmp_path):
    one = {"net/a": np.ones(2, np.float32)}
    names = [f"m{number:02d}" for number in range(11)]
    frame = described(tmp_path, dict.fromkeys(names, one)).reset_index()
    page = description.document(frame, {name: name.upper() for name in names}, {})
    assert "| M01, M02, M03, M04, M05, M06, M07, M08 and 2 more |" in page


def test_the_page_starts_with_problems(prints):
    page = description.document(
        description.describe(prints),
        {name: name.upper() for name in prints},
        {"base": ["a finding"]},
    )
    assert page.index("**LOST**: x.ckpt: empty") < page.index("| BASE | UNet |")
    assert "**BASE**: a finding" in page
    assert "| nan |" not in page  # no model's architecture is known
    assert "1 of 2 tensors hold NaN or infinity" in page


def test_equal_weights_under_other_names_are_shared(tmp_path):
    base = factory.weights(1)
    unet = {name: value for name, value in base.items() if name.startswith("unet/")}
    held = {
        "base": base,
        "other": {name.replace("unet/", "network/x."): value for name, value in unet.items()},
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in held}
    for name, path in paths.items():
        folder = factory.diffusers_folder(tmp_path / name, held[name])
        tables.write(fingerprint.table(open_checkpoint(folder)), path)
    frame = description.describe(paths)
    rows = frame.set_index(["model", "component"])
    assert rows.loc[("base", "unet"), "shared_with"] == "other:network"
    page = description.document(frame, {"base": "B", "other": "O"}, {})
    assert "| O | network |" in page
    assert "B: UNet |" in page


def test_a_sentence_stands_once_for_all_its_models(prints):
    labels = {name: name.upper() for name in prints}
    findings = {"base": ["a finding"], "tuned": ["a finding", "another"]}
    page = description.document(description.describe(prints), labels, findings)
    assert "**BASE, TUNED**: a finding" in page
    assert "**TUNED**: another" in page
    assert "**NAN**: net: 1 of 2 tensors are all zero" in page


def test_a_model_that_lacks_its_autoencoder_is_told(tmp_path):
    weights = {n: v for n, v in factory.weights(1).items() if not n.startswith("vae/")}
    path = tmp_path / "x.parquet"
    folder = factory.diffusers_folder(tmp_path / "x", weights)
    tables.write(fingerprint.table(open_checkpoint(folder)), path)
    page = description.document(description.describe({"x": path}), {"x": "X"}, {})
    assert "**X**: holds a UNet, but no VAE" in page


def test_an_adapter_is_told_and_kept_out_of_comparisons(tmp_path):
    down, up = np.ones((2, 4), np.float32), np.ones((4, 2), np.float32)
    keys = {
        "lora_unet_mid_block_x.lora_down.weight": down,
        "lora_unet_mid_block_x.lora_up.weight": up,
    }
    opened = open_checkpoint(factory.single_file(tmp_path / "lora.safetensors", keys))
    path = tmp_path / "lora.parquet"
    tables.write(fingerprint.table(opened), path, {"kind": opened.kind})
    assert contents.load([path, path], ["a", "b"]).index.shape == (0, 2)
    page = description.document(description.describe({"lora": path}), {"lora": "L"}, {})
    assert "**L**: a LoRA or another adapter, no model: kept out of comparisons" in page


def test_a_written_roster_has_safe_unique_ids(tmp_path):
    for name in ("My Model (v1.5).ckpt", "a/model.safetensors", "b/model.safetensors", "x/no.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    for shard in (1, 2):
        (tmp_path / f"big-0000{shard}-of-00002.safetensors").write_bytes(b"")
    factory.diffusers_folder(tmp_path / "Folder", factory.weights(1))
    ids = writing.ids_for(writing.find_checkpoints(tmp_path))
    assert {name: path.name for name, path in ids.items()} == {
        "folder": "Folder",
        "my-model-v1.5": "My Model (v1.5).ckpt",
        "a-model": "model.safetensors",
        "b-model": "model.safetensors",
        "big": "big-*.safetensors",
    }


def test_a_folder_without_checkpoints_is_told(tmp_path):
    with pytest.raises(AtlasError, match="holds no checkpoint"):
        writing.find_checkpoints(tmp_path)
    with pytest.raises(AtlasError, match="no such folder"):
        writing.find_checkpoints(tmp_path / "absent")


def test_a_component_that_was_not_read_is_told_with_its_reason(tmp_path):
    base = factory.weights(1)
    unet = {name: value for name, value in base.items() if name.startswith("unet/")}
    folder = factory.diffusers_folder(
        tmp_path / "x", base | dict.fromkeys(unet, np.ones((40, 40), np.int8))
    )
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    opened = open_checkpoint(folder)
    path = tmp_path / "x.parquet"
    tables.write(fingerprint.table(opened), path, fingerprint.notes(opened))
    frame = description.describe({"x": path})
    rows = frame.set_index("component")
    assert "before quantisation" in rows.loc["unet", "refused"]
    assert "the file is empty" in rows.loc["vae", "problem"]
    assert pd.isna(rows.loc["unet", "problem"])
    assert pd.isna(rows.loc["vae", "refused"])
    assert rows.loc["text_encoder", "tensors"] == 2
    page = description.document(frame, {"x": "X"}, {})
    assert "## Unreadable\n\n- **X, VAE**: " in page
    assert "## Not compared\n\n- **X, UNet**: " in page
    assert "| X | text encoder |" in page
    assert "| X | UNet |" not in page
    assert "but no VAE" not in page
