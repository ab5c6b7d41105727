"""Products of blocks keep to their bound on the error, and a device gives what numpy gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from atlas.basis.errors import AtlasError
from atlas.projection.products import ERROR, Products


def blocks(features=1300, offset=5.0, dtype=np.float32):
    generator = np.random.default_rng(0)
    return [(generator.normal(size=(n, features)) + offset).astype(dtype) for n in (20, 30)]


def on_torch():
    """The code for a GPU, on a CPU."""
    products = Products()
    products._torch, products._device = torch, torch.device("cpu")
    return products


@pytest.mark.parametrize("products", [Products(), on_torch()], ids=["numpy", "torch"])
@pytest.mark.parametrize("features", [1, 512, 1300])
def test_the_error_is_within_its_bound(products, features):
    first, second = blocks(features)
    wide = [side.astype(np.float64) for side in (first, second)]
    error = np.abs(products.of(first, second) - wide[0] @ wide[1].T)
    assert (error <= ERROR * (np.abs(wide[0]) @ np.abs(wide[1]).T)).all()


@pytest.mark.parametrize("products", [Products(), on_torch()], ids=["numpy", "torch"])
def test_float64_is_multiplied_as_it_is(products):
    first, second = blocks(dtype=np.float64)
    assert np.allclose(products.of(first, second), first @ second.T, rtol=1e-13)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told():
    with pytest.raises(AtlasError, match="finds no GPU here; set the device to cpu"):
        Products("cuda")
