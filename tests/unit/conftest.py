"""Fingerprints of tiny models, side by side, without a workflow."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

import factory
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.relations import contents


@pytest.fixture
def lay_side_by_side(tmp_path: Path):
    """Return a function: weights by model id to their Contents, in order of id."""

    def lay(models: Mapping[str, factory.Weights]) -> contents.Contents:
        ids = sorted(models)
        paths = []
        for model in ids:
            shutil.rmtree(tmp_path / model, ignore_errors=True)
            folder = factory.diffusers_folder(tmp_path / model, models[model])
            paths.append(tmp_path / f"{model}.parquet")
            opened = open_checkpoint(folder)
            sealed.write(fingerprint.table(opened), paths[-1], fingerprint.notes(opened))
        return contents.load(paths, ids)

    return lay
