"""What a model was made from where its recipe is not proved, and other sums explain it as well."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.fingerprints.elements.files import OpenFiles
from atlas.proofs.holdings import Holdings
from atlas.proofs.parts import Recipe, part_of
from atlas.proofs.proof import Proof, Proved, is_likely, prove
from atlas.recipes.other_sums import Stored
from atlas.recipes.tables import WHOLE

MOST = 12
"""Sums that are tried on a sample, the plainest first."""


class Otherwise:
    """Finds the sum that a model was made by among those that explain it as well."""

    def __init__(self, distances: Path, models: Collection[str], holdings: Holdings) -> None:
        """
        Take in where things lie.

        Parameters
        ----------
        distances
            The group's table of distances, as compare_group writes it.
        """
        self._holdings = holdings
        self._stored = lru_cache(1)(lambda name: Stored.read(distances, name, models))

    def prove(
        self, recipe: Recipe, files: OpenFiles, *, threads: int, seen: Callable[[int], None]
    ) -> Proof | None:
        """
        Return how a target is made again from others than its recipe's parents; None if it is not.

        Only of a component that one sum explains whole, no tensor left out: that is what distances
        of components tell. A model whose file can't be read is passed over.
        """
        if recipe.block != WHOLE or not recipe.is_recovered or recipe.deviating:
            return None
        stored = self._stored(recipe.component)
        found = stored.sums(
            recipe.target, recipe.parents, parameters=recipe.parameters, floor=recipe.floor
        )
        for each in found[:MOST]:
            count = len(each.parents)
            other = replace(
                recipe,
                parents=each.parents,
                weights=each.weights,
                errors=(None,) * count,
                alike=((),) * count,
            )
            try:
                part = part_of(other, self._holdings)
                if not is_likely(part, files):
                    continue
                proof = prove(part, files, threads=threads, seen=seen)
            except AtlasError as error:
                logging.warning("%s, %s: %s", recipe.target, recipe.component, error)
                continue
            if proof.verdict is Proved.PROVED:
                return proof
        return None
