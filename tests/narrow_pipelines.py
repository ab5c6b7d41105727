"""Narrow pipelines of transformers with random weights, as diffusers folders: no model's."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AuraFlowPipeline,
    AuraFlowTransformer2DModel,
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtAlphaPipeline,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

WORDS = ["<pad>", "</s>", "<unk>", "a", "red", "blue", "square", "round", "seven", "on", "grass"]
WIDTH = 16
TEXT = 24
"""Width of T5."""


def tokenizer(length: int) -> PreTrainedTokenizerFast:
    """A token a word, and one at the end."""
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=length,
    )


def clip(*, projected: bool) -> Any:
    config = CLIPTextConfig(
        vocab_size=len(WORDS),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=1,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def t5() -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(vocab_size=len(WORDS), d_model=TEXT, d_kv=8, d_ff=TEXT, num_layers=1, num_heads=2)
    )


def autoencoder(channels: int, **further: float) -> AutoencoderKL:
    """Two pixels a latent pixel along a side."""
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=16,
        use_quant_conv=False,
        use_post_quant_conv=False,
        **further,
    )


def sd3(folder: Path) -> None:
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=2 * TEXT,
        caption_projection_dim=16,
        pooled_projection_dim=2 * WIDTH,
        pos_embed_max_size=16,
    )
    encoder = T5EncoderModel(
        T5Config(
            vocab_size=len(WORDS), d_model=2 * TEXT, d_kv=8, d_ff=TEXT, num_layers=1, num_heads=2
        )
    )
    StableDiffusion3Pipeline(
        transformer=spread(transformer),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=autoencoder(4, shift_factor=0.06, scaling_factor=1.5),
        text_encoder=clip(projected=True),
        tokenizer=tokenizer(77),
        text_encoder_2=clip(projected=True),
        tokenizer_2=tokenizer(77),
        text_encoder_3=encoder,
        tokenizer_3=tokenizer(512),
    ).save_pretrained(folder)


def flux(folder: Path, *, is_told_guidance: bool = True) -> None:
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=TEXT,
        pooled_projection_dim=WIDTH,
        guidance_embeds=is_told_guidance,
        axes_dims_rope=(4, 2, 2),
    )
    FluxPipeline(
        transformer=spread(transformer),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=autoencoder(4, shift_factor=0.1, scaling_factor=0.4),
        text_encoder=clip(projected=False),
        tokenizer=tokenizer(77),
        text_encoder_2=t5(),
        tokenizer_2=tokenizer(512),
    ).save_pretrained(folder)


def pixart(folder: Path, pipeline: Any = PixArtAlphaPipeline) -> None:
    transformer = PixArtTransformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        out_channels=8,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=2,
        cross_attention_dim=16,
        caption_channels=TEXT,
        use_additional_conditions=False,
    )
    pipeline(
        transformer=spread(transformer),
        scheduler=DPMSolverMultistepScheduler(),
        vae=autoencoder(4, scaling_factor=0.5),
        text_encoder=t5(),
        tokenizer=tokenizer(120),
    ).save_pretrained(folder)


def pixart_sigma(folder: Path) -> None:
    pixart(folder, PixArtSigmaPipeline)


def auraflow(folder: Path) -> None:
    transformer = AuraFlowTransformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_mmdit_layers=2,
        num_single_dit_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=TEXT,
        caption_projection_dim=16,
        pos_embed_max_size=256,
    )
    config = UMT5Config(
        vocab_size=len(WORDS), d_model=TEXT, d_kv=8, d_ff=TEXT, num_layers=1, num_heads=2
    )
    AuraFlowPipeline(
        transformer=spread(transformer),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.73),
        vae=autoencoder(4, scaling_factor=0.5),
        text_encoder=UMT5EncoderModel(config),
        tokenizer=tokenizer(256),
    ).save_pretrained(folder)


def spread(network: torch.nn.Module) -> torch.nn.Module:
    """Draw all weights anew, as layers that start at 0 would hide what stands before them."""
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return network


KINDS = {
    "sd3": sd3,
    "flux": flux,
    "pixart": pixart,
    "pixart_sigma": pixart_sigma,
    "auraflow": auraflow,
}
"""Name to what writes the pipeline's folder."""


def written(folder: Path, kind: str) -> Path:
    """Write a narrow pipeline, of the same weights each time."""
    torch.manual_seed(0)
    KINDS[kind](folder)
    return folder
