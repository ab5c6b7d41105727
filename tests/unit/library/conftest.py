"""Tiny models, their fingerprints, and libraries of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import factory
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.library.entries import Entry, read_entry


@pytest.fixture
def entry_of(tmp_path: Path):
    """Return a function: the entry of a model of these weights, written as a diffusers folder."""

    def entry(model: str, weights: factory.Weights) -> Entry:
        folder = factory.diffusers_folder(tmp_path / "models" / model, weights)
        return fingerprinted(folder, tmp_path / "prints" / f"{model}.parquet")

    return entry


@pytest.fixture
def entries_of(entry_of):
    """Return a function: entries of models by id."""

    def entries(models: Mapping[str, factory.Weights]) -> list[Entry]:
        return [entry_of(model, models[model]) for model in sorted(models)]

    return entries


def fingerprinted(checkpoint: Path, to: Path) -> Entry:
    """Write a checkpoint's fingerprint, and return its entry."""
    opened = open_checkpoint(checkpoint)
    sealed.write(fingerprint.table(opened), to, fingerprint.notes(opened))
    entry = read_entry(to.stem, f"the {to.stem}", to)
    assert entry is not None
    return entry
