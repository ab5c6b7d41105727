"""Every denoiser runs: its output, its MACs by closed forms, and by a real run; bad input."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import prod

import pytest
import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from atlas.architectures import catalogue, inputs
from atlas.architectures.counting import Count, count
from atlas.architectures.watching import attention_macs
from atlas.basis.errors import AtlasError
from atlas.macs.counters import layer_macs
from meta_modules import REMEMBERED, arguments_of, built, denoiser

LINEAR_ATTENTION = {name for name in catalogue.names() if name.startswith("sana")}
"""Their self-attention is written out as products of keys and values, without a softmax."""


@contextmanager
def attention_calls() -> Iterator[list[int]]:
    """Record batch x heads x N_q x N_k x (d_k + d_v) at every call, by replacing the function."""
    real = torch.nn.functional.scaled_dot_product_attention
    found: list[int] = []

    def recording(query, key, value, *args, **kwargs):
        batch, heads, queries, width = query.shape
        found.append(batch * heads * queries * key.shape[2] * (width + value.shape[3]))
        return real(query, key, value, *args, **kwargs)

    torch.nn.functional.scaled_dot_product_attention = recording
    try:
        yield found
    finally:
        torch.nn.functional.scaled_dot_product_attention = real


@dataclass(frozen=True)
class Forward:
    """One forward of a denoiser."""

    width: int
    height: int
    output: torch.Size
    """Shape of the first tensor that it returned, without axes of one element."""
    count: Count
    attention: int
    """MACs of attention by the calls' shapes, recorded before the counter replaced anything."""


SQUARE = {"DiTTransformer2DModel"}
"""Classes that make square images alone."""


