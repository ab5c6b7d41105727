"""Pipelines of diffusers with narrow networks of random weights, as folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

WORDS = ["<pad>", "</s>", "<unk>", "<s>", "a", "photo", "of", "the", "digit", "zero", "one", "two"]
PROMPTS = ["a photo of zero", "the digit one", "two"]
TOKENS, TEXT_WIDTH = 16, 16


def tokenizer() -> Any:
    """Return a tokenizer of a dozen words."""
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        bos_token="<s>",
        model_max_length=TOKENS,
    )


def clip(kind: Any = CLIPTextModel, width: int = TEXT_WIDTH) -> Any:
    """Return a text encoder of CLIP's."""
    config = CLIPTextConfig(
        vocab_size=len(WORDS),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
        projection_dim=width,
        eos_token_id=1,
        bos_token_id=3,
        pad_token_id=0,
    )
    return kind(config)


def t5() -> Any:
    """Return an encoder of T5's."""
    config = T5Config(
        vocab_size=len(WORDS), d_model=TEXT_WIDTH, d_kv=4, d_ff=16, num_layers=1, num_heads=2
    )
    return T5EncoderModel(config)


def vae(**more: Any) -> Any:
    """Return an autoencoder that halves sides once."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=16,
        **more,
    )


def pixart(folder: Path) -> Path:
    """Write a pipeline as PixArt's."""
    torch.manual_seed(2)
    network = PixArtTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=3,
        cross_attention_dim=16,
        sample_size=8,
        patch_size=2,
        caption_channels=TEXT_WIDTH,
        use_additional_conditions=False,
        norm_type="ada_norm_single",
    )
    PixArtAlphaPipeline(
        tokenizer=tokenizer(),
        text_encoder=t5(),
        vae=vae(),
        transformer=network,
        scheduler=DDIMScheduler(),
    ).save_pretrained(folder)
    return folder


def _flow_vae() -> Any:
    return vae(
        shift_factor=0.1, scaling_factor=1.5, use_quant_conv=False, use_post_quant_conv=False
    )


def sd3(folder: Path) -> Path:
    """Write a pipeline as Stable Diffusion 3's, with three text encoders."""
    torch.manual_seed(3)
    network = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=TEXT_WIDTH,
        caption_projection_dim=16,
        pooled_projection_dim=16,
        out_channels=4,
        pos_embed_max_size=16,
    )
    StableDiffusion3Pipeline(
        transformer=network,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_flow_vae(),
        text_encoder=clip(CLIPTextModelWithProjection, 8),
        tokenizer=tokenizer(),
        text_encoder_2=clip(CLIPTextModelWithProjection, 8),
        tokenizer_2=tokenizer(),
        text_encoder_3=t5(),
        tokenizer_3=tokenizer(),
    ).save_pretrained(folder)
    return folder


def flux(folder: Path) -> Path:
    """Write a pipeline as Flux's."""
    torch.manual_seed(4)
    network = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=TEXT_WIDTH,
        pooled_projection_dim=8,
        guidance_embeds=True,
        axes_dims_rope=(4, 4, 8),
    )
    FluxPipeline(
        transformer=network,
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=_flow_vae(),
        text_encoder=clip(width=8),
        tokenizer=tokenizer(),
        text_encoder_2=t5(),
        tokenizer_2=tokenizer(),
    ).save_pretrained(folder)
    return folder
