"""What became of every tensor between one model and all that come after it, at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from atlas.relations.contents import DIGESTS, FORETOLD, Contents, Status


class Statuses:
    """
    Gives what `Contents.status` does, of whole columns of a group.

    The contents' codes are laid out as names × models once, so that a model stands beside the
    later ones by comparisons of neighbouring numbers, without a lookup.
    """

    def __init__(self, contents: Contents) -> None:
        index, table = contents.index, contents.codes
        self.held = index
        place = np.maximum(index, 0)
        self.shape = table["shape"].astype(np.int32)[place]
        # Few rows have any of these: all others are spared the comparisons.
        self.nonfinite, self.is_nonfinite = self._rare(table["nonfinite"].astype(bool))
        self.refused, self.is_refused = self._rare(table["refused"].astype(bool))
        self.rounded, _ = self._rare(contents.is_rounding)
        self.codes = {
            column: table[column].astype(np.int32)[place[self.rounded]] for column in DIGESTS
        }

    def _rare(
        self, of_contents: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Return the rows in which any model has it, and of these where: (rows, models)."""
        has = of_contents[np.maximum(self.held, 0)] & (self.held >= 0)
        rows = np.flatnonzero(has.any(axis=1))
        return rows, has[rows]

    def after(self, first: int) -> npt.NDArray[np.int8]:
        """Return the Status of a model's tensors against all later models': (names, models)."""
        one, others = slice(first, first + 1), slice(first + 1, None)
        a, b = self.held[:, one], self.held[:, others]
        status = np.full(b.shape, Status.DIFFERENT, dtype=np.int8)
        # What counts most is written last.
        broken = self.is_nonfinite[:, one] | self.is_nonfinite[:, others]
        self._mark(status, self.nonfinite, broken, Status.NONFINITE)
        finite = np.ones(b.shape, dtype=bool)
        finite[self.nonfinite] = ~broken
        self._mark(
            status, self.rounded, self._cast(one, others) & finite[self.rounded], Status.CAST
        )
        np.copyto(status, Status.SHAPE, where=self.shape[:, one] != self.shape[:, others])
        np.copyto(status, Status.IDENTICAL, where=a == b)
        np.copyto(status, Status.ONLY_B, where=a < 0)
        np.copyto(status, Status.ONLY_A, where=b < 0)
        refused = self.is_refused[:, one] | self.is_refused[:, others]
        self._mark(status, self.refused, refused, Status.REFUSED)
        np.copyto(status, Status.ABSENT, where=(a < 0) & (b < 0))
        return status

    def _cast(self, one: slice, others: slice) -> npt.NDArray[np.bool_]:
        """Return where one is the other once rounded, in the rows that have roundings."""
        digest = self.codes["digest"]
        found = np.zeros(digest[:, others].shape, dtype=bool)
        for column in FORETOLD:
            found |= self.codes[column][:, one] == digest[:, others]
            found |= digest[:, one] == self.codes[column][:, others]
        return found

    @staticmethod
    def _mark(
        status: npt.NDArray[np.int8],
        rows: npt.NDArray[np.intp],
        where: npt.NDArray[np.bool_],
        value: Status,
    ) -> None:
        status[rows] = np.where(where, np.int8(value), status[rows])
