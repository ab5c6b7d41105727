"""What is told of each model."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import factory
from atlas.basis import page, sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.models import description
from atlas.relations import contents


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
        sealed.write(fingerprint.table(open_checkpoint(folder)), path, {"findings": ["note"]})
    paths["lost"] = tmp_path / "lost.parquet"
    sealed.write(fingerprint.SCHEMA.empty_table(), paths["lost"], {"problem": "x.ckpt: empty"})
    return paths


def test_components_are_counted_and_shared_ones_found(prints):
    rows = description.describe(prints)[0].set_index(["model", "component"])
    assert rows.loc[("base", "unet"), "tensors"] == 6
    assert rows.loc[("base", "unet"), "parameters"] == 72 + 4 + 144 + 16 + 24 + 4
    assert rows.loc[("base", "vae"), "shared_with"] == "tuned"
    assert rows.loc[("base", "unet"), "shared_with"] == ""
    assert rows.loc[("nan", "net"), "nonfinite_tensors"] == 1
    assert rows.loc[("nan", "net"), "zero_tensors"] == 1


def document(*parts: object) -> str:
    """Return the page of all models in Markdown."""
    return page.markdown(*description.overview(*parts))


def described(folder: Path, weights: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Return the rows of models, by model and component."""
    paths = {name: folder / f"{name}.parquet" for name in weights}
    for name, path in paths.items():
        opened = open_checkpoint(factory.diffusers_folder(folder / name, weights[name]))
        sealed.write(fingerprint.table(opened), path)
    return description.describe(paths)[0].set_index(["model", "component"])


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
    told = document(frame, {name: name.upper() for name in names}, {})
    others = "; ".join(f"M{number:02d} (m{number:02d})" for number in range(1, 9))
    assert f"| {others} and 2 more |" in told
    (whole,) = description.portrait(frame, "m00", {}, {})[2]
    assert whole.rows[0][-1] == "; ".join(names[1:]), "a model's own page has all of them"


def test_the_page_starts_with_problems(prints):
    told = document(
        description.describe(prints)[0],
        {name: name.upper() for name in prints},
        {"base": ["a finding"]},
    )
    order = ["LOST (lost)**: x.ckpt: empty", "**BASE (base)**: a finding", "| BASE (base) | UNet |"]
    places = [told.index(text) for text in order]
    assert places == sorted(places)
    assert "- 4 models, 1 of them unreadable." in told
    assert "| nan |" not in told  # no model's architecture is known
    assert "1 of 2 tensors hold NaN or infinity" in told


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
        sealed.write(fingerprint.table(open_checkpoint(folder)), path)
    frame = description.describe(paths)[0]
    rows = frame.set_index(["model", "component"])
    assert rows.loc[("base", "unet"), "shared_with"] == "other:network"
    told = document(frame, {"base": "B", "other": "O"}, {})
    assert "| O (other) | network |" in told
    assert "B (base): UNet |" in told


def test_a_sentence_stands_once_for_all_its_models(prints):
    labels = {name: name.upper() for name in prints}
    findings = {"base": ["a finding"], "tuned": ["a finding", "another"]}
    told = document(description.describe(prints)[0], labels, findings)
    assert "**BASE (base); TUNED (tuned)**: a finding" in told
    assert "**TUNED (tuned)**: another" in told
    assert "**NAN (nan)**: net: 1 of 2 tensors are all zero" in told


def test_a_model_that_lacks_its_autoencoder_is_told(tmp_path):
    weights = {n: v for n, v in factory.weights(1).items() if not n.startswith("vae/")}
    path = tmp_path / "x.parquet"
    folder = factory.diffusers_folder(tmp_path / "x", weights)
    sealed.write(fingerprint.table(open_checkpoint(folder)), path)
    told = document(description.describe({"x": path})[0], {"x": "X"}, {})
    assert "**X (x)**: holds a UNet, but no VAE" in told


def test_an_adapter_is_told_and_kept_out_of_comparisons(tmp_path):
    down, up = np.ones((2, 4), np.float32), np.ones((4, 2), np.float32)
    keys = {
        "lora_unet_mid_block_x.lora_down.weight": down,
        "lora_unet_mid_block_x.lora_up.weight": up,
    }
    opened = open_checkpoint(factory.single_file(tmp_path / "lora.safetensors", keys))
    path = tmp_path / "lora.parquet"
    sealed.write(fingerprint.table(opened), path, {"kind": opened.kind})
    assert contents.load([path, path], ["a", "b"]).index.shape == (0, 2)
    told = document(description.describe({"lora": path})[0], {"lora": "L"}, {})
    assert "**L (lora)**: a LoRA or another adapter, no model: kept out of comparisons" in told


