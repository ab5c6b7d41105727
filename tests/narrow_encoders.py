"""Narrow text encoders with random weights, each alone in a diffusers folder: no model's."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.networks import clip_vocabulary

WIDTH = 16
CONTEXT = 24
WORDS = [
    "<pad>", "</s>", "<unk>", "<s>", "cat", "CAT", "dog", "DOG", "red", "RED", "blue", "BLUE",
    "a", "photo", "of", "one", "ONE", "old", "OLD",
]  # fmt: skip
"""Of the tokenisers that know whole words."""
ATTENTION = {"hidden_size": WIDTH, "num_hidden_layers": 3, "num_attention_heads": 2}
LLM = {
    **ATTENTION,
    "vocab_size": len(WORDS),
    "intermediate_size": 2 * WIDTH,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "pad_token_id": 0,
}
T5 = {
    "vocab_size": len(WORDS), "d_model": WIDTH, "d_ff": 2 * WIDTH, "d_kv": 8, "num_heads": 2,
    "num_layers": 3, "feed_forward_proj": "gated-gelu",
}  # fmt: skip

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "t5": ("T5EncoderModel", T5),
    "umt5": ("UMT5EncoderModel", T5),
    "gemma": ("GemmaModel", LLM),
    "gemma2": ("Gemma2Model", LLM),
    "qwen2": ("Qwen2Model", {k: v for k, v in LLM.items() if k != "head_dim"}),
    "qwen3": ("Qwen3Model", LLM),
    "llama": ("LlamaModel", LLM),
    "mistral": ("MistralModel", LLM),
    "bert": ("BertModel", {**ATTENTION, "vocab_size": len(WORDS), "intermediate_size": 2 * WIDTH}),
}
"""Name to transformers' class and what its configuration says."""


def clip(folder: Path, *, seed: int = 0, projected: bool = False, gelu: bool = False) -> Any:
    """Write CLIP's text encoder in small with a tokeniser of single bytes, and return it."""
    end = len(clip_vocabulary.tokens_of([])) - 1
    name = "CLIPTextModelWithProjection" if projected else "CLIPTextModel"
    config = transformers.CLIPTextConfig(
        **ATTENTION,
        vocab_size=end + 1,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=CONTEXT,
        projection_dim=WIDTH // 2,
        hidden_act="gelu" if gelu else "quick_gelu",
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    network = _drawn(name, config, seed)
    network.save_pretrained(folder / "text_encoder")
    clip_vocabulary.write([], folder / "tokenizer", context=CONTEXT)
    _index(folder, name, "CLIPTokenizer")
    return network


def other(folder: Path, kind: str, *, seed: int = 0) -> Any:
    """Write another kind in small with a tokeniser of whole words, and return it."""
    name, facts = KINDS[kind]
    network = _drawn(name, getattr(transformers, name).config_class(**facts), seed)
    network.save_pretrained(folder / "text_encoder")
    words(starts=kind == "bert").save_pretrained(folder / "tokenizer")
    _index(folder, name, "PreTrainedTokenizerFast")
    return network


def seeing(folder: Path) -> Any:
    """Write a language model that sees, and return its text half."""
    torch.manual_seed(0)
    text = transformers.MistralConfig(**LLM)
    eyes = transformers.PixtralVisionConfig(
        hidden_size=WIDTH, intermediate_size=WIDTH, num_hidden_layers=1, num_attention_heads=2,
        image_size=28, patch_size=14,
    )  # fmt: skip
    config = transformers.Mistral3Config(text_config=text, vision_config=eyes)
    network = transformers.Mistral3ForConditionalGeneration(config).eval()
    network.save_pretrained(folder / "text_encoder")
    words().save_pretrained(folder / "tokenizer")
    _index(folder, type(network).__name__, "PreTrainedTokenizerFast")
    return network.model.language_model


def words(*, starts: bool = False) -> PreTrainedTokenizerFast:
    """Return a tokeniser of whole words, with a mark of the end and perhaps of the start."""
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    single = "<s> $A </s>" if starts else "$A </s>"
    made.post_processor = TemplateProcessing(
        single=single, special_tokens=[("</s>", 1), ("<s>", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        bos_token="<s>", model_max_length=64,
    )  # fmt: skip


def single_file(path: Path, network: Any) -> Path:
    """Write a text encoder as Stable Diffusion 1's single files hold it, and nothing else."""
    prefix = "cond_stage_model.transformer."
    inner = (
        "" if any(key.startswith("text_model.") for key in network.state_dict()) else "text_model."
    )
    state = {}
    for key, value in network.state_dict().items():
        inner = key if key.startswith("text_") else f"text_model.{key}"
        state[f"{prefix}{inner}"] = value.contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
    return path


def fingerprinted(path: Path, to: Path) -> Path:
    """Write the fingerprint of a model, and return its place."""
    opened = open_checkpoint(path)
    sealed.write(fingerprint.table(opened), to, fingerprint.notes(opened))
    return to


def _drawn(name: str, config: Any, seed: int) -> Any:
    """Return a network whose norms and biases are drawn too: at 0 and 1 they would hide."""
    torch.manual_seed(seed)
    network = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for key, weight in network.named_parameters():
            if weight.ndim == 1:
                weight.copy_(0.1 * torch.randn_like(weight) + key.endswith("norm.weight"))
            else:
                weight.mul_(4)  # so that tokens differ clearly
    return network


def _index(folder: Path, encoder: str, tokenizer: str) -> None:
    index = {
        "_class_name": "DiffusionPipeline",
        "text_encoder": ["transformers", encoder],
        "tokenizer": ["transformers", tokenizer],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
