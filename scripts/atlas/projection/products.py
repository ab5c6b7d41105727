"""Products of blocks of rows: float32 by stretches, added in float64, on a CPU or a GPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError

STRETCH = 512
"""Features whose products are added in float32; the stretches' sums are added in float64."""
UNIT = 2.0**-24
"""Of rounding in float32."""
ERROR = STRETCH * UNIT / (1 - STRETCH * UNIT)
"""
Of a product of rows a and b, at most, as a share of Σ|a_i b_i|.

Whatever the order of the sums (Higham, Accuracy and Stability of Numerical Algorithms, 3.1); the
float64 sums over stretches add less than (d / 512) 2^-53.
"""


class Products:
    """
    Multiplies blocks on a device.

    Raises
    ------
    AtlasError
        When the device is a GPU and torch finds none.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._torch: Any = None
        if device != "cpu":
            import torch  # takes seconds, and numpy is as fast on a CPU

            if device.startswith("cuda") and not torch.cuda.is_available():
                raise AtlasError(
                    f"device is {device}, but torch finds no GPU here; set the device to cpu"
                )
            self._torch, self._device = torch, torch.device(device)

    def of(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
        """
        Return the products of all rows of one block with all of another.

        Parameters
        ----------
        first, second
            Shapes (m, d) and (n, d), both float32 or both float64; float64 is multiplied as it is.

        Returns
        -------
            Shape (m, n).
        """
        if self._torch is not None:
            return self._on_device(first, second)
        if first.dtype == np.float64:
            return np.asarray(first @ second.T)
        total = np.zeros((len(first), len(second)))
        part = np.empty(total.shape, np.float32)
        for start in range(0, first.shape[1], STRETCH):
            stretch = slice(start, start + STRETCH)
            np.matmul(first[:, stretch], second[:, stretch].T, out=part)
            total += part
        return total

    def _on_device(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
        torch = self._torch
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")  # TF32 has 10 bits
        try:
            a, b = (torch.from_numpy(block).to(self._device) for block in (first, second))
            step = STRETCH if first.dtype == np.float32 else first.shape[1]
            total = torch.zeros((len(a), len(b)), dtype=torch.float64, device=self._device)
            for start in range(0, first.shape[1], step):
                total += a[:, start : start + step] @ b[:, start : start + step].T
            found: NDArray[np.float64] = total.cpu().numpy()
            return found
        finally:
            torch.set_float32_matmul_precision(precision)
