"""Streams: what a forward tells of who is given what, and what is known of each model besides."""

from functools import cache

import pytest
import torch
from torch import nn

from atlas.architectures import catalogue
from atlas.architectures.portraits import Piece, Structure
from atlas.architectures.streams import sources, stream_of
from atlas.architectures.structure import structure
from atlas.architectures.tracing import Trace, makers_of
from meta_modules import denoiser


@cache
def found(name: str) -> Structure:
    entry = catalogue.load(name)
    return structure(entry, denoiser(name), width=entry.native, height=entry.native)


def readers(name: str, start: str) -> list[str]:
    return [flow.end for flow in found(name).flows if flow.start == start]


def entered(name: str, start: str) -> set[tuple[str, ...]]:
    """Return the modules of blocks that a stream enters, over all blocks that it enters."""
    marks = {unit.mark for unit in found(name).units}
    return {flow.into for flow in found(name).flows if flow.start == start and flow.end in marks}


def encoders(name: str) -> dict[str, list[str]]:
    entry = catalogue.load(name)
    return {
        source.name: [entry.components[each].class_name for each in source.encoders]
        for source in found(name).sources
        if source.encoders
    }


def streams(name: str) -> dict[str, str]:
    return {piece.mark: piece.stream for piece in found(name).outside}


def blocks(name: str) -> list[str]:
    return [unit.mark for unit in found(name).units]


@pytest.mark.parametrize("name", ["flux1_schnell", "sd3_medium"])
def test_pooled_clip_enters_the_time_and_tokens_the_joint_attention(name: str) -> None:
    assert readers(name, "pooled_projections") == ["time_text_embed"]
    assert readers(name, "encoder_hidden_states") == ["context_embedder"]
    assert readers(name, "context_embedder") == ["transformer_blocks.0"]
    assert entered(name, "context_embedder") == {("norm1_context", "attn")}
    assert set(blocks(name)) < set(readers(name, "time_text_embed"))
    assert streams(name)["time_text_embed"] == "time"


def test_encoders_are_told_by_their_sizes() -> None:
    assert encoders("flux1_schnell") == {
        "encoder_hidden_states": ["T5EncoderModel"],
        "pooled_projections": ["CLIPTextModel"],
    }
    clips = ["CLIPTextModelWithProjection"] * 2
    assert encoders("sd3_medium") == {
        "encoder_hidden_states": [*clips, "T5EncoderModel"],
        "pooled_projections": clips,
    }
    assert encoders("sdxl") == {
        "encoder_hidden_states": ["CLIPTextModel", "CLIPTextModelWithProjection"],
        "text_embeds": ["CLIPTextModelWithProjection"],
    }
    assert encoders("hunyuandit") == {
        "encoder_hidden_states": ["BertModel"],
        "encoder_hidden_states_t5": ["T5EncoderModel"],
    }


def test_lumina2s_text_goes_through_its_embedder_and_refiner() -> None:
    embedder = "time_caption_embed.caption_embedder"
    assert readers("lumina2", "encoder_hidden_states") == [embedder]
    assert readers("lumina2", embedder) == ["context_refiner"]
    assert readers("lumina2", "context_refiner") == ["layers.0"]
    assert streams("lumina2") == {
        "time_caption_embed.timestep_embedder": "time",
        embedder: "text",
        "x_embedder": "image",
        "context_refiner": "text",
        "noise_refiner": "image",
        "norm_out": "head",
    }


@pytest.mark.parametrize("name", ["pixart_alpha_512", "sana_600m"])
def test_text_enters_the_cross_attention_of_every_block(name: str) -> None:
    last = {"pixart_alpha_512": "caption_projection", "sana_600m": "caption_norm"}[name]
    assert readers(name, last) == blocks(name)
    assert entered(name, last) == {("attn2",)}


def test_hunyuans_text_enters_every_block_and_the_time_and_its_skips_are_long() -> None:
    name = "hunyuandit"
    assert readers(name, "encoder_hidden_states") == blocks(name)
    assert readers(name, "text_embedder") == blocks(name)
    assert entered(name, "text_embedder") == {("attn2",)}
    assert readers(name, "encoder_hidden_states_t5") == ["time_extra_emb", "text_embedder"]
    assert {f"blocks.{39 - n}" for n in range(19)} == {
        end for n in range(19) for end in readers(name, f"blocks.{n}") if end != f"blocks.{n + 1}"
    }
    assert readers(name, "blocks.0") == ["blocks.1", "blocks.39"]


def test_sdxls_text_enters_units_with_attention_and_pooled_text_the_embedding() -> None:
    reading = readers("sdxl", "encoder_hidden_states")
    attending = [
        unit.mark
        for unit in found("sdxl").units
        if any("attentions" in path or path == "mid_block" for path in unit.paths)
    ]
    assert reading == attending
    assert readers("sdxl", "text_embeds") == ["add_embedding"]
    assert readers("sdxl", "time_ids") == ["add_embedding"]
    assert "IN01" in readers("sdxl", "add_embedding")


