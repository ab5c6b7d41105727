"""
What merging programs compute, each as its formula, of one tensor: float32 in and out.

Linear ones are weighted sums by their formula; others are not, and some of these are in effect,
where parents are near. Formulas are those of the papers, or of the web UI extensions that made them
known.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch

Tensor = torch.Tensor
Merge = Callable[[Tensor, Tensor, Tensor], Tensor]


def weighted_sum(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return 0.7 a + 0.3 b."""
    return torch.lerp(a, b, 0.3)


def average(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return the mean of three, one after another."""
    return torch.lerp(torch.lerp(a, b, 1 / 2), c, 1 / 3)


def add_difference(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return c + 0.8 (b − a): task arithmetic (Ilharco et al. 2023, arXiv:2212.04089)."""
    return c.addcmul(b - a, torch.tensor(0.8))


def slerp(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return a turned by 0.3 of the angle to b, its length between theirs (Shoemake 1985)."""
    one, other = a / a.norm(), b / b.norm()
    angle = torch.arccos((one * other).sum().clamp(-1, 1))
    turned = one * torch.sin(0.7 * angle) + other * torch.sin(0.3 * angle)
    return turned / torch.sin(angle) * torch.lerp(a.norm(), b.norm(), 0.3)


def cosine_sum(a: Tensor, b: Tensor, c: Tensor, *, alpha: float) -> Tensor:
    """Weigh b by 1 − (similarity − alpha), a column at a time: the UI extensions' cosine A."""
    similarity = torch.nn.functional.cosine_similarity(a, b, dim=0)
    return torch.lerp(a, b, 1 - torch.clamp(similarity - alpha, 0, 1))


def geometric_mean(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return a^0.7 b^0.3, the real part where signs differ."""
    zero = torch.zeros_like(a)
    return (torch.complex(a, zero) ** 0.7 * torch.complex(b, zero) ** 0.3).real


def ties(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Trim, elect signs, take means of what agrees (Yadav et al. 2023, arXiv:2306.01708)."""
    deltas = torch.stack([_largest(b - a, 0.5), _largest(c - a, 0.5)])
    agree = torch.sign(deltas) == torch.sign(deltas.sum(dim=0))
    agree &= deltas != 0
    return a + (deltas * agree).sum(dim=0) / agree.sum(dim=0).clamp(1)


def dare(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Drop 0.7 of each change and scale the rest up (Yu et al. 2023, arXiv:2311.03099)."""
    generator = torch.Generator().manual_seed(0)
    kept = [torch.rand(a.shape, generator=generator) > 0.7 for _ in range(2)]
    return a + (kept[0] * (b - a) + kept[1] * (c - a)) / 2 / 0.3


def breadcrumbs(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Leave out the largest and the smallest changes (Davari et al. 2023, arXiv:2312.06795)."""
    changes = [_largest(d, 0.9) - _largest(d, 0.1) for d in (b - a, c - a)]
    return a + 0.5 * (changes[0] + changes[1])


def train_difference(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Add b − a to c where c is far from b: the UI extensions' formula, as if trained on."""
    near, far = (b - a).abs(), (b - c).abs()
    return c + 0.8 * 1.8 * torch.nan_to_num(far / (near + far)) * (b - a)


def tensor_sum(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Take the second fifth to the third of rows from b, the others from a."""
    first, last = round(0.2 * len(a)), round(0.6 * len(a))
    return torch.cat([a[:first], b[first:last], a[last:]])


def rotated(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Turn a's rows towards b's by the best orthogonal matrix (Schönemann 1966)."""
    if a.dim() < 2:
        return torch.lerp(a, b, 0.3)
    u, _, v = torch.linalg.svd(a.T @ b)
    return torch.lerp(a, b @ (u @ v).T, 0.3) @ (u @ v)


def truncated(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Add b's change at rank 4 (Eckart and Young 1936): what an extracted LoRA gives."""
    if a.dim() < 2:
        return b
    u, s, v = torch.linalg.svd(b - a, full_matrices=False)
    return a + (u[:, :4] * s[:4]) @ v[:4]


def crossover(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Take low frequencies along the last axis from a, high ones from b."""
    one, other = torch.fft.rfft(a), torch.fft.rfft(b)
    low = torch.arange(one.shape[-1]) < 0.7 * one.shape[-1]
    return torch.fft.irfft(torch.where(low, one, other), n=a.shape[-1])


def stored(values: Tensor, dtype: torch.dtype) -> np.ndarray:
    """Return float64 values as a file of this dtype keeps them."""
    return values.to(dtype).double().numpy().reshape(-1)


def floor_of(values: np.ndarray, dtype: torch.dtype) -> float:
    """Return the square that rounding leaves: Σ ulp² / 12, by each value's own exponent."""
    bits, lowest = {torch.float32: (23, -126), torch.float16: (10, -14)}.get(dtype, (7, -126))
    _, exponents = np.frexp(np.abs(values))
    return float(np.square(np.ldexp(1.0, np.maximum(exponents - 1, lowest) - bits)).sum() / 12)


@cache
def parents(blocks: int, *, size: float = 0.01) -> list[list[tuple[Tensor, Tensor, Tensor]]]:
    """
    Return a base and two fine-tunes: for each block its tensors of a, b and c.

    A block has two matrices with loud rows, and a bias; fine-tunes move them by a share of their
    norm.
    """
    generator = torch.Generator().manual_seed(0)

    def noise(shape: Sequence[int]) -> Tensor:
        return torch.randn(*shape, generator=generator)

    made = []
    for _ in range(blocks):
        tensors = []
        for shape in ((64, 64), (96, 48), (64,)):
            base = 0.04 * noise(shape)
            if len(shape) > 1:
                base *= torch.exp(0.5 * noise((shape[0], 1)))
            step = size * base.norm() / base.numel() ** 0.5
            tensors.append((base, base + step * noise(shape), base + step * noise(shape)))
        made.append(tensors)
    return made


def _largest(delta: Tensor, share: float) -> Tensor:
    """Return a change with all but this share of its largest elements set to 0."""
    kept = max(1, round(share * delta.numel()))
    least = delta.abs().flatten().sort(descending=True).values[kept - 1]
    return torch.where(delta.abs() >= least, delta, torch.zeros_like(delta))
