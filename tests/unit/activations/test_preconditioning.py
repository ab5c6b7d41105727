"""EDM's and consistency models' scales: what they were derived to do, and single figures."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from atlas.activations.probes import preconditioning
from atlas.activations.probes.preconditioning import Consistency, Edm
from atlas.basis.errors import AtlasError

SIGMAS = st.floats(0.002, 80)


def scales(kind, sigma):
    found = kind.scales(torch.tensor([sigma], dtype=torch.float64))
    return tuple(float(each) for each in (found.skip, found.out, found.total, found.noise))


@given(sigma=SIGMAS)
def test_edms_input_and_target_have_unit_variance(sigma):
    # Karras et al. 2022, appendix B.6, equations 114 to 138
    skip, out, total, noise = scales(Edm(), sigma)
    assert (sigma**2 + 0.25) / total**2 == pytest.approx(1)
    assert ((1 - skip) ** 2 * 0.25 + skip**2 * sigma**2) / out**2 == pytest.approx(1)
    assert noise == pytest.approx(math.log(sigma) / 4)


@given(sigma=SIGMAS)
def test_edms_skip_is_the_one_that_asks_least_of_the_network(sigma):
    def out(skip):
        return (1 - skip) ** 2 * 0.25 + skip**2 * sigma**2

    skip = scales(Edm(), sigma)[0]
    assert out(skip) <= min(out(skip * 1.01), out(skip * 0.99))


def test_a_consistency_model_leaves_the_least_noisy_image_as_it_is():
    skip, out, *_ = scales(Consistency(), 0.002)
    assert (skip, out) == (1, 0)


@given(sigma=SIGMAS)
def test_consistency_models_are_edms_but_for_the_least_level_and_a_thousandfold_time(sigma):
    skip, out, total, noise = scales(Consistency(), sigma)
    _, edm_out, edm_total, edm_noise = scales(Edm(), sigma)
    assert total == edm_total
    assert noise == pytest.approx(1000 * edm_noise)
    assert out == pytest.approx(edm_out * (sigma - 0.002) / sigma)
    assert skip == pytest.approx(0.25 / ((sigma - 0.002) ** 2 + 0.25))


def test_figures_at_the_largest_level():
    assert scales(Edm(), 80.0) == pytest.approx(
        (3.90610e-5, 0.4999902, 80.0015625, 1.0955066), 1e-6
    )
    assert scales(Consistency(), 80.0) == pytest.approx(
        (3.90629e-5, 0.4999777, 80.0015625, 1095.5066), 1e-5
    )


@pytest.mark.parametrize("kind", [Edm(), Consistency()])
def test_estimates_of_several_levels_at_once(kind):
    noisy = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([80.0, 1.0, 0.01])

    def forward(given, time):
        return given.cos() + time[:, None, None, None]

    together = kind.denoised(forward, noisy, sigma)
    for row in range(3):
        one = slice(row, row + 1)
        skip, out, total, time = scales(kind, float(sigma[row]))
        expected = skip * noisy[one] + out * ((noisy[one] / total).cos() + time)
        torch.testing.assert_close(together[one], expected, rtol=1e-5, atol=1e-5)


def test_names():
    assert isinstance(preconditioning.kind("edm"), Edm)
    assert isinstance(preconditioning.kind("consistency"), Consistency)
    with pytest.raises(AtlasError, match=r"consistence; did you mean consistency\?"):
        preconditioning.kind("consistence")
