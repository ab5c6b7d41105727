"""What docs/extending.md says is enough: each sort of thing is added to a copy of the workflow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import factory
from workflow_runs import REPOSITORY, Atlas

ADDED = Path(__file__).parents[1] / "extensions"
"""Files that are added, where they lie in the workflow."""

LINES = {
    "scripts/atlas/measures.py": (
        ')\n"""In the order of the kernels\' rows',
        """    Measured(
        name="sign_changed",
        title="changed signs",
        unit="elements of other sign",
        adds_up=1,
        term=lambda x, y, _: (x < 0) & (y > 0) | (x > 0) & (y < 0),
        is_count=True,
    ),
""",
    ),
    "scripts/atlas/plots/registry.py": (
        ")\n\n\ndef plots_of",
        '    Plot("ranking", of="matrix"),\n    Plot("roles", of="pair"),\n',
    ),
    "scripts/atlas/checkpoint/formats.py": (
        "FORMATS = (ZIPPED, SAFETENSORS, PICKLED)",
        """from atlas.checkpoint import plain

PLAIN = Format("a plain file", (".plain",), plain.looks_like, plain.read)
FORMATS = (ZIPPED, SAFETENSORS, PICKLED, PLAIN)
#""",
    ),
    "rules/methods.yaml": ("fingerprint: 5\n", "count_tensors: 1\ntake_census: 1\n"),
    "rules/models.smk": (
        "# Fails, last of all",
        """rule count_tensors:
    input:
        table="results/models.csv",
    output:
        total="results/count.txt",
    log:
        "logs/count_tensors/all.log",
    benchmark:
        "benchmarks/count_tensors/all.tsv"
    conda:
        "../envs/weights.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        method=METHOD["count_tensors"],
    message:
        "Counting tensors"
    script:
        "../scripts/models/count_tensors.py"


""",
    ),
    "Snakefile": ('include: "rules/macs.smk"\n', 'include: "rules/census.smk"\n'),
    "pyproject.toml": (
        '    "activations | benchmarks | claims | embeddings | macs | pages",\n',
        '    "census",\n',
    ),
}
"""File to a place in it and what is written before that place."""


@pytest.fixture(scope="module")
def workflow(tmp_path_factory) -> Path:
    """Return a copy of the workflow to which one of each sort was added."""
    copy = tmp_path_factory.mktemp("workflow")
    for part in ("Snakefile", "pyproject.toml", "rules", "scripts", "config", "envs", "profiles"):
        place = REPOSITORY / part
        if place.is_dir():
            shutil.copytree(place, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, copy / part)
    (copy / "docs").mkdir()
    shutil.copytree(REPOSITORY / "docs" / "captions", copy / "docs" / "captions")
    shutil.copytree(ADDED, copy, dirs_exist_ok=True)
    for name, (before, lines) in LINES.items():
        text = (copy / name).read_text()
        assert text.count(before) == 1, f"{name} has no place for what is added: {before!r}"
        (copy / name).write_text(text.replace(before, lines + before))
    return copy


@pytest.fixture(scope="module")
def atlas(workflow, tmp_path_factory) -> Atlas:
    """Return a finished run of the copy: models in the new layout and in the format, and a twin."""
    atlas = Atlas(tmp_path_factory.mktemp("atlas"))
    base = {"unet/conv_in.weight": np.arange(-12, 12, dtype=np.float32).reshape(4, 6, 1, 1)}
    tuned = {"unet/conv_in.weight": base["unet/conv_in.weight"] + 2.5}
    factory.single_file(
        atlas.folder / "laid_out.safetensors", {"stem.entry.weight": base["unet/conv_in.weight"]}
    )
    values = tuned["unet/conv_in.weight"]
    (atlas.folder / "formatted.plain").write_bytes(
        b"PLAIN stem.entry.weight 4 6 1 1\n" + values.tobytes()
    )
    atlas.models = {
        "laid-out": {"path": "laid_out.safetensors"},
        "formatted": {"path": "formatted.plain"},
        "twin": {"path": "laid_out.safetensors"},
    }
    atlas.groups = {"all": {"models": list(atlas.models), "pairs": True}}
    done = atlas.run(
        *("groups", "pairs", "results/count.txt", "census"),
        options=("--snakefile", str(workflow / "Snakefile")),
        groups={"matrices": ["l2", "sign_changed", "relative_rms"]},
        plots={"measure": "sign_changed"},
    )
    assert done.success, done.output
    return atlas


def test_a_format_and_a_layout_are_read(atlas):
    for model in atlas.models:
        rows = pd.read_parquet(atlas.folder / "results" / "fingerprints" / f"{model}.parquet")
        assert list(rows["name"]) == ["unet/conv_in.weight"]


def test_a_measure_is_in_all_tables(atlas):
    results = atlas.folder / "results"
    # -12 … 11 moved up by 2.5: -2 and -1 change sides, 0 had none
    shard = pd.concat(pd.read_parquet(path) for path in (results / "distances").glob("*.parquet"))
    assert list(shard["sign_changed"]) == [2]
    pair = pd.read_parquet(results / "pairs" / "formatted" / "laid-out.parquet")
    assert list(pair["sign_changed"]) == [2]
    group = pd.read_parquet(results / "groups" / "all" / "distances.parquet")
    assert set(group["sign_changed"]) == {0, 2}
    matrix = (results / "groups" / "all" / "matrices" / "unet.sign_changed.csv").read_text()
    assert matrix.splitlines()[1] == "laid-out,0,2.0,0"


def test_a_plot_is_drawn_of_each_subject(atlas):
    plots = atlas.folder / "results" / "groups" / "all" / "plots"
    assert {path.name.split(".")[1] for path in plots.glob("unet.*.png")} == {
        *("heatmap", "tree", "map", "spectral", "line", "blocks", "ranking")
    }
    assert "changed signs" in (plots / "unet.ranking.svg").read_text()
    assert (plots / "unet.ranking.txt").read_text() == "laid-out twin formatted\n"
    assert (atlas.folder / "results" / "pairs" / "formatted" / "laid-out.roles.png").is_file()


def test_a_rule_and_a_wing_have_run(atlas):
    assert (atlas.folder / "results" / "count.txt").read_text() == "3\n"
    assert (
        atlas.folder / "results" / "census" / "census.csv"
    ).read_text() == "model\nformatted\nlaid-out\ntwin\n"


def test_the_new_wing_keeps_the_layers(workflow):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        env=os.environ | {"PYTHONPATH": str(workflow / "scripts")},
        cwd=workflow,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_an_architecture_is_an_entry(workflow):
    program = (
        "from atlas.architectures import catalogue, choice\n"
        "entry = catalogue.load('pocket_sana')\n"
        "print(entry.label, len(choice.chosen('all', setting='all')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(workflow / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    shipped = len(list((REPOSITORY / "config" / "architectures").glob("*.yaml")))
    assert done.stdout.split() == ["Pocket", "SANA", str(shipped + 1)]
