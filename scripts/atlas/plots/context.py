"""What every picture of a matrix says in the same words: entries, subtitle, notes, legend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atlas.plots.layout import Entry, draw_key, key_of, open_page, thinned
from atlas.plots.marks import Mark
from atlas.plots.style import Colours, colours_of
from atlas.plots.words import (
    component_title,
    counted,
    measure_of,
    partly_compared,
    shared_in_part,
    significant,
)
from atlas.relations.matrices import Matrix

SEPARATOR = "\u00a0\u00a0·  "
"""Between a subtitle's parts; the dot stays on the line of the part before it."""
Pairs = NDArray[np.bool_]
"""Shape (N, N): which pairs of the matrix's models."""
LISTED = 12
"""So many models are named in a note; of more, the rest is counted."""


@dataclass(frozen=True)
class Context:
    """A matrix and the colours of its models."""

    matrix: Matrix
    colours: Colours

    @classmethod
    def of(cls, matrix: Matrix) -> "Context":
        """Return the context of a matrix."""
        return cls(matrix, colours_of(matrix))

    def entry(self, row: int, remark: str = "") -> Entry:
        """Return the row that names a model."""
        return Entry(
            number=row + 1,
            label=self.matrix.labels[row],
            colour=self.colours.models[row],
            is_base=self.matrix.ids[row] == self.matrix.base,
            remark=remark,
        )

    def subtitle(self, *sentences: str) -> str:
        """Return group, N, component, measure and unit, and what else the picture says."""
        measure = measure_of(self.matrix)
        parts = [
            f"Group {self.matrix.group}" if self.matrix.group else "",
            counted(len(self.matrix), "model"),
            component_title(self.matrix),
            f"{measure.title} ({measure.unit})",
            *sentences,
        ]
        return SEPARATOR.join(part for part in parts if part)

    def legend(self, *marks: Mark) -> list[Mark]:
        """Return the meaning of the models' colours and of the picture's own signs."""
        legend = [Mark(meaning, colour) for meaning, colour in self.colours.legend]
        if self.matrix.base is not None:
            legend.append(Mark("base (bold)", shape="ring"))
        return [*legend, *marks]

    def zero_note(self, pairs: Pairs) -> list[str]:
        """Return the warning that belongs to zeros of a notebook's file, if the pairs have any."""
        if not self.matrix.ambiguous_zeros or not (self._zeros() & pairs).any():
            return []
        return [
            "The distances come from a notebook's file, which writes 0 for identical models and"
            " also for models that were never compared: a 0 here can mean either."
        ]

    def coverage_note(self, pairs: Pairs) -> list[str]:
        """Return how many of the pairs were compared in part only, and the least share."""
        partial = (partly_compared(self.matrix) | shared_in_part(self.matrix)) & pairs
        if self.matrix.coverage is None or not partial.any():
            return []
        number = counted(int(partial.sum()) // 2, "pair")
        least = 100 * float(self.matrix.coverage[partial].min())
        return [
            f"{number} could be compared in part only, the least on {significant(least, 2)} % of"
            " the parameters: such a distance speaks of that part alone."
        ]

    def notes(self, pairs: Pairs | None = None) -> list[str]:
        """
        Return what is said below a picture that shows these pairs, or all of them.

        Parameters
        ----------
        pairs
            Shape (N, N), symmetric: the pairs whose distances the picture shows.
        """
        shown = np.ones(self.matrix.values.shape, dtype=bool) if pairs is None else pairs
        return [*self.coverage_note(shown), *self.zero_note(shown)]

    def pairs_of(self, row: int) -> Pairs:
        """Return the pairs of one model: shape (N, N)."""
        mine = np.arange(len(self.matrix)) == row
        return np.asarray(mine[:, None] | mine)

    def thinned_note(self, height: float) -> list[str]:
        """Return how many of the rows are named, where there is no room for all."""
        step = thinned(height)
        if step == 1:
            return []
        return [f"Of every {step} rows the first is named: there is room for no more."]

    def sameness(self) -> str:
        """Return what models that share a point or a tip have in common."""
        return "at distance 0" if self.has_zeros() else "with identical weights"

    def has_zeros(self) -> bool:
        """Return whether two models are at distance 0 without being known as identical."""
        return bool(self._zeros().any())

    def _zeros(self) -> Pairs:
        zero = (self.matrix.values == 0) & ~self.matrix.identical
        np.fill_diagonal(zero, False)
        return np.asarray(zero)

    def left_out_note(self, rows: Sequence[int], reason: str) -> list[str]:
        """Return the sentence that names the models which a picture leaves out."""
        if not rows:
            return []
        names = [f"{self.matrix.labels[row]} ({row + 1})" for row in rows[:LISTED]]
        more = f" and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
        return [f"Not drawn ({len(rows)}), {reason}: {', '.join(names)}{more}."]

    def message_page(self, title: str, message: str) -> Figure:
        """Return a page that says why there is nothing to draw, and lists the models."""
        entries = [self.entry(row) for row in range(len(self.matrix))]
        key = key_of(entries, height=9.0)
        page = open_page(
            title=title,
            subtitle=self.subtitle(message),
            width=key.width,
            height=key.height,
            legend=self.legend(),
            notes=self.notes(),
        )
        draw_key(page, 0.0, 0.0, key)
        return page.figure

    def no_distances_page(self, picture: str) -> Figure:
        """Return the page in place of a picture that fewer than two distinct models leave empty."""
        component, models = component_title(self.matrix), counted(len(self.matrix), "model")
        others = self.matrix.values[~np.eye(len(self.matrix), dtype=bool)]
        if not len(others):
            return self.message_page(
                f"{component}: a single model", f"a {picture} needs two models at least"
            )
        if np.isnan(others).all():
            return self.message_page(
                f"{component}: none of the {models} could be compared",
                f"no {picture} can be drawn: the models share no tensors of equal shape here",
            )
        if self.matrix.identical.all():
            return self.message_page(
                f"{component}: all {models} are identical", f"a {picture} of them is a single point"
            )
        some = "all" if not np.isnan(others).any() else "the compared ones of the"
        return self.message_page(
            f"{component}: {some} {models} are at distance 0",
            f"a {picture} of them is a single point",
        )
