"""What a group's models are, what is there twice, and the path of an ordered one, as jobs."""

from __future__ import annotations

import csv
import json

import numpy as np

import factory
from workflow_runs import Atlas

FILES = ("models.csv", "duplicates.csv", "path.csv")


def test_a_group_is_described_by_its_own_models_alone(atlas: Atlas):
    base = factory.weights(seed=1)
    held = {
        "base": base,
        "half": {name: value.astype(np.float16) for name, value in base.items()},
        "tuned": factory.changed(base, 2, "unet/"),
        "other": factory.weights(seed=3),
    }
    for name, weights in held.items():
        folder = factory.diffusers_folder(atlas.folder / "checkpoints" / name, weights)
        atlas.models[name] = {"path": str(folder), "label": f"</script> {name}"}
    broken = atlas.folder / "checkpoints" / "broken.safetensors"
    broken.write_bytes(b"")
    atlas.models["broken"] = {"path": str(broken)}
    given = {"models": ["base", "broken", "tuned", "half"], "ordered": True}
    atlas.groups = {"g": given, "later": {"models": ["base", "other"]}}
    targets = [f"results/groups/g/{name}" for name in FILES]
    done = atlas.run(*targets, distances={"shards": 1})
    assert done.success, done.output
    assert done.jobs["describe_group"] == done.jobs["report_duplicates"] == 1
    group = atlas.folder / "results" / "groups" / "g"
    models, duplicates, path = (rows_of(group / name) for name in FILES)
    assert list(dict.fromkeys(row["model"] for row in models)) == given["models"]
    (row,) = (row for row in models if row["model"] == "broken")
    assert "empty" in row["problem"]
    assert {row["file_bytes"] for row in models if row["model"] == "base"} == {
        str(sum(file.stat().st_size for file in weights_below(atlas.folder / "checkpoints/base")))
    }
    told = json.loads((group / "findings.json").read_text())
    assert list(told) == given["models"]
    assert told["broken"] == [row["problem"]]
    relations = {row["model"]: (row["relation"], row["of"]) for row in duplicates}
    assert relations["half"] == ("cast", "base")
    assert {relation for model, (relation, _) in relations.items() if model != "half"} == {""}
    steps = [(row["from"], row["to"]) for row in path if row["component"] == "unet"]
    assert steps == [("base", "tuned"), ("tuned", "half")]
    assert "<script" not in (group / "duplicates.html").read_text().lower()

    more = factory.diffusers_folder(atlas.folder / "checkpoints" / "more", factory.weights(seed=4))
    atlas.models["more"] = {"path": str(more)}
    atlas.groups["later"]["models"].append("more")
    done = atlas.run(
        "results/groups/g/models.csv", "results/groups/later/models.csv", distances={"shards": 1}
    )
    assert done.success, done.output
    assert done.jobs["describe_group"] == 1


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def weights_below(folder):
    return [file for file in folder.rglob("*") if file.suffix == ".safetensors"]
