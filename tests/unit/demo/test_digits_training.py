"""The digits models' trainings, on small stand-ins: they learn, and do so each time alike."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from atlas_demo import facts
from atlas_demo.digits import autoencoder, denoiser, networks, text_encoder, training

SCALE = facts.digits()["components"]["vae"]["scaling_factor"]


@pytest.fixture(autouse=True)
def one_thread():
    """Leave torch as it was found."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def narrow(component: str, **changes) -> nn.Module:
    """Return a component of the digits models, narrower still."""
    torch.manual_seed(5)
    return networks.build(component, facts.digits()["components"][component] | changes)


def small_vae() -> nn.Module:
    return narrow("vae", block_out_channels=[4, 4, 4, 4], layers_per_block=1)


def test_the_rate_rises_and_falls():
    rates = [training.rate_at(step, steps=50, rate=2.0, warmup=5) for step in range(50)]
    assert rates[:5] == sorted(rates[:5])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[0] == pytest.approx(0.4)
    assert 1.9 < max(rates) <= 2.0
    assert rates[-1] < 0.01


def test_minimising_finds_the_minimum_and_tells_each_step():
    wanted = torch.tensor([1.0, -2.0])
    found = nn.Parameter(torch.zeros(2))
    steps = []
    training.minimise(
        lambda: ((found - wanted) ** 2).sum(),
        [found],
        steps=200,
        rate=0.1,
        warmup=5,
        after_step=steps.append,
    )
    torch.testing.assert_close(found.detach(), wanted, atol=0.01, rtol=0)
    assert steps == list(range(200))


def test_weights_that_the_loss_leaves_alone_shrink_by_the_decay():
    for decay in (0.0, 0.2):
        left = nn.Parameter(torch.tensor([1.0, -2.0]))
        before = left.detach().clone()
        rates = {"steps": 9, "rate": 0.1, "warmup": 3}
        training.minimise(lambda left=left: 0 * left.sum(), [left], decay=decay, **rates)
        factors = [1 - decay * training.rate_at(step, **rates) for step in range(9)]
        torch.testing.assert_close(left.detach(), before * float(np.prod(factors)))
        assert torch.equal(left, before) == (decay == 0)


def test_only_the_chosen_modules_are_trained():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    chosen = training.choose(network, ["1"])
    assert [tuple(parameter.shape) for parameter in chosen] == [(2, 2), (2,)]
    assert [parameter.requires_grad for parameter in network.parameters()] == [False] * 2 + [
        True
    ] * 2


def test_the_same_seed_trains_the_same_bytes():
    pictures = torch.rand(20, 3, 16, 16)
    plan = {"batch": 2, "divergence": 0.1, "steps": 3, "rate": 0.01, "warmup": 1}
    results = []
    for _ in range(2):
        training.prepare(seed=3, threads=1)
        vae = networks.build("vae", dict(small_vae().config))
        autoencoder.train(vae, pictures, parameters=list(vae.parameters()), plan=plan)
        results.append(networks.arrays_of(vae))
    for name, array in results[0].items():
        assert array.tobytes() == results[1][name].tobytes()


def test_standardising_changes_the_latents_and_no_picture():
    torch.manual_seed(1)
    vae, pictures = small_vae(), torch.rand(30, 3, 32, 32)
    plain = copy.deepcopy(vae)
    before = autoencoder.encode(vae, pictures)
    autoencoder.standardise(vae, before)
    after = autoencoder.encode(vae, pictures)
    torch.testing.assert_close(after.std(dim=(0, 2, 3)) * SCALE, torch.ones(4), rtol=1e-3, atol=0)
    torch.testing.assert_close(after.mean(dim=(0, 2, 3)) * SCALE, torch.zeros(4), rtol=0, atol=1e-3)
    torch.testing.assert_close(
        autoencoder.decode(vae, after), autoencoder.decode(plain, before), rtol=0, atol=1e-4
    )
    spread = plain.encode(pictures).latent_dist.std / before.std(dim=(0, 2, 3))[:, None, None]
    torch.testing.assert_close(
        vae.encode(pictures).latent_dist.std * SCALE, spread, rtol=1e-3, atol=1e-5
    )


def test_the_velocity_of_a_seer_is_told_without_error():
    """A UNet that knows the latents and reads the noise off the input has no error."""
    signal = torch.linspace(0.99, 0.01, 50)
    latents = torch.randn(8, 4, 2, 2)

    class Answer:
        def __init__(self, sample):
            self.sample = sample

    def seer(noisy, times, text):
        share = signal[times][:, None, None, None]
        noise = (noisy - share.sqrt() * latents) / (1 - share).sqrt()
        return Answer(share.sqrt() * noise - (1 - share).sqrt() * latents)

    assert denoiser.velocity_loss(seer, latents, torch.zeros(8), signal) < 1e-8
    ignorant = denoiser.velocity_loss(
        lambda noisy, times, text: Answer(torch.zeros_like(noisy)), latents, torch.zeros(8), signal
    )
    assert ignorant > 0.3


def test_a_caption_of_the_digit_is_chosen():
    states = torch.arange(40).float()[:, None, None].expand(40, 3, 2)
    conditions = denoiser.Conditions(states=states, blank=torch.zeros(3, 2))
    digits, choices = torch.tensor([0, 3, 9]), torch.tensor([5, 0, 3])
    chosen = conditions.of(digits, choices)
    assert chosen.shape == (3, 3, 2)
    assert chosen[:, 0, 0].tolist() == [1, 12, 39]


def test_the_average_follows_quickly_at_first():
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    average = denoiser.Average(network, decay=0.9)
    nn.init.zeros_(network.weight)
    average.update(0)
    assert average.weights["weight"].item() == pytest.approx(0.1)
    average.update(10_000)
    assert average.weights["weight"].item() == pytest.approx(0.09)


def test_the_contrast_falls_when_fitting_captions_are_likest():
    fits = torch.tensor([[True, False, False], [False, True, True], [False, False, False]])
    likeness = torch.where(fits, 10.0, 0.0)
    good = text_encoder.contrastive_loss(likeness, fits)
    even = text_encoder.contrastive_loss(torch.zeros(3, 3), fits)
    assert even.item() == pytest.approx(np.log(3))
    # Of the two that fit the second picture each can have a half at best.
    assert good.item() == pytest.approx(np.log(2) / 2, abs=1e-3)


def test_the_text_encoder_learns_which_captions_fit():
    encoder = narrow("text_encoder", num_hidden_layers=2, vocab_size=50, eos_token_id=49)
    tokens = torch.tensor([[48, digit, 49, 49] for digit in range(4)])
    pixels = torch.eye(4).repeat(5, 1)
    shown = torch.arange(4).repeat(5)
    contrast = text_encoder.Contrast(encoder, width=32, pixels=4)
    data = {"captions": (tokens, torch.arange(4)), "pictures": (pixels, shown)}
    plan = {"batch": 20, "captions": 4, "steps": 60, "rate": 0.005, "warmup": 5}
    text_encoder.train(contrast, parameters=list(contrast.parameters()), plan=plan, **data)
    assert text_encoder.agreement(contrast, **data) == 1
