"""
How each class of denoiser is called: one function per class makes its forward's arguments.

A function takes a Request and returns the keyword arguments as meta tensors, as the class's
pipeline in diffusers prepares them for one forward. To add a class: write a function here
and list it in CALLS.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from atlas.architectures.architecture import Architecture, Component
from atlas.basis.errors import AtlasError

Inputs = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What inputs are wanted: sizes that are known to be possible."""

    architecture: Architecture
    columns: int
    """Width in latent pixels."""
    rows: int
    """Height in latent pixels."""
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    batch: int
    tokens: int
    """Text tokens."""
    dtype: torch.dtype

    def config(self, key: str) -> Any:
        """Return a value of the denoiser's configuration, or its class's own default."""
        denoiser = self.architecture.denoiser
        return denoiser.config[key] if key in denoiser.config else default(denoiser, key)

    def floats(self, *shape: int) -> torch.Tensor:
        """Return a tensor [batch, *shape] of the wanted dtype."""
        return torch.empty(self.batch, *shape, dtype=self.dtype, device="meta")

    def whole(self, *shape: int) -> torch.Tensor:
        """Return a tensor [batch, *shape] of int64."""
        return torch.empty(self.batch, *shape, dtype=torch.int64, device="meta")

    def positions(self, count: int, axes: int) -> torch.Tensor:
        """Return position ids [count, axes], shared by the batch."""
        return torch.empty(count, axes, dtype=self.dtype, device="meta")

    @property
    def image(self) -> torch.Tensor:
        """The latent [batch, channels, rows, columns]."""
        return self.floats(self.architecture.latent.channels, self.rows, self.columns)

    @property
    def image_tokens(self) -> int:
        """Tokens of the image."""
        return self.architecture.image_tokens(self.width, self.height)

    @property
    def packed(self) -> torch.Tensor:
        """The latent in tokens [batch, tokens, channels x patch x patch]."""
        return self.floats(self.image_tokens, int(self.config("in_channels")))

    def text(self, width_key: str) -> torch.Tensor:
        """Text features [batch, tokens, width]; the key names the width in the config."""
        return self.floats(self.tokens, int(self.config(width_key)))


def default(denoiser: Component, key: str) -> Any:
    """
    Return what a class of diffusers takes where its configuration has no such key.

    Raises
    ------
    AtlasError
        if the class has no default either.
    """
    import diffusers

    known = inspect.signature(getattr(diffusers, denoiser.class_name).__init__).parameters
    if key not in known or known[key].default is inspect.Parameter.empty:
        raise AtlasError(f"the configuration of {denoiser.class_name} lacks the key {key}")
    return known[key].default


def unet(request: Request) -> Inputs:
    """UNet2DConditionModel: SD 1, SD 2, and SDXL with its sizes and pooled text."""
    inputs: Inputs = {
        "sample": request.image,
        "timestep": request.whole(),
        "encoder_hidden_states": request.text("cross_attention_dim"),
    }
    config = request.architecture.denoiser.config
    if config.get("addition_embed_type") == "text_time":
        # Six sizes (original, crop, target), each embedded; the rest is the pooled text.
        sizes = 6 * int(config["addition_time_embed_dim"])
        pooled = int(config["projection_class_embeddings_input_dim"]) - sizes
        inputs["added_cond_kwargs"] = {
            "text_embeds": request.floats(pooled),
            "time_ids": request.floats(6),
        }
    return inputs


def unet_of_classes(request: Request) -> Inputs:
    """UNet2DModel: no text; a class label where the model has classes, or its embedding."""
    inputs = {"sample": request.image, "timestep": request.whole()}
    config = request.architecture.denoiser.config
    kind = config.get("class_embed_type")
    if kind == "identity":
        # What embeds the class is outside the model: a vector as wide as that of the time.
        inputs["class_labels"] = request.floats(4 * int(request.config("block_out_channels")[0]))
    elif kind == "timestep" or config.get("num_class_embeds"):
        inputs["class_labels"] = request.whole()
    return inputs


def kandinsky3(request: Request) -> Inputs:
    """Kandinsky3UNet."""
    return {
        "sample": request.image,
        "timestep": request.whole(),
        "encoder_hidden_states": request.text("encoder_hid_dim"),
        "encoder_attention_mask": request.whole(request.tokens),
    }


def sd3(request: Request) -> Inputs:
    """SD3Transformer2DModel."""
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("joint_attention_dim"),
        "pooled_projections": request.floats(int(request.config("pooled_projection_dim"))),
    }


def hunyuan(request: Request) -> Inputs:
    """HunyuanDiT2DModel: text of BERT and of T5, sizes, style and rotary positions."""
    bert, t5 = int(request.config("text_len")), int(request.config("text_len_t5"))
    rotary = torch.empty(
        request.image_tokens,
        int(request.config("attention_head_dim")),
        dtype=torch.float32,
        device="meta",
    )
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.floats(bert, int(request.config("cross_attention_dim"))),
        "text_embedding_mask": request.whole(bert),
        "encoder_hidden_states_t5": request.floats(
            t5, int(request.config("cross_attention_dim_t5"))
        ),
        "text_embedding_mask_t5": request.whole(t5),
        "image_meta_size": request.floats(6),
        "style": request.whole(),
        "image_rotary_emb": (rotary, rotary),
    }


def auraflow(request: Request) -> Inputs:
    """AuraFlowTransformer2DModel."""
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("joint_attention_dim"),
    }


