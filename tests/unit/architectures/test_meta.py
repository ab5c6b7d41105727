"""Remembered shapes: the same outputs and the same counts as without."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from atlas.architectures import catalogue, inputs
from atlas.architectures.meta import RememberedShapes
from meta_modules import denoiser


@pytest.mark.parametrize("name", ["sd15", "pixart_sigma_1024", "flux2_klein4b"])
def test_counts_are_the_same_as_without(name: str) -> None:
    entry, module = catalogue.load(name), denoiser(name)
    arguments = inputs.denoiser(entry, width=512, height=512)
    with FlopCounterMode(display=False) as plain:
        expected = module(**arguments)[0]
    remembered = RememberedShapes()
    for _ in range(2):
        with remembered, FlopCounterMode(display=False) as counter:
            result = module(**arguments)[0]
        assert counter.get_flop_counts() == plain.get_flop_counts()
        assert (result.shape, result.stride(), result.dtype) == (
            expected.shape,
            expected.stride(),
            expected.dtype,
        )


def test_scalars_of_other_types_are_other_operations() -> None:
    whole = torch.empty(3, dtype=torch.int64, device="meta")
    with RememberedShapes():
        assert [(whole * factor).dtype for factor in (1, 1.0, 1, 1.0)] == [
            torch.int64,
            torch.float32,
            torch.int64,
            torch.float32,
        ]


def test_real_tensors_are_computed() -> None:
    with RememberedShapes():
        for value in (2.0, 3.0):
            assert float(torch.full((4,), value).sum()) == 4 * value


def test_views_and_writes_in_place_keep_their_storage() -> None:
    base = torch.empty(4, 4, device="meta")
    with RememberedShapes():
        for _ in range(2):
            assert base.t().untyped_storage()._cdata == base.untyped_storage()._cdata
            assert base.add_(1) is base


def test_several_results_are_remembered() -> None:
    values = torch.empty(5, 7, device="meta", dtype=torch.float16)
    with RememberedShapes():
        for _ in range(2):
            largest, index = values.max(dim=1)
            assert (largest.shape, largest.dtype) == ((5,), torch.float16)
            assert (index.shape, index.dtype) == ((5,), torch.int64)
