"""Bounds on time against slow obvious ones, and what must hold of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

import explorer_subjects
from atlas.basis.errors import AtlasError
from atlas.macs import bounds, devices
from atlas.macs.bounds import Question, answer, bound
from atlas.macs.formulas import ATTENDED, MOVED

GPUS, _ = devices.read()
GPU = GPUS["rtx_4090"]
PLAIN = explorer_subjects.subject("plain", "Plain", 3)
ASKED = Question(1024, 1024)


@pytest.mark.parametrize("precision", bounds.PRECISIONS)
@pytest.mark.parametrize("gpu", ["rtx_4090", "t4", "h100_sxm"])
def test_a_bound_is_the_longer_of_computing_and_moving(precision, gpu):
    device, formula = GPUS[gpu], PLAIN.denoiser
    told = bounds.PRECISIONS[precision]
    point, batch = (4096, 512), 3
    found = bound(formula, point, batch, told, device)
    rates = device.rate(told.layers), device.rate(told.attention)
    if None in rates:
        assert found is None
        return
    kinds = formula.kinds(*point, batch)
    attention = kinds.pop("attention")
    layers = sum(kinds.values())
    values = batch * int(formula.image[MOVED].at(point))
    bandwidth = device.bandwidth_gb_per_s * 1e9
    parts = [
        (
            2 * layers / rates[0],
            (values * told.activation + formula.weights * told.weight) / bandwidth,
        ),
        (
            2 * attention / rates[1],
            batch * int(formula.image[ATTENDED].at(point)) * told.activation / bandwidth,
        ),
    ]
    assert found is not None
    assert found.seconds == pytest.approx(sum(max(part) for part in parts))


def test_an_image_is_its_parts():
    found = answer(PLAIN, replace(ASKED, batch=2), GPU)
    assert found.image_bound is not None
    parts = {name: each.seconds for name, each in found.bounds.items() if each is not None}
    whole = (28 * parts["denoiser"] + parts["text"] + parts["vae"]) / 2
    assert found.image_bound.seconds == pytest.approx(whole)
    text = PLAIN.texts[None]
    macs = 0
    for formula in PLAIN.formulas:
        point = PLAIN.tokens(formula, 1024, 1024, text)
        times = {"transformer": 28 * 2, "vae": 1}.get(formula.component, 2)
        macs += times * sum(formula.kinds(*point, 2).values())
    assert found.image_macs == macs // 2


def test_more_work_never_takes_less():
    less = answer(PLAIN, ASKED, GPU)
    assert less.image_bound is not None
    for more in (
        replace(ASKED, width=2048),
        replace(ASKED, steps=29),
        replace(ASKED, precision="f32"),
    ):
        other = answer(PLAIN, more, GPU).image_bound
        assert other is not None
        assert other.seconds > less.image_bound.seconds


def test_few_tokens_are_limited_by_bandwidth_and_many_by_arithmetic():
    small = answer(PLAIN, Question(64, 64, prompt=16), GPU).bounds["denoiser"]
    large = answer(PLAIN, Question(2048, 2048), GPU).bounds["denoiser"]
    assert small is not None
    assert large is not None
    assert (small.limit, large.limit) == (bounds.BANDWIDTH, bounds.COMPUTE)


def test_caching_multiplies_the_denoiser_alone():
    whole, half, none = (
        answer(PLAIN, replace(ASKED, work=work), GPU).image_bound for work in (1.0, 0.5, 0.0)
    )
    assert whole is not None
    assert half is not None
    assert none is not None
    assert half.seconds == pytest.approx((whole.seconds + none.seconds) / 2)
    assert none.seconds > 0


def test_memory_is_weights_and_the_largest_activations():
    found = answer(PLAIN, ASKED, GPU).memory
    text = PLAIN.texts[None]
    weights = sum(2 * (each.parameters + each.buffers) for each in PLAIN.formulas)
    peaks = [
        each.peak(
            PLAIN.tokens(each, 1024, 1024, text)[0],
            1 if each.component == "vae" else 2,
            is_single=False,
        )
        for each in PLAIN.formulas
    ]
    assert found["resident"] == weights + max(peaks)
    assert found["resident"] > found["by_component"] > found["by_layer"]
    assert bounds.fits(found, GPU) == "resident"
    assert bounds.fits(found, replace(GPU, memory_gib=0.001)) == "no"


def test_a_whole_encoder_is_held_where_the_pipeline_loads_one():
    more = replace(PLAIN, loaded={"two": 10**10})
    own, other = (answer(each, ASKED, GPU).memory["resident"] for each in (PLAIN, more))
    assert other - own == 2 * (10**10 - 9 * 10**8)


def test_a_decoder_that_is_upcast_takes_four_bytes_in_float16_alone():
    upcast = replace(PLAIN, decodes_in_f32=True)
    for precision, is_more in (("f16", True), ("bf16", False), ("f32", False)):
        asked = replace(ASKED, precision=precision)
        own, other = (answer(each, asked, GPU).bounds["vae"] for each in (PLAIN, upcast))
        assert own is not None
        assert other is not None
        assert (other.seconds > own.seconds) == is_more


@pytest.mark.parametrize("size", [(1000, 1024), (1024, 8192), (0, 64)])
def test_sizes_that_can_not_be_are_refused(size):
    with pytest.raises(AtlasError, match="plain: sides must be"):
        answer(PLAIN, Question(*size), GPU)


def test_rows_tell_problems_and_what_was_measured():
    measured = [
        {"architecture": "plain", "width_pixels": 1024, "height_pixels": 1024,
         "device": "NVIDIA GeForce RTX 4090", "milliseconds": 250.0}
    ]  # fmt: skip
    known = explorer_subjects.subjects()
    table = [row for each in known for row in bounds.rows(each, [GPU, GPUS["t4"]], measured)]
    assert len(table) == 2 * len(known)
    assert all(set(row) <= set(bounds.COLUMNS) for row in table)
    by = {(row["architecture"], row["device"]): row for row in table}
    assert by["plain", "rtx_4090"]["measured_forward_seconds"] == 0.25
    assert "measured_forward_seconds" not in by["plain", "t4"]
    assert by["plain", "t4"]["dtype"] == "f16", "it has no bfloat16"
    assert "can't be run" in by["broken", "t4"]["problem"]
    assert len(bounds.sections(table, [GPU])[0].rows) == len(known)


def test_an_oblong_is_refused_where_squares_alone_can_be():
    with pytest.raises(AtlasError, match="plain: sides must be equal"):
        answer(replace(PLAIN, is_square=True), Question(1024, 512), GPU)


def test_guidance_in_calls_holds_one_image_and_reads_weights_twice():
    apart = replace(PLAIN, in_calls=True)
    one, two = (answer(each, ASKED, GPU) for each in (apart, PLAIN))
    assert one.image_macs == two.image_macs
    assert one.memory["by_component"] < two.memory["by_component"]
    alone = answer(PLAIN, replace(ASKED, guidance=False), GPU).bounds["denoiser"]
    found, batch = one.bounds["denoiser"], two.bounds["denoiser"]
    assert found is not None
    assert alone is not None
    assert batch is not None
    assert found == alone.times(2)
    assert found.seconds >= batch.seconds
