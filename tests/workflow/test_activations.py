"""Datasets of activations by the real workflow: which jobs run, and what they make."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from workflow_runs import Atlas

pytestmark = pytest.mark.slow  # all together

CHUNK = 8
SIDE = 16


def write_network(folder: Path, seed: int) -> None:
    """Write a narrow UNet2DModel of four classes as a diffusers folder."""
    import torch
    from diffusers import UNet2DModel

    torch.manual_seed(seed)
    UNet2DModel(
        sample_size=SIDE,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8,
        num_class_embeds=4,
    ).save_pretrained(folder / "unet")
    index = {"_class_name": "DiffusionPipeline", "unet": ["diffusers", "UNet2DModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))


def ran(run: Any) -> Counter[str]:
    """Return how many jobs of each rule ended well, those that a plan's end added too."""
    return Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", run.output))


class Datasets:
    """A working directory with two networks, and datasets of what they see."""

    def __init__(self, folder: Path) -> None:
        self.atlas = Atlas(folder)
        for number, name in enumerate(("net", "other")):
            write_network(folder / "models" / name, number)
            self.atlas.models[name] = {"path": f"models/{name}"}
        self.results = folder / "results" / "activations"

    def run(self, *targets: str, **datasets: Any) -> Any:
        """Ask for targets of some datasets."""
        return self.atlas.run(*targets, activations=datasets)


PAIR = {
    "models": ["net", "other"],
    "preconditioning": "edm",
    "samples": 16,
    "chunk": CHUNK,
    "layers": ["mid", "up.0"],
    "umap": {"neighbours": 5},
    "neighbours": 5,
}
"""A dataset of two networks."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder after a first run, and the run."""
    datasets = Datasets(tmp_path_factory.mktemp("activations"))
    return datasets, datasets.run("activations", pair=PAIR)


def test_a_dataset_is_planned_drawn_in_chunks_and_shown(made):
    datasets, run = made
    assert run.success, run.output
    assert ran(run)["generate_activations"] == 4
    assert ran(run)["collect_activations"] == ran(run)["embed_activations"] == 1
    assert ran(run)["compare_activations"] == ran(run)["write_viewer"] == 1
    folder = datasets.results / "pair"
    table = pq.read_table(folder / "samples.parquet")
    assert table.num_rows == 32
    assert set(table["label"].to_pylist()) == {0, 1, 2, 3}
    assert {path.name for path in (folder / "layers").glob("*.h5")} == {"mid.h5", "up.0.h5"}
    assert "trustworthiness of the map" in run.output
    assert "pair/viewer.html" in run.output
    rows = list(csv.DictReader((folder / "similarity.csv").open()))
    assert len(rows) == 4
    own = [row for row in rows if row["layer_a"] == row["layer_b"]]
    assert all(float(row["weights"]) > 0.5 for row in own)


def test_the_plan_is_within_half_as_much_again_of_what_was_measured(made):
    datasets, _ = made
    path = datasets.results / "pair" / "plan_vs_measured.csv"
    rows = list(csv.DictReader(path.open()))
    held = [row for row in rows if row["kind"] != "guess"]
    assert {"chunks: means", "chunks: images", "RAM of a job"} <= {row["quantity"] for row in held}
    for row in held:
        assert row["is_within"] == "True", row


def test_asked_again_nothing_runs_and_more_samples_make_the_new_chunks_alone(made):
    datasets, _ = made
    again = datasets.run("activations", pair=PAIR)
    assert again.success
    assert ran(again) == {"activations": 1}  # which says what was found
    before = {path: path.stat().st_mtime_ns for path in chunk_files(datasets)}
    more = datasets.run("activations", pair=PAIR | {"samples": 24})
    assert more.success, more.output
    assert ran(more)["generate_activations"] == 2
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert pq.read_table(datasets.results / "pair/samples.parquet").num_rows == 48


def test_how_maps_are_made_draws_nothing_anew(made):
    datasets, _ = made
    other = PAIR | {"samples": 24, "umap": {"neighbours": 6}, "batch": 4, "threads": 2}
    run = datasets.run("activations", pair=other)
    assert run.success, run.output
    assert ran(run)["generate_activations"] == 0
    assert ran(run)["embed_activations"] == 1


def test_a_damaged_chunk_is_made_anew_and_nothing_else(made):
    datasets, _ = made
    folder = datasets.results / "pair/chunks/net"
    means = folder / "0000/means.h5"
    content = bytearray(means.read_bytes())
    content[len(content) // 2] ^= 1
    means.write_bytes(content)
    pair = PAIR | {"samples": 24, "umap": {"neighbours": 6}}
    found = datasets.atlas.run(
        "activations", options=("--forcerun", "collect_activations"), activations={"pair": pair}
    )
    assert not found.success
    assert "means.h5: is damaged or missing" in found.output
    assert (folder / "0000.damaged").is_dir()
    again = datasets.run("activations", pair=pair)
    assert again.success, again.output
    assert ran(again)["generate_activations"] == 1


def chunk_files(datasets: Datasets) -> list[Path]:
    return sorted((datasets.results / "pair/chunks").rglob("samples.parquet"))


def test_maps_go_when_they_have_been_read_and_an_archive_is_made_on_demand(tmp_path):
    datasets = Datasets(tmp_path)
    passing = {
        "model": "net",
        "preconditioning": "edm",
        "samples": 8,
        "store": "maps",
        "keep_raw": False,
        "images": "none",
        "umap": {"neighbours": 3},
        "neighbours": 3,
    }
    archive = "results/activations/passing/npz/net/0000.npz"
    run = datasets.run("results/activations/passing/umap.csv", archive, passing=passing)
    assert run.success, run.output
    assert ran(run)["generate_passing_activations"] == 1
    assert not list((datasets.results / "passing/passing").rglob("*.h5"))
    assert (tmp_path / archive).stat().st_size > 0
    with (datasets.results / "passing/umap.csv").open() as lines:
        assert len(list(csv.DictReader(lines))) == 8


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"layers": ["mdi"]}, "there is no layer 'mdi'; did you mean mid"),
        ({"labels": [7]}, "labels: 7 is none of the network's classes, 0 to 3"),
        ({"guidance": 2.0}, "takes no such option"),
        ({"model": "nett"}, "did you mean net"),
    ],
)
def test_what_can_not_be_drawn_is_told_before_anything_is(tmp_path_factory, made, said, told):
    datasets, _ = made
    wrong = {"model": "net", "preconditioning": "edm", "samples": 4} | said
    run = datasets.run("activations", wrong=wrong)
    assert not run.success
    assert told in run.output, run.output[-3000:]
    assert not (datasets.results / "wrong/chunks").exists()
