"""Published matrices, without any checkpoint, through everything that needs no weights."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from workflow_runs import REPOSITORY, Atlas

PUBLISHED = REPOSITORY.parent / "shared" / "data"
NAMES = ("am0", "ccbp", "21b")
COMPONENTS = {"te": "text_encoder", "unet": "unet", "vae": "vae", "other": "other"}


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published results are not at hand")
def test_numbers_come_out_as_they_went_in(atlas: Atlas):
    atlas.groups = {name: {"matrices": str(PUBLISHED / f"notebook_{name}.json")} for name in NAMES}
    done = atlas.run("groups")
    assert done.success, done.output
    assert "fingerprint" not in done.jobs
    for name in NAMES:
        folder = atlas.folder / "results" / "groups" / name
        published = json.loads((PUBLISHED / f"notebook_{name}.json").read_text())
        for component, values in published["dm"].items():
            matrix = pd.read_csv(folder / f"matrices/{COMPONENTS[component]}.l2.csv", index_col=0)
            assert list(matrix.index) == published["ml"]
            assert matrix.to_numpy().tolist() == values
        exported = json.loads((folder / "notebook.json").read_text())
        assert exported["ml"] == published["ml"]
        assert exported["dm"] == published["dm"]
        for component in COMPONENTS.values():
            for kind in ("heatmap", "tree", "map", "spectral", "line"):
                assert _is_picture(folder / "plots" / f"{component}.{kind}.png")
                assert (folder / "plots" / f"{component}.{kind}.svg").is_file()


def _is_picture(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000