def test_parameters_that_no_module_owns_lie_with_what_they_are_used_with() -> None:
    assert streams("hunyuandit")["text_embedding_padding"] == "text"
    assert streams("z_image")["x_pad_token"] == "image"
    assert streams("z_image")["cap_pad_token"] == "text"
    assert streams("pixart_alpha_512")["scale_shift_table"] == "head"


@pytest.mark.parametrize("name", ["cogview4", "qwen_image", "lumina_next", "kandinsky3"])
def test_what_embeds_the_time_is_the_times(name: str) -> None:
    own = {mark: stream for mark, stream in streams(name).items() if mark.startswith("time")}
    assert set(own.values()) == {"time"}


@pytest.mark.parametrize("name", ["sd15", "flux1_schnell", "hunyuandit", "z_image"])
def test_parts_add_up_and_come_as_they_ran(name: str) -> None:
    entry = catalogue.load(name)
    entrances: list[str] = []
    module = denoiser(name)
    handles = [
        part.register_forward_pre_hook(lambda *_, own=path: entrances.append(own))
        for path, part in module.named_modules()
    ]
    try:
        made = structure(entry, module, width=256, height=256)
    finally:
        for handle in handles:
            handle.remove()
    first = {path: at for at, path in reversed(list(enumerate(entrances)))}
    assert [min(first[path] for path in unit.paths if path in first) for unit in made.units] == (
        sorted(min(first[path] for path in unit.paths if path in first) for unit in made.units)
    )
    for sample in made.samples:
        check_parts(sample, first)


def check_parts(piece: Piece, first: dict[str, int]) -> None:
    for measure in ("parameters", "macs"):
        assert sum(getattr(part, measure) for part in piece.parts) == getattr(piece, measure)
    ran = [first[part.mark] for part in piece.parts if part.mark in first]
    assert ran == sorted(ran)
    for part in piece.parts:
        if part.parts:
            check_parts(part, first)


def test_attention_has_its_products_between_keys_and_what_comes_out() -> None:
    (attention,) = (
        part for part in found("flux1_schnell").samples[0].parts if part.mark.endswith(".attn")
    )
    marks = [part.mark.rpartition(".")[2] for part in attention.parts if part.macs]
    assert marks == ["to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "products",
                     "to_out", "to_add_out"]  # fmt: skip
    products = next(part for part in attention.parts if part.mark == "products")
    assert products.macs == 2 * (4096 + 256) ** 2 * 3072
    assert products.classes == ("of attention",)


@pytest.mark.parametrize(
    ("argument", "stream"),
    [
        ("encoder_hidden_states_t5", "text"),
        ("encoder_hidden_states_image", "reference image"),
        ("encoder_attention_mask", "unseen"),
        ("timestep_cond", "time"),
        ("time_ids", "sizes and classes"),
        ("text_embeds", "pooled text"),
        ("nobody_knows", "unseen"),
    ],
)
def test_arguments_are_known_by_their_names(argument: str, stream: str) -> None:
    assert stream_of(argument) == stream


def test_encoders_that_fit_in_two_ways_are_not_named() -> None:
    entry = catalogue.load("sd3_medium")
    text = torch.empty(1, 77, 4096, device="meta")
    (source,) = sources(entry, {"encoder_hidden_states": text})
    assert source.encoders == ()


class Cross(nn.Module):
    """Two parts and what is done between them, in ways that models use."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 4)
        self.block = nn.Linear(4, 4)
        self.token = nn.Parameter(torch.zeros(4))

    def forward(self, image: torch.Tensor, time: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        embedded = self.embed(image.type_as(other))
        rows = torch.zeros(1, 3, 4)
        rows[:, :2] = embedded
        rows[:, 2:] = self.token
        rows.mul_(time)
        mixed: torch.Tensor = self.block(torch.cat([rows, torch.ones_like(other)], dim=1))
        return mixed


def test_tensors_are_followed_through_writing_in_place() -> None:
    module = Cross()
    trace = Trace(module, {"embed": "embed", "block": "block"})
    given = {"image": torch.ones(1, 2, 4), "time": torch.ones(1), "other": torch.ones(1, 2, 4)}
    with trace.of(given), torch.no_grad():
        result = module(**given)
    assert set(trace.flows) == {
        ("image", "embed"), ("embed", "block"), ("token", "block"), ("time", "block"),
    }  # fmt: skip
    assert list(trace.flows["embed", "block"]) == [(1, 5, 4)]
    assert makers_of(result) == {"block"}
    assert trace.companions["token"] == {"embed"}
    assert makers_of(module.token) == frozenset()
    assert trace.place("embed") < trace.place("block") < trace.place("nowhere")
