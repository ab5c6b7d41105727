"""Whether the disk has room for a plan."""

import shutil
from pathlib import Path

from atlas.activations.datasets import Dataset
from atlas.activations.plan import Plan
from atlas.basis.errors import AtlasError


def require_room(plan: Plan, dataset: Dataset, folder: Path) -> None:
    """
    Refuse a dataset for which the disk has no room, before it is begun.

    Parameters
    ----------
    folder
        Of the dataset's results; what is there already needs no more room.

    Raises
    ------
    AtlasError
        The disk is too small, with what is needed and free, and what to do.
    """
    there = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    needed = plan.value("disk at most") - there
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(above).free
    if needed <= free:
        return
    raise AtlasError(
        f"activations › {dataset.name}: needs {needed / 1e9:,.1f} GB more on the disk of "
        f"{above}, which has {free / 1e9:,.1f} GB free; take {', '.join(_remedies(dataset))}, or a "
        "folder on another disk (--directory)"
    )


def _remedies(dataset: Dataset) -> list[str]:
    found = []
    if dataset.has_maps:
        found.append("store: mean")
        if dataset.dtype == "float32":
            found.append("dtype: float16")
    if dataset.images == "full":
        found.append("images: thumbnail")
    return [*found, "fewer samples or layers"]
