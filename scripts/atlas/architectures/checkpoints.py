"""A checkpoint as an entry: the architecture that its tensors' names and shapes are those of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from atlas.architectures.architecture import Architecture
from atlas.architectures.relatives import sampling_of_weights
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint
from atlas.names.components import DENOISERS


def read(path: Path, *, known: Mapping[str, Architecture], stated: str | None) -> Architecture:
    """
    Return the catalogue's architecture of a checkpoint, with the counts of the checkpoint's header.

    No weight is read. Components that the checkpoint lacks stay, without a header's count.

    Parameters
    ----------
    path
        A weight file, an index of shards, a folder or a glob of shards.
    known
        The catalogue by name.
    stated
        What is said to be its architecture; several have tensors of the same names and shapes.

    Raises
    ------
    AtlasError
        if the file can't be read, or its denoiser is none of the catalogue's.
    """
    opened = open_checkpoint(path, architecture=stated if stated in known else None)
    name = next((opened.architectures[c] for c in DENOISERS if c in opened.architectures), None)
    if name is None:
        found = "; ".join(opened.findings) or "it holds no denoiser"
        raise AtlasError(
            f"{path}: its architecture is not recognised ({found}); give a diffusers folder with "
            "its configuration, or a YAML file as in config/architectures"
        )
    counts: Counter[str] = Counter()
    for tensor in opened.tensors:
        counts[tensor.component] += tensor.numel
    entry = known[name]
    components = {
        component: replace(facts, parameters=counts.get(component))
        for component, facts in entry.components.items()
    }
    is_said = stated == entry.name
    sampling = entry.sampling if is_said else sampling_of_weights(entry, known.values())
    return replace(
        entry,
        sampling=sampling,
        name=path.stem,
        label=f"{path.stem} ({entry.label})",
        components=components,
        origin=str(path),
    )
