"""
What is random about a sample: it depends on the dataset's seed and the sample's number alone.

Neither chunks nor batches, nor what was made before, enter: any sample can be made anew by itself.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch


def seed_of(seed: int, index: int, purpose: str) -> int:
    """Return the 63-bit seed of one random choice for one sample."""
    text = f"{seed}/{index}/{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def uniform(seed: int, index: int, purpose: str) -> float:
    """Return a number in [0, 1) for one sample."""
    return seed_of(seed, index, purpose) / 2**63


@dataclass(frozen=True)
class Batch:
    """Samples that are drawn together."""

    seed: int
    """Of the dataset."""
    indices: tuple[int, ...]
    """Numbers of the samples, from 0."""

    def __len__(self) -> int:
        return len(self.indices)

    def noise(self, shape: Sequence[int], purpose: str = "noise") -> torch.Tensor:
        """
        Return unit noise, float32 (samples, *shape), on the CPU.

        Parameters
        ----------
        purpose
            Another word gives other noise: what is added in the third step of a sampler, ...
        """
        return torch.stack([self._noise(index, shape, purpose) for index in self.indices])

    def _noise(self, index: int, shape: Sequence[int], purpose: str) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed_of(self.seed, index, purpose))
        return torch.randn(*shape, generator=generator)


def batches(start: int, stop: int, *, size: int, seed: int) -> list[Batch]:
    """
    Return whole batches that cover the samples from start up to, not including, stop.

    Batches lie on a grid that no chunk moves: a number's last bits may depend on its place in a
    batch and on the batch's size. Where a chunk ends within a batch, the rest of the batch is drawn
    too, and not kept.

    >>> [batch.indices for batch in batches(3, 5, size=4, seed=0)]
    [(0, 1, 2, 3), (4, 5, 6, 7)]
    """
    first = start // size * size
    return [Batch(seed, tuple(range(begin, begin + size))) for begin in range(first, stop, size)]
