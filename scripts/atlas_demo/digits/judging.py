"""Ask a classifier of real digits which digit a picture shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

HELD_OUT_OF = 5
"""One in so many real digits is kept from the classifier's training, to judge the judge."""


@dataclass(frozen=True)
class Judge:
    """A support vector machine of the 8 × 8 pixels, and how often it is right on real digits."""

    machine: Any
    held_out: np.ndarray
    """bool (digits,): the real digits that it was not trained on."""

    def digits(self, pixels: np.ndarray) -> np.ndarray:
        """Return the digit that each picture shows, int64 (n,); pixels are (n, 64), 0 to 16."""
        told: np.ndarray = self.machine.predict(pixels)
        return told


def train_judge(pixels: np.ndarray, digits: np.ndarray) -> Judge:
    """Train on four fifths of the real digits: pixels (n, 64), 0 to 16, and digits (n,)."""
    from sklearn.svm import SVC

    held_out = np.arange(len(digits)) % HELD_OUT_OF == 0
    machine = SVC(gamma=0.001, C=10).fit(pixels[~held_out], digits[~held_out])
    return Judge(machine=machine, held_out=held_out)