def test_a_label_with_commas_and_signs_stays_one_name(tmp_path):
    one = {"net/a": np.ones(2, np.float32)}
    frame = described(tmp_path, {"a": one, "b": one, "c": one}).reset_index()
    labels = {"a": "A, B; C", "b": "</script>|", "c": "c"}
    told = document(frame, labels, {})
    assert "| &lt;/script>\\| (b) | net |" in told
    assert '| "A, B; C (a)"; &lt;/script>\\| (b) |' in told
    assert frame["shared_with"].tolist() == ["b; c", "a; c", "a; b"]


def test_what_is_not_known_is_no_word_of_a_page(prints, tmp_path):
    prints["bare"] = tmp_path / "bare.parquet"
    sealed.write(fingerprint.SCHEMA.empty_table(), prints["bare"])
    for models in (["lost"], ["bare"], ["lost", "bare"], list(prints)):
        frame = description.describe({model: prints[model] for model in models})[0]
        labels = {model: model.upper() for model in models}
        shown = [document(frame, labels, {})]
        shown += [page.html(*description.portrait(frame, model, labels, {})) for model in models]
        cells = re.split(r"[|<>\n;,]", "".join(shown))
        assert not {"nan", "<NA>", "None", "NaN"} & {cell.strip() for cell in cells}
    assert "**BARE (bare)**: holds no tensors" in shown[0]


def test_whole_numbers_stay_whole_beside_an_unreadable_model(prints):
    text = description.describe(prints)[0].to_csv(index=False)
    assert "base,model,unet,,f32,6,264,0,0,,,,1056\n" in text
    assert "lost,,,,,,,,,,x.ckpt: empty,,\n" in text


def test_models_stand_in_the_order_given(prints):
    order = ["tuned", "lost", "base"]
    frame = description.describe({model: prints[model] for model in order})[0]
    assert list(dict.fromkeys(frame["model"])) == order


def test_a_page_of_one_model_tells_of_it_alone(prints):
    frame, labels = description.describe(prints)[0], {"base": "Base"}
    title, told, sections = description.portrait(frame, "base", labels, {"base": ["a finding"]})
    assert (title, told) == ("Base (base)", ["a finding"])
    assert {row[0] for row in sections[0].rows} == {"Base (base)"}
    assert description.portrait(frame, "lost", {}, {}) == ("lost", ["x.ckpt: empty"], [])


def test_a_component_that_was_not_read_is_told_with_its_reason(tmp_path):
    base = factory.weights(1)
    unet = {name: value for name, value in base.items() if name.startswith("unet/")}
    folder = factory.diffusers_folder(
        tmp_path / "x", base | dict.fromkeys(unet, np.ones((40, 40), np.int8))
    )
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    opened = open_checkpoint(folder)
    path = tmp_path / "x.parquet"
    sealed.write(fingerprint.table(opened), path, fingerprint.notes(opened))
    frame = description.describe({"x": path})[0]
    rows = frame.set_index("component")
    assert "before quantisation" in rows.loc["unet", "refused"]
    assert "the file is empty" in rows.loc["vae", "problem"]
    assert pd.isna(rows.loc["unet", "problem"])
    assert pd.isna(rows.loc["vae", "refused"])
    assert rows.loc["text_encoder", "tensors"] == 2
    told = document(frame, {"x": "X"}, {})
    assert "## Unreadable\n\n- **X (x), VAE**: " in told
    assert "## Not compared\n\n- **X (x), UNet**: " in told
    assert "| X (x) | text encoder |" in told
    assert "| X (x) | UNet |" not in told
    assert "but no VAE" not in told


def test_bytes_are_those_of_the_weights_as_stored(tmp_path):
    kinds = {"net/a": np.float32, "net/b": np.float16, "vae/c": np.float16, "other/d": np.int64}
    rows = described(tmp_path, {"x": {name: np.ones(3, kind) for name, kind in kinds.items()}})
    assert rows.loc[("x", "net"), "bytes"] == 3 * (4 + 2)
    assert rows.loc[("x", "vae"), "bytes"] == 3 * 2
    assert rows.loc[("x", "other"), "bytes"] == 3 * 8


def test_sentences_are_those_that_pages_of_models_begin_with(prints):
    frame, _ = description.describe(prints)
    told = description.sentences(frame, list(prints), {"base": ["a finding"]})
    assert list(told) == list(prints)
    for model in prints:
        assert told[model] == description.portrait(frame, model, {}, {"base": ["a finding"]})[1]
    assert told["lost"] == ["x.ckpt: empty"]
    assert told["base"] == ["a finding"]
    assert told["nan"][0].startswith("net: 1 of 2 tensors hold NaN")
