"""The tensors in which two models differ, and their weights, one pair of matrices at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.distances import contents as located
from atlas.distances.plan import Content
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.decoding import decode
from atlas.fingerprints.elements.digests import digest_of
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.elements.reading import read_range
from atlas.fingerprints.renamings import Renamings
from atlas.relations import contents
from atlas.relations.contents import Contents, Status
from atlas.tensors.tensors import FLOATING, ITEM_BYTES


@dataclass(frozen=True)
class Difference:
    """A tensor of which two models hold other weights, of one shape and all finite."""

    name: str
    component: str
    role: str
    shape: tuple[int, ...]
    first: Content
    second: Content

    @property
    def is_matrix(self) -> bool:
        """Whether it has a rank: kernels do, as matrices of outputs by all of an input's taps."""
        return len(self.shape) >= 2 and min(self.shape[0], prod(self.shape[1:])) > 1

    @property
    def dtypes(self) -> tuple[str, str]:
        """The dtypes of both."""
        return self.first.dtype, self.second.dtype


class Models:
    """A group's models: what they hold, and where."""

    def __init__(
        self,
        fingerprints: Mapping[str, Path],
        homes: Mapping[str, Path],
        renamings: Renamings | None,
    ) -> None:
        """
        Take in what fingerprints tell.

        Parameters
        ----------
        fingerprints, homes
            Each model's fingerprint, and the folder that its files are named from.
        renamings
            Names that tensors go by; None matches those of these models.

        Raises
        ------
        DamagedFileError
            A fingerprint is not as it was written.
        """
        models = list(fingerprints)
        self._held: Contents = contents.load(list(fingerprints.values()), models, renamings)
        self._places = {model: place for place, model in enumerate(models)}
        self._located: dict[str, dict[str, dict[str, Content]]] = {}
        self._fingerprints = fingerprints
        self._homes = homes
        self._renamings = renamings

    def differences(
        self, first: str, second: str, component: str | None = None
    ) -> list[Difference]:
        """
        Return the tensors in which two models differ by more than a cast, in order of name.

        Parameters
        ----------
        component
            The one of which they are; by default all.
        """
        held = self._held
        index = [held.index[:, self._places[model]] for model in (first, second)]
        status = held.status(*index)
        differs = status == Status.DIFFERENT
        if component is not None:
            differs &= (held.tensors["component"] == component).to_numpy(bool)
        digests = held.contents["digest"].to_numpy(object)
        dtypes = held.contents["dtype"].to_numpy(object)
        sides = [self._contents_of(model) for model in (first, second)]
        found = []
        for row in np.flatnonzero(differs).tolist():
            tensor = held.tensors.iloc[row]
            pair = [int(side[row]) for side in index]
            if not all(dtypes[each] in FLOATING for each in pair):
                continue
            a, b = (
                side[tensor["name"]][digests[each]] for side, each in zip(sides, pair, strict=True)
            )
            found.append(
                Difference(tensor["name"], tensor["component"], tensor["role"], a.shape, a, b)
            )
        return found

    def _contents_of(self, model: str) -> dict[str, dict[str, Content]]:
        """Return where a model's own files have its tensors."""
        if model not in self._located:
            place = {self._fingerprints[model]: self._homes[model]}
            ((_, table),) = located.collect(place, count=1, renamings=self._renamings)
            self._located[model] = located.contents_of(table)
        return self._located[model]


def matrices(files: OpenFiles, difference: Difference) -> tuple[NDArray[Any], NDArray[Any]]:
    """
    Read both models' weights as matrices: float32 or float64 (outputs, inputs · taps).

    Raises
    ------
    AtlasError
        When a file can't be read, or holds other weights than when it was fingerprinted.
    """
    sides = [_read(files, difference.name, side) for side in (difference.first, difference.second)]
    one, other = (side.reshape(difference.shape[0], -1) for side in sides)
    return one, other


def _read(files: OpenFiles, name: str, content: Content) -> NDArray[Any]:
    raw = aligned_empty(content.numel * ITEM_BYTES[content.dtype])
    read_range(files, content, 0, raw)
    digest = digest_of(content.dtype, content.shape)
    digest.update(raw.data)
    if digest.hexdigest() != content.digest:
        places: Sequence[str] = sorted({str(part.file) for part in content.parts})
        raise AtlasError(
            f"{', '.join(places)}: {name} holds other weights than when it was fingerprinted."
            " If the file was replaced, run again: it is fingerprinted anew"
        )
    return decode(raw, content.dtype)
