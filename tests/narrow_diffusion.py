"""Narrow pipelines of Stable Diffusion with random weights, as diffusers writes them."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from atlas.activations.probes import scheduling
from atlas.networks import clip_vocabulary

TOKENS = 16
WIDTH = 8
SIDE = 8
"""Of latents; images are twice as large."""

UNET = {
    "sample_size": SIDE,
    "layers_per_block": 1,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": WIDTH,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}
XL = {
    "cross_attention_dim": 2 * WIDTH,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 4,
    "projection_class_embeddings_input_dim": WIDTH + 6 * 4,
    "use_linear_projection": True,
}


def tokenizer(folder: Path) -> CLIPTokenizer:
    """Return a tokeniser of single bytes."""
    clip_vocabulary.write([], folder, context=TOKENS)
    return clip_vocabulary.tokenizer(folder)


def _text_config() -> CLIPTextConfig:
    end = len(clip_vocabulary.tokens_of([])) - 1
    return CLIPTextConfig(
        vocab_size=end + 1,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
        projection_dim=WIDTH,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(4, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=2 * SIDE,
    )


def stable_diffusion(folder: Path, **unet: object) -> StableDiffusionPipeline:
    """Write Stable Diffusion 1 in small to a folder, and return diffusers' pipeline of it."""
    torch.manual_seed(0)
    pipeline = StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_text_config()),
        tokenizer=tokenizer(folder.with_name(f"{folder.name} words")),
        unet=UNet2DConditionModel(**(UNET | unet)),
        scheduler=DDIMScheduler(**scheduling.BETAS),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _written(pipeline, folder)


def sdxl(folder: Path, *, is_zero: bool = True, **unet: object) -> StableDiffusionXLPipeline:
    """Write SDXL in small to a folder, and return diffusers' pipeline of it."""
    torch.manual_seed(0)
    words = tokenizer(folder.with_name(f"{folder.name} words"))
    pipeline = StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(_text_config()),
        text_encoder_2=CLIPTextModelWithProjection(_text_config()),
        tokenizer=words,
        tokenizer_2=words,
        unet=UNet2DConditionModel(**(UNET | XL | unet)),
        scheduler=EulerDiscreteScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            steps_offset=1,
            timestep_spacing="leading",
        ),
        force_zeros_for_empty_prompt=is_zero,
        add_watermarker=False,
    )
    return _written(pipeline, folder)


def _written(pipeline: DiffusionPipeline, folder: Path) -> DiffusionPipeline:
    for network in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        _spread(network)
    if getattr(pipeline, "text_encoder_2", None) is not None:
        _spread(pipeline.text_encoder_2)
    pipeline.save_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _spread(network: torch.nn.Module) -> None:
    """Draw biases and norms at random, too: at 0 and 1 they would hide where they are lost."""
    network.eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim == 1:
                weight.copy_(0.1 * torch.randn_like(weight) + name.endswith("norm.weight"))


def images_of(pipeline: DiffusionPipeline, prompts: list[str], latents: torch.Tensor, **told):
    """Return diffusers' own images, float (samples, 3, height, width), 0 to 1."""
    return pipeline(prompt=prompts, latents=latents, output_type="pt", **told).images