@cache
def forward(name: str) -> Forward:
    """Run a denoiser on an image whose unequal sides tell width from height, where it can."""
    entry, module = catalogue.load(name), denoiser(name)
    side = entry.latent.pixel_multiple * max(1, 256 // entry.latent.pixel_multiple)
    returned: list[object] = []
    hook = module.register_forward_hook(lambda *called: returned.append(called[-1]))
    width = side if entry.denoiser.class_name in SQUARE else 2 * side
    arguments = inputs.denoiser(
        entry,
        width=width,
        height=side,
        frames=1 if entry.video else None,
        references=0 if entry.references else None,
    )
    with attention_calls() as calls:
        counted = count(module, arguments, remembered=REMEMBERED)
    hook.remove()
    (output,) = returned
    while not isinstance(output, torch.Tensor):
        output = output[0]  # type: ignore[index]
    return Forward(width, side, output.squeeze().shape, counted, sum(calls))


@pytest.mark.parametrize("name", catalogue.names())
def test_denoisers_run_and_keep_the_latents_shape(name: str) -> None:
    entry, ran = catalogue.load(name), forward(name)
    columns, rows = entry.latent_size(ran.width, ran.height)
    if len(ran.output) == 2:
        channels = entry.latent.channels * entry.latent.patch**2
        assert ran.output == (entry.image_tokens(ran.width, ran.height), channels)
    else:
        # Models that also predict a variance have twice the channels.
        assert ran.output[-3] in {entry.latent.channels, 2 * entry.latent.channels}
        assert tuple(ran.output[-2:]) == (rows, columns)


@pytest.mark.parametrize("name", catalogue.names())
def test_attention_is_that_of_the_calls_shapes_and_layers_that_of_closed_forms(name: str) -> None:
    counted = forward(name).count
    kinds = counted.by_kind()
    layers = sum(layer_macs(call) for call in counted.layers)
    outside = kinds["convolution"] + kinds["linear"] - layers
    assert outside == OUTSIDE.get(name, lambda: 0)()
    assert kinds["other matmul"] <= 1e-3 * counted.total
    written_out = linear_attention(name, counted) if name in LINEAR_ATTENTION else 0
    assert kinds["attention"] == forward(name).attention + written_out


@pytest.mark.parametrize(
    ("name", "side", "macs"), [("sd15", 512, 401.6e9), ("flux1_schnell", 1024, 34.7e12)]
)
def test_known_figures(name: str, side: int, macs: float) -> None:
    """FLUX.1 [schnell] is given its 256 text tokens."""
    arguments = inputs.denoiser(catalogue.load(name), width=side, height=side)
    counted = count(denoiser(name), arguments, remembered=REMEMBERED)
    assert counted.total == pytest.approx(macs, rel=2e-3)


def hunyuan_pooling() -> int:
    """One query, 257 keys and values of 2048 features, and a projection to 1024: no layers."""
    return (1 + 257 + 257) * 2048**2 + 2048 * 1024


def hidream_gates() -> int:
    """Each token of the image, then of the image and all texts, against 4 experts: no layers."""
    image, text = 512, 128 + 2 * 128
    return (16 * image + 32 * (image + text)) * 4 * 2560


OUTSIDE = {
    "hunyuandit": hunyuan_pooling,
    "hunyuandit_v12": hunyuan_pooling,
    "hidream_i1_full": hidream_gates,
}
"""What is multiplied by weights outside of layers."""


def linear_attention(name: str, counted: Count) -> int:
    """Per head: values and a row of ones by keys, then that by queries: 2 N d (d + 1)."""
    config = catalogue.load(name).denoiser.config
    side = [call.returned for call in counted.layers if call.path.endswith("attn1.to_q")]
    width = config["attention_head_dim"]
    return sum(2 * prod(shape[:-1]) * shape[-1] // width * width * (width + 1) for shape in side)


@pytest.mark.parametrize(
    ("name", "component", "call"),
    [("sd15", "vae", "decode"), ("kandinsky3", "vae", "decode"), ("qwen_image", "vae", "encode")],
)
def test_methods_are_counted_as_forwards_are(name: str, component: str, call: str) -> None:
    module, arguments = built(name, component), arguments_of(name, component, call)
    with attention_calls() as calls:
        counted = count(module, arguments, method=call)
    assert counted.by_kind()["attention"] == sum(calls)
    assert counted.total == counted.within("") == sum(counted.by_kind().values())
    with FlopCounterMode(display=False) as plain:
        getattr(module, call)(**arguments)
    assert 2 * counted.total == plain.get_total_flops()


def test_shared_heads_of_keys_count_once_per_query_head() -> None:
    query, key = torch.empty(2, 8, 5, 4), torch.empty(2, 2, 7, 4)
    assert attention_macs(query, key, torch.empty(2, 2, 7, 3)) == 2 * 8 * 5 * 7 * (4 + 3)


SMALL = {
    "unet": (
        UNet2DConditionModel,
        {
            "block_out_channels": (8, 16),
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
            "cross_attention_dim": 12,
            "attention_head_dim": 4,
            "norm_num_groups": 4,
            "layers_per_block": 1,
        },
        {"sample": (2, 4, 8, 8), "timestep": (2,), "encoder_hidden_states": (2, 5, 12)},
    ),
    "vae": (
        AutoencoderKL,
        {
            "block_out_channels": (8, 8),
            "down_block_types": ("DownEncoderBlock2D",) * 2,
            "up_block_types": ("UpDecoderBlock2D",) * 2,
            "norm_num_groups": 4,
        },
        {"sample": (1, 3, 16, 16)},
    ),
    "flux": (
        FluxTransformer2DModel,
        {
            "in_channels": 8,
            "num_layers": 1,
            "num_single_layers": 1,
            "attention_head_dim": 16,
            "num_attention_heads": 2,
            "joint_attention_dim": 12,
            "pooled_projection_dim": 6,
            "axes_dims_rope": (4, 6, 6),
        },
        {
            "hidden_states": (1, 9, 8),
            "encoder_hidden_states": (1, 5, 12),
            "pooled_projections": (1, 6),
            "timestep": (1,),
            "img_ids": (9, 3),
            "txt_ids": (5, 3),
        },
    ),
}


def plain_attention(query, key, value, attn_mask=None, scale=None, **_):
    """Attention as two products, which FlopCounterMode counts on any device."""
    scores = query @ key.transpose(-2, -1) * (scale or query.shape[-1] ** -0.5)
    scores = scores if attn_mask is None else scores + attn_mask
    return scores.softmax(-1) @ value


@pytest.mark.parametrize("name", SMALL)
def test_a_real_run_gives_the_same_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, config, shapes = SMALL[name]
    with torch.device("meta"):
        module = kind(**config).eval()
        arguments = {key: torch.empty(shape) for key, shape in shapes.items()}
    module.to("meta")
    expected = count(module, arguments)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", plain_attention)
    real = kind(**config).eval()
    values = {key: torch.rand(shape) for key, shape in shapes.items()}
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        real(**values)
    assert counter.get_total_flops() == 2 * expected.total
    assert expected.by_kind()["attention"] > 0


def test_a_module_off_the_meta_device_is_refused() -> None:
    with pytest.raises(AtlasError, match=r"parameter weight is on cpu, not on the meta device"):
        count(torch.nn.Linear(3, 4), {"input": torch.empty(2, 3, device="meta")})


def test_an_input_off_the_meta_device_is_refused() -> None:
    with pytest.raises(AtlasError, match=r"input input is on cpu"):
        count(torch.nn.Linear(3, 4, device="meta"), {"input": torch.empty(2, 3)})


def test_nothing_counted_is_an_error_not_zero() -> None:
    with pytest.raises(AtlasError, match="nothing was counted"):
        count(torch.nn.ReLU(), {"input": torch.empty(2, 3, device="meta")})


def test_attention_that_does_not_count_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a version of torch whose fused kernel takes meta tensors without a formula."""
    monkeypatch.setattr("atlas.architectures.watching.attention_macs", lambda *_: 10**15)
    given = arguments_of("sd15", "text_encoder", None)
    with pytest.raises(AtlasError, match="does not count attention on the meta device"):
        count(built("sd15", "text_encoder"), given, remembered=REMEMBERED)
