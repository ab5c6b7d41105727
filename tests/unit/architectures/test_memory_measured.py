"""The peak followed on the meta device, beside what torch's profiler sees allocated on the CPU."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel
from torch.profiler import ProfilerActivity, profile

from atlas.architectures import memory
from atlas.architectures.nested import tensors_in
from atlas.architectures.tiling import tiled

Given = dict[str, Any]

UNET = {
    "in_channels": 4, "out_channels": 4, "block_out_channels": [32, 64], "layers_per_block": 1,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "norm_num_groups": 8,
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "cross_attention_dim": 64,
    "attention_head_dim": [2, 4], "transformer_layers_per_block": [1, 2],
    "use_linear_projection": True, "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 80, "sample_size": 32,
}  # fmt: skip
FLUX = {
    "patch_size": 1, "in_channels": 16, "num_layers": 2, "num_single_layers": 3,
    "attention_head_dim": 16, "num_attention_heads": 4, "joint_attention_dim": 32,
    "pooled_projection_dim": 32, "guidance_embeds": True, "axes_dims_rope": [4, 6, 6],
}  # fmt: skip
VAE = {
    "in_channels": 3, "out_channels": 3, "latent_channels": 4, "block_out_channels": [16, 32],
    "down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2,
    "layers_per_block": 1, "norm_num_groups": 8, "sample_size": 64,
}  # fmt: skip


def allocations(call: Callable[..., Any], given: Given) -> list[tuple[int, int, bool]]:
    """Return address, bytes (negative where freed) and whether within a convolution, in order."""
    with torch.no_grad():
        call(**given)  # what is made once is there afterwards
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            kept = call(**given)
        del kept
    results = profiled.profiler.kineto_results
    found: list[tuple[int, int, int, bool]] = []

    def walk(events: Any, is_inside: bool) -> None:
        for event in events:
            if event.tag.name == "Allocation":
                told = event.extra_fields
                found.append((event.start_time_ns, told.ptr, told.alloc_size, is_inside))
            walk(event.children, is_inside or event.name == "aten::convolution")

    walk(results.experimental_event_tree(), False)
    return [event[1:] for event in sorted(found)]


def without_scratch(events: list[tuple[int, int, bool]]) -> Iterator[int]:
    """Leave out what a convolution allocates and frees itself: no kernel's scratch is followed."""
    opened: dict[int, int] = {}
    scratch = set()
    for number, (address, size, is_inside) in enumerate(events):
        if size > 0 and is_inside:
            opened[address] = number
        elif address in opened:
            start = opened.pop(address)
            if is_inside:
                scratch |= {start, number}
    yield from (size for number, (_, size, _) in enumerate(events) if number not in scratch)


def measured(call: Callable[..., Any], given: Given) -> int:
    """Return the most bytes allocated at one time, the inputs among them."""
    alive = most = sum(tensor.untyped_storage().nbytes() for tensor in tensors_in(given))
    for size in without_scratch(allocations(call, given)):
        alive += size
        most = max(most, alive)
    return most


def followed(call: Callable[..., Any], given: Given, **further: Any) -> int:
    return memory.peak(memory.live_bytes(call, on_meta(given), pixels=0, **further)).single


def on_meta(value: Any) -> Any:
    """Return nested tensors on the meta device, in float16."""
    if isinstance(value, dict):
        return {key: on_meta(own) for key, own in value.items()}
    if not isinstance(value, torch.Tensor):
        return value
    dtype = torch.float16 if value.is_floating_point() else value.dtype
    return value.to(device="meta", dtype=dtype)


def both(kind: Any, config: dict[str, Any]) -> tuple[Any, Any]:
    """Build a model in float32 on the CPU, and in float16 on the meta device."""
    real, meta = (kind.from_config(config).eval() for _ in range(2))
    return real, torch.nn.Module.to(meta, device="meta", dtype=torch.float16)


def test_of_a_small_sdxl_with_guidance_in_one_batch() -> None:
    given = {
        "sample": torch.randn(2, 4, 64, 64),
        "timestep": torch.tensor([5.0]),
        "encoder_hidden_states": torch.randn(2, 77, 64),
        "added_cond_kwargs": {
            "text_embeds": torch.randn(2, 32), "time_ids": torch.randn(2, 6)
        },
        "return_dict": False,
    }  # fmt: skip
    real, meta = both(UNet2DConditionModel, UNET)
    assert followed(meta, given) == pytest.approx(measured(real, given), rel=0.005)


def test_of_a_small_flux() -> None:
    given = {
        "hidden_states": torch.randn(1, 1024, 16),
        "encoder_hidden_states": torch.randn(1, 77, 32),
        "pooled_projections": torch.randn(1, 32),
        "timestep": torch.rand(1),
        "guidance": torch.rand(1),
        "img_ids": torch.zeros(1024, 3),
        "txt_ids": torch.zeros(77, 3),
        "return_dict": False,
    }
    real, meta = both(FluxTransformer2DModel, FLUX)
    assert followed(meta, given) == measured(real, given)


def test_of_an_autoencoder_whole_and_by_tiles() -> None:
    given = {"z": torch.randn(1, 4, 96, 96), "return_dict": False}
    real, meta = both(AutoencoderKL, VAE)
    whole = measured(real.decode, given)
    assert followed(meta.decode, given) == pytest.approx(whole, rel=0.005)
    real.enable_tiling()
    by_tiles = measured(real.decode, given)
    with tiled(meta):
        found = followed(meta.decode, given, repeated=meta.decoder)
    assert found == pytest.approx(by_tiles, rel=0.005)
    assert by_tiles < whole / 5
