"""A group with nothing to compare gets results that say so, and one of two its pair's picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import factory
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from relations import (
    compare_group,
    compare_pair,
    export_notebook,
    identify_components,
    plot_group,
    plot_identity,
    write_matrices,
)

BASE = factory.weights(seed=1)
LORA = {
    "lora_unet_mid_block_x.lora_down.weight": np.ones((2, 4), np.float32),
    "lora_unet_mid_block_x.lora_up.weight": np.ones((4, 2), np.float32),
}
INTEGERS = {"other/steps": np.arange(3)}

Prints = dict[str, Path]

FACTS = {
    "measure": "l2",
    "group": "g",
    "base": None,
    "reference": None,
    "ordered": False,
    "tags": {},
}
"""What the pictures of a group are told of it here."""


@pytest.fixture
def prints(tmp_path: Path) -> Prints:
    """Return fingerprints of what can't be compared, and of two copies of one model."""
    lora = open_checkpoint(factory.single_file(tmp_path / "lora.safetensors", LORA))
    integers = open_checkpoint(factory.diffusers_folder(tmp_path / "integers", INTEGERS))
    model = open_checkpoint(factory.diffusers_folder(tmp_path / "model", BASE))
    written: Mapping[str, tuple] = {
        "lora": (fingerprint.table(lora), {"kind": lora.kind}),
        "integers": (fingerprint.table(integers),),
        "broken": (fingerprint.SCHEMA.empty_table(), {"problem": "x.ckpt: empty"}),
        "model": (fingerprint.table(model),),
        "copy": (fingerprint.table(model),),
    }
    assert lora.kind == "lora"
    for name, (table, *notes) in written.items():
        sealed.write(table, tmp_path / f"{name}.parquet", *notes)
    return {name: tmp_path / f"{name}.parquet" for name in written}


def results(folder: Path, group: Prints) -> Path:
    """Make all that is made of a group, but distances, and return its folder."""
    labels = {name: name.upper() for name in group}
    stem, models = folder / "identity", list(group)
    ids = {name: group[name] for name in sorted(group)}
    identify_components.main(
        fingerprints=group, renamings=None, labels=labels, group="g", stem=stem
    )
    table = stem.with_suffix(".csv")
    plot_identity.main(
        table=table, group="g", models=models, labels=labels, base=None, stem=folder / "identity"
    )
    distances, matrices = folder / "distances.parquet", folder / "matrices"
    given = {"fingerprints": ids, "renamings": None, "shard_files": [], "measured_by": 1}
    compare_group.main(**given, table=distances)
    write_matrices.main(table=distances, models=models, measures=["l2"], folder=matrices)
    paths = {name: f"models/{name}.safetensors" for name in group}
    export_notebook.main(folder=matrices, group="g", paths=paths, target=folder / "notebook.json")
    pair = folder / "pair.parquet" if len(group) == 2 else None
    if pair:
        compare_pair.main(**given, table=pair, blocks=folder / "pair.blocks.parquet")
        alike = pq.read_table(folder / "pair.blocks.parquet")
        assert alike.equals(pq.read_table(distances)), "a group of two is its pair"
    facts = FACTS | {"labels": labels, "identity": table, "pair": pair, "distances": distances}
    facts["described"] = None
    plot_group.main(matrix_folder=matrices, **facts, imported=False, folder=folder / "plots")
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ["lora"],
        ["model"],
        ["lora", "lora2"],
        ["broken", "broken2"],
        ["integers", "integers2"],
        ["model", "lora"],
        ["model", "broken", "integers", "lora"],
    ],
    ids="+".join,
)
def test_all_results_say_in_a_sentence_that_there_is_nothing(prints, tmp_path, names):
    group = {name: prints[name.rstrip("2")] for name in names}
    made = results(tmp_path / "made", group)
    said = "the group has one model" if len(names) == 1 else f"no two of the {len(names)} models"
    page, notebook = (made / "identity.md").read_text(), (made / "notebook.json").read_text()
    assert f"Nothing to compare: {said}" in page
    assert "Nothing to compare" in (made / "identity.html").read_text()
    pictures = {path.name for path in (made / "plots").iterdir()}
    assert pictures == {"all.notice.png", "all.notice.svg"}
    for picture in (made / "plots" / "all.notice.svg", made / "identity.svg"):
        text = picture.read_text()
        assert "Nothing to compare" in text
        assert f"Group g: {said}" in text
    if "model" not in names or len(names) == 1:
        assert f"Nothing to compare: {said}" in (made / "matrices" / "all.html").read_text()
        assert f"Nothing to compare: {said}" in json.loads(notebook)["note"]
        assert json.loads(notebook)["ml"] == [f"{name}.safetensors" for name in names]


def test_a_group_of_two_has_the_picture_of_its_pair(prints, tmp_path):
    made = results(tmp_path / "made", {name: prints[name] for name in ("model", "copy")})
    pictures = {path.name for path in (made / "plots").iterdir()}
    kinds = {"all.histograms", *(f"{part}.blocks" for part in ("unet", "vae", "text_encoder"))}
    assert pictures == {f"{kind}.{form}" for kind in kinds for form in ("png", "svg")}
    assert "COPY and MODEL: no tensor differs" in (made / "plots/all.histograms.svg").read_text()


def test_two_published_models_have_a_heatmap_alone(tmp_path):
    (tmp_path / "unet.l2.csv").write_text("model,a,b\na,0,1.5\nb,1.5,0\n")
    facts = FACTS | {
        "labels": {},
        "identity": None,
        "pair": None,
        "described": None,
        "distances": None,
    }
    plot_group.main(matrix_folder=tmp_path, **facts, imported=True, folder=tmp_path / "plots")
    pictures = {path.name for path in (tmp_path / "plots").iterdir()}
    assert pictures == {"unet.heatmap.png", "unet.heatmap.svg"}


def test_models_called_null_are_models(tmp_path):
    table = tmp_path / "identity.csv"
    columns = "a,b,component,verdict,identical_tensors,tensors,what,cast_tensors,raw_is_ema"
    table.write_text(columns + "\n")
    with table.open("a") as file:
        file.write("NA,null,nan,identical,1,1,identical,0,\n")
    stem = tmp_path / "identity"
    models, labels = ["null", "NA"], {"null": "null", "NA": "NA"}
    plot_identity.main(table=table, group="g", models=models, labels=labels, base=None, stem=stem)
    assert "nan: 2 of 2 models have the same weights" in stem.with_suffix(".svg").read_text()


def test_a_component_with_signs_in_its_name_has_files_and_its_own_name(prints, tmp_path):
    weights = {f"<!--{name}".replace("vae/", "vae>/"): value for name, value in BASE.items()}
    for number in range(3):
        folder = factory.diffusers_folder(tmp_path / f"m{number}", weights)
        sealed.write(fingerprint.table(open_checkpoint(folder)), tmp_path / f"m{number}.parquet")
    made = results(tmp_path / "made", {f"m{n}": tmp_path / f"m{n}.parquet" for n in range(3)})
    assert (made / "matrices" / "%3C%21--vae%3E.coverage.csv").is_file()
    assert "&lt;!--vae&gt;: distances" in (made / "matrices" / "%3C%21--vae%3E.html").read_text()
    assert "&lt;!--vae&gt;: all 3 models" in (made / "plots/%3C%21--vae%3E.map.svg").read_text()
    assert not [path for path in made.rglob("*") if "<" in path.name]
    assert "<!--vae>" in json.loads((made / "notebook.json").read_text())["dm"]
