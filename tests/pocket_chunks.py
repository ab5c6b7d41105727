"""Chunks of the pocket network, made without a workflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atlas.activations import chunks
from atlas.activations.datasets import Dataset
from atlas.activations.places import Places
from pocket_probe import PocketProbe
from pocket_probe import probe as plain_probe


def made(
    folder: Path,
    dataset: Dataset,
    *,
    model: str = "pocket",
    probe: PocketProbe | None = None,
    names: Sequence[str] | None = None,
) -> list[Places]:
    """Make the chunks of a dataset, or some of them; return their places."""
    places = [Places(folder / name, folder / name / "maps") for name in names or dataset.chunks]
    for each in places:
        used = probe or plain_probe(model)
        chunks.make(used, dataset, model=model, chunk=each.folder.name, places=each)
    return places
