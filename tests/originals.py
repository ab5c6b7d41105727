"""
Write weights with diffusers' names in the layouts of original files, for tests.

UNets and OpenCLIP are written by hand; the others by inverting the table of the layout. Tests
hold the results against diffusers' own converters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

import numpy as np

from atlas.names import layouts
from atlas.names.rules import Target, _filled, _target
from narrow import Weights


def unet_as_ldm(named: Weights, per_level: int = 3) -> Weights:
    """
    Rename a diffusers UNet's weights to OpenAI's input_blocks and output_blocks.

    UNet2DModel's become guided-diffusion's: fused attention as one-dimensional convolutions,
    residual blocks as samplers.
    """
    inner = {
        "norm1": "in_layers.0",
        "conv1": "in_layers.2",
        "norm2": "out_layers.0",
        "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1",
        "conv_shortcut": "skip_connection",
    }
    outer = {
        "conv_in": "input_blocks.0.0",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "label_embedding.linear_1": "label_emb.0",
        "label_embedding.linear_2": "label_emb.2",
        "class_embedding": "label_emb",
    }
    with_attention = {
        tuple(name.split(".")[:4:3]) + tuple(name.split(".")[1:2])
        for name in named
        if ".attentions." in name
    }
    result = {}
    for name, value in named.items():
        module, _, parameter = name.rpartition(".")
        if module in outer:
            result[f"{outer[module]}.{parameter}"] = value
            continue
        stage, *rest = name.split(".")
        if stage == "mid_block":
            kind, number, *tail = rest
            place = f"middle_block.{2 * int(number) + (kind == 'attentions')}"
        else:
            level, kind, number, *tail = rest
            block = per_level * int(level) + int(number) + (stage == "down_blocks")
            child = int(kind == "attentions")
            if kind == "downsamplers":
                block = per_level * (int(level) + 1)
                tail = ["op", *tail[1:]] if tail[0] == "conv" else [inner[tail[0]], *tail[1:]]
            if kind == "upsamplers":
                tail = [inner.get(tail[0], tail[0]), *tail[1:]]
                block = per_level * (int(level) + 1) - 1
                child = 1 + ((stage, str(per_level - 1), level) in with_attention)
            place = f"{'input' if stage == 'down_blocks' else 'output'}_blocks.{block}.{child}"
        if kind == "resnets":
            tail = [inner[tail[0]], *tail[1:]]
        if tail[0] == "group_norm":
            tail = ["norm", tail[1]]
        if tail[:2] == ["to_out", "0"]:
            tail, value = ["proj_out", tail[2]], value[..., None] if value.ndim > 1 else value
        if tail[0] in {"to_q", "to_k", "to_v"}:
            parts = [named[name.replace(f".{tail[0]}.", f".to_{letter}.")] for letter in "qkv"]
            fused = np.concatenate(parts)
            tail, value = ["qkv", tail[1]], fused[..., None] if fused.ndim > 1 else fused
        result[".".join([place, *tail])] = value
    return result


def original(layout_name: str, named: Weights) -> Weights:
    """
    Return weights in their original layout, by inverting the layout's rules.

    Every rule is tried with all numbers and parameters; where all of its canonical names are
    there, their weights make the original one.
    """
    layout = layouts.layout(layout_name)
    result: Weights = {}
    used: set[str] = set()
    for source, target in sorted(layout.modules.items(), key=lambda rule: -rule[0].count(".")):
        # Flux's norms call their weight `scale`, nothing else does
        elements = {k: v for k, v in layout.elements.items() if k != "scale" or "norm" in source}
        for values in _values(source, layout.where, _highest(named)):
            names = [_filled(name, values) for name in _target(target).names]
            for canonical, key in _suffixes(elements, named, names):
                whole = [f"{name}{canonical}" for name in names]
                if names and all(name in named and name not in used for name in whole):
                    used.update(whole)
                    result[_filled(source, values) + key] = _joined(_target(target), named, whole)
    rest = {name: value for name, value in named.items() if name not in used}
    assert not rest or layout.keeps_names, f"{layout_name} leaves out {sorted(rest)[:5]}"
    return result | rest


def _suffixes(
    elements: Mapping[str, str], named: Weights, names: list[str]
) -> list[tuple[str, str]]:
    """Return what follows the first name: as it stands in diffusers and in the original."""
    back = {renamed: element for element, renamed in elements.items()}
    found = [name[len(names[0]) :] for name in named if names and name.startswith(names[0])]
    pairs = [(rest, re.sub(r"(?<=\.)\w+", lambda m: back.get(m[0], m[0]), rest)) for rest in found]
    pairs += [(rest, rest) for rest in found]
    return [(canonical, key) for canonical, key in pairs if not canonical or canonical[0] == "."]


def _values(source: str, where: Mapping[str, list[str]], highest: int) -> list[dict[str, str]]:
    names = re.findall(r"\{(\w+)\}", source)
    ranges = [where.get(name, [str(number) for number in range(highest + 1)]) for name in names]
    rows = [dict(zip(names, values, strict=True)) for values in product(*ranges)]
    return [row | {"last-i": str(highest - int(row.get("i", 0)))} for row in rows]


def _highest(named: Weights) -> int:
    return max(
        (int(number) for name in named for number in re.findall(r"(?<=\.)\d+(?=\.)", name)),
        default=0,
    )


def _joined(target: Target, named: Weights, names: list[str]) -> np.ndarray:
    value = np.concatenate([named[name] for name in names]) if len(names) > 1 else named[names[0]]
    width = named[names[0].rpartition(".")[0] + ".weight"].shape[-1] if target.swapped else 0
    if target.swapped and value.shape[0] == 2 * width:
        value = np.concatenate([value[width:], value[:width]])
    return value.T if target.transposed else value


def clip_as_open_clip(named: Weights) -> Weights:
    """Rename a text encoder's weights to OpenCLIP's, with queries, keys and values fused."""
    result = {}
    inner = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    outer = {
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm.weight": "ln_final.weight",
        "text_model.final_layer_norm.bias": "ln_final.bias",
    }
    for name, value in named.items():
        if name in outer:
            result[outer[name]] = value
        elif name == "text_projection.weight":
            result["text_projection"] = value.T
        else:
            layer, _, rest = name.removeprefix("text_model.encoder.layers.").partition(".")
            module, _, parameter = rest.rpartition(".")
            prefix = f"transformer.resblocks.{layer}"
            if module in inner:
                result[f"{prefix}.{inner[module]}.{parameter}"] = value
            elif module.endswith("q_proj"):
                stem = name.replace("q_proj", "{}_proj")
                fused = np.concatenate([named[stem.format(letter)] for letter in "qkv"])
                result[f"{prefix}.attn.in_proj_{parameter}"] = fused
    return result


def under(prefix: str, named: Weights) -> Weights:
    """Put a prefix before every key."""
    return {f"{prefix}.{key}": value for key, value in named.items()}


def as_ldm(components: Mapping[str, Weights], version: str, *, ema: bool = False) -> Weights:
    """Write a narrow Stable Diffusion as one file in LDM's layout, schedules included."""
    unet = unet_as_ldm(components["unet"])
    if version == "sd1":
        unet = {
            key: value[..., None, None] if re.search(r"1\.proj_(in|out)\.weight", key) else value
            for key, value in unet.items()
        }
    vae = {
        key: value[..., None, None]
        if re.search(r"attn_1\.(q|k|v|proj_out)\.weight", key)
        else value
        for key, value in original("ldm_vae", components["vae"]).items()
    }
    keys = under("model.diffusion_model", unet) | under("first_stage_model", vae)
    encoder = components["text_encoder"]
    positions = {"text_model.embeddings.position_ids": np.arange(7)[None]}
    scale = {"logit_scale": np.ones((), np.float32)}
    if version == "sd1":
        keys |= under("cond_stage_model.transformer", encoder | positions)
    elif version == "sd2":
        keys |= under("cond_stage_model.model", clip_as_open_clip(encoder) | scale)
    else:
        keys |= under("conditioner.embedders.0.transformer", encoder | positions)
        second = clip_as_open_clip(components["text_encoder_2"])
        keys |= under("conditioner.embedders.1.model", second | scale)
    keys |= {"betas": np.ones(5, np.float32), "alphas_cumprod": np.ones(5, np.float32)}
    if ema:
        flat = {
            key.replace(".", ""): value for key, value in under("diffusion_model", unet).items()
        }
        keys |= under("model_ema", {key: value + 1 for key, value in flat.items()})
        keys |= {"model_ema.num_updates": np.array(9, np.int64)}
        keys |= {"model_ema.decay": np.array(0.9, np.float32)}
    return keys
