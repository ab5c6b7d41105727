"""
Project a tensor's elements onto 256 sums at random, so that distances survive.

A count sketch (Charikar, Chen and Farach-Colton 2002, Finding frequent items in data streams):
each element is added, with a random sign, to one of SUMS sums. Signs and sums follow from the
tensor's name and the element's number alone, so the sketch of a difference is the difference of
sketches, and E‖Sx‖² = ‖x‖² with a variance of about 2 / SUMS · ‖x‖⁴.

Elements come in stretches of ROWS rows of SUMS. A row is turned by a shift of its own, so that two
elements of it never meet in a sum, and those of one column, as of a strong channel, seldom do.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

SUMS = 256
ROWS = 256
STRETCH = ROWS * SUMS
"""Elements that one draw of the rows' signs and of the turn serves."""

GAMMA = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1
DRAWS = ROWS // 64 + 1
"""Words of 64 bits per stretch: the rows' signs, and one for the turn."""


def mixed(state: int) -> int:
    """
    Return the output of splitmix64 for a state: 64 bits.

    Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators, in the variant of
    https://prng.di.unimi.it/splitmix64.c. It is written out since numpy's generators may change.
    """
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & WORD
    return state ^ (state >> 31)


def drawn(seed: int, count: int) -> list[int]:
    """Return the first `count` numbers of 64 bits that splitmix64 draws from a seed."""
    return [mixed((seed + number * GAMMA) & WORD) for number in range(1, count + 1)]


def seed_of(name: str) -> int:
    """Return what a tensor's signs are drawn from: 64 bits."""
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))


def stretch_seed(seed: int, stretch: int) -> int:
    """Return what a stretch's signs are drawn from: 64 bits."""
    return mixed((seed + mixed((stretch * GAMMA) & WORD)) & WORD)


def bits_of(words: list[int]) -> NDArray[np.uint8]:
    """Return the bits of words of 64 bits, the lowest first: uint8 (64 · words,)."""
    return np.unpackbits(np.array(words, "<u8").view(np.uint8), bitorder="little")


def _signs() -> NDArray[np.int8]:
    bits = bits_of(drawn(1, STRETCH // 64))
    return (1 - 2 * bits.astype(np.int8)).reshape(ROWS, SUMS)


def _shifts() -> NDArray[np.int64]:
    """Shuffle 0 … 255 (Durstenfeld 1964, Algorithm 235): no two rows are turned alike."""
    shifts = list(range(ROWS))
    for last, word in zip(range(ROWS - 1, 0, -1), drawn(2, ROWS - 1), strict=True):
        other = word % (last + 1)
        shifts[last], shifts[other] = shifts[other], shifts[last]
    return np.array(shifts, np.int64)


SIGNS = _signs()
"""int8 (ROWS, SUMS) of 1 and -1: by row and column of an element in its stretch."""
SHIFTS = _shifts()
"""int64 (ROWS,): how far each row is turned."""
_SOURCES = (np.arange(SUMS) - SHIFTS[:, None]) % SUMS + SUMS * np.arange(ROWS)[:, None]
_TURNED_SIGNS = SIGNS.reshape(-1)[_SOURCES].astype(np.float64)


@dataclass
class Projection:
    """The sums of one tensor's elements so far."""

    seed: int
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(SUMS))
    """float64 (SUMS,); they are not finite where an element isn't."""
    stretches: int = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """
        Take in the next stretch: float64 (STRETCH,), or shorter at the end of the tensor.

        Each sum takes its rows one after the other, the order of the compiled twin.
        """
        whole = padded(values, SUMS)
        rows = whole.size // SUMS
        *words, last = drawn(stretch_seed(self.seed, self.stretches), DRAWS)
        with np.errstate(invalid="ignore"):
            turned = whole[_SOURCES[:rows]]
            turned *= _TURNED_SIGNS[:rows]
            turned *= (1.0 - 2.0 * bits_of(words)[:rows])[:, None]
            added = turned.sum(axis=0)  # along the first axis numpy adds row after row
            turn = last % SUMS
            self.sums[turn:] += added[: SUMS - turn]
            self.sums[:turn] += added[SUMS - turn :]
        self.stretches += 1


def padded(values: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Return values followed by zeros, so that there is a multiple of so many; themselves if so."""
    missing = -values.size % multiple
    return np.concatenate([values, np.zeros(missing, values.dtype)]) if missing else values
