"""Claims of files and roster come through the workflow, and another roster changes them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from safetensors.numpy import save_file

import factory
from said_in_files import merge
from workflow_runs import Atlas

TARGET = "results/groups/all/claims.csv"
RECIPE = {
    "type": "webui",
    "primary_model_hash": "a" * 64,
    "secondary_model_hash": "b" * 64,
    "interp_method": "Weighted sum",
    "multiplier": 0.3,
}


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    """Return three files: the last says that it is a merge of the others."""
    atlas = Atlas(tmp_path)
    for seed, (name, texts) in enumerate({"a": {}, "b": {}, "m": merge(RECIPE)}.items()):
        weights = factory.weights(seed)
        folder = factory.diffusers_folder(tmp_path / "models" / name, weights)
        for file in sorted(folder.rglob("unet/*.safetensors")):
            held = {key[5:]: each for key, each in weights.items() if key.startswith("unet/")}
            save_file(held, file, metadata=texts or None)
        atlas.models[name] = {"path": f"models/{name}", "label": f"label of {name}"}
    atlas.groups["all"] = {"models": list(atlas.models)}
    return atlas


def table(atlas: Atlas) -> pd.DataFrame:
    return pd.read_csv(atlas.folder / TARGET, keep_default_na=False)


def test_claims_of_files_and_of_the_roster(atlas: Atlas) -> None:
    atlas.models["b"]["recipe"] = {"kind": "cast", "of": "labell"}
    done = atlas.run(TARGET)
    assert done.success, done.output
    found = table(atlas)
    merged = found[found["model"] == "m"]
    assert list(merged["component"]) == ["unet", "unet"]
    assert list(zip(merged["parent_model"], merged["weight"], strict=True)) == [
        ("a", 0.7),
        ("b", 0.3),
    ]
    (fault,) = found[found["model"] == "b"]["detail"]
    assert "there is no model labell" in fault
    assert "there is no model labell" in (atlas.folder / "logs/collect_claims/all.log").read_text()

    atlas.models["b"]["recipe"] = {"kind": "cast", "of": "a", "day": "</script>"}
    again = atlas.run(TARGET)
    assert again.success, again.output
    assert again.jobs == {"collect_claims": 1}
    (row,) = json.loads(table(atlas).query("model == 'b'").to_json(orient="records"))
    assert (row["kind"], row["parent_model"], row["how"]) == ("cast", "a", "id")