def flux(request: Request) -> Inputs:
    """FluxTransformer2DModel: packed latent, positions of three axes, pooled text of CLIP."""
    inputs = {
        "hidden_states": request.packed,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("joint_attention_dim"),
        "pooled_projections": request.floats(int(request.config("pooled_projection_dim"))),
        "img_ids": request.positions(request.image_tokens, 3),
        "txt_ids": request.positions(request.tokens, 3),
    }
    return inputs | _guidance(request)


def flux2(request: Request) -> Inputs:
    """Flux2Transformer2DModel: packed latent, positions of four axes."""
    inputs = {
        "hidden_states": request.packed,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("joint_attention_dim"),
        "img_ids": request.positions(request.image_tokens, 4),
        "txt_ids": request.positions(request.tokens, 4),
    }
    return inputs | _guidance(request)


def _guidance(request: Request) -> Inputs:
    """Return the guidance scale as an input, for models distilled to take it."""
    if request.architecture.denoiser.config.get("guidance_embeds"):
        return {"guidance": request.floats()}
    return {}


def chroma(request: Request) -> Inputs:
    """ChromaTransformer2DModel: as FLUX.1, a mask over text and image, no pooled text."""
    return {
        "hidden_states": request.packed,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("joint_attention_dim"),
        "img_ids": request.positions(request.image_tokens, 3),
        "txt_ids": request.positions(request.tokens, 3),
        "attention_mask": request.floats(request.tokens + request.image_tokens),
    }


def sana(request: Request) -> Inputs:
    """SanaTransformer2DModel."""
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("caption_channels"),
        "encoder_attention_mask": request.whole(request.tokens),
    }


def pixart(request: Request) -> Inputs:
    """PixArtTransformer2DModel: resolution and aspect ratio where it was trained with them."""
    config = request.architecture.denoiser.config
    conditions: dict[str, torch.Tensor | None] = {"resolution": None, "aspect_ratio": None}
    # The class's own default: models for 1024 pixels have these conditions.
    if config.get("use_additional_conditions", config["sample_size"] == 128):
        conditions = {"resolution": request.floats(2), "aspect_ratio": request.floats(1)}
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("caption_channels"),
        "encoder_attention_mask": request.whole(request.tokens),
        "added_cond_kwargs": conditions,
    }


def lumina2(request: Request) -> Inputs:
    """Lumina2Transformer2DModel."""
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("cap_feat_dim"),
        "encoder_attention_mask": request.whole(request.tokens),
    }


def lumina_next(request: Request) -> Inputs:
    """LuminaNextDiT2DModel: rotary positions for 384 x 384 patches, as its pipeline makes."""
    head = int(request.config("hidden_size")) // int(request.config("num_attention_heads"))
    rotary = torch.empty(384, 384, head // 2, dtype=torch.complex64, device="meta")
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("cross_attention_dim"),
        "encoder_mask": request.whole(request.tokens),
        "image_rotary_emb": rotary,
        "cross_attention_kwargs": {},
    }


def cogview(request: Request) -> Inputs:
    """CogView3PlusTransformer2DModel, CogView4Transformer2DModel: sizes as in SDXL."""
    return {
        "hidden_states": request.image,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("text_embed_dim"),
        "original_size": request.floats(2),
        "target_size": request.floats(2),
        "crop_coords": request.floats(2),
    }


def qwen_image(request: Request) -> Inputs:
    """QwenImageTransformer2DModel: packed latent; sizes in tokens as plain numbers."""
    patch = request.architecture.latent.patch
    shape = (1, request.rows // patch, request.columns // patch)
    return {
        "hidden_states": request.packed,
        "timestep": request.floats(),
        "encoder_hidden_states": request.text("joint_attention_dim"),
        "img_shapes": [[shape]] * request.batch,
    }


def z_image(request: Request) -> Inputs:
    """ZImageTransformer2DModel: lists of one image [channels, 1, rows, columns] and text."""
    channels = request.architecture.latent.channels
    image = torch.empty(
        channels, 1, request.rows, request.columns, dtype=request.dtype, device="meta"
    )
    text = torch.empty(
        request.tokens, int(request.config("cap_feat_dim")), dtype=request.dtype, device="meta"
    )
    return {
        "x": [image] * request.batch,
        "t": request.floats(),
        "cap_feats": [text] * request.batch,
    }


CALLS: dict[str, Callable[[Request], Inputs]] = {
    "AuraFlowTransformer2DModel": auraflow,
    "ChromaTransformer2DModel": chroma,
    "CogView3PlusTransformer2DModel": cogview,
    "CogView4Transformer2DModel": cogview,
    "Flux2Transformer2DModel": flux2,
    "FluxTransformer2DModel": flux,
    "HunyuanDiT2DModel": hunyuan,
    "Kandinsky3UNet": kandinsky3,
    "Lumina2Transformer2DModel": lumina2,
    "LuminaNextDiT2DModel": lumina_next,
    "PixArtTransformer2DModel": pixart,
    "QwenImageTransformer2DModel": qwen_image,
    "SD3Transformer2DModel": sd3,
    "SanaTransformer2DModel": sana,
    "UNet2DConditionModel": unet,
    "UNet2DModel": unet_of_classes,
    "ZImageTransformer2DModel": z_image,
}
"""Class of denoiser to what makes its arguments."""
