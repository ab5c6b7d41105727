"""Diagrams: what they say, from the text of the SVG; and that they fit a page."""

import re
from dataclasses import replace
from functools import cache
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from atlas.architectures import catalogue, portraits
from atlas.architectures.diagrams import (
    frame,
    listings,
    overview,
    streams,
    style,
    transformer,
    unet,
)
from atlas.architectures.portraits import (
    Encoder,
    Flow,
    Missing,
    Piece,
    Portrait,
    Source,
    Structure,
)
from atlas.architectures.structure import structure
from atlas.basis.errors import AtlasError
from atlas.plots.style import text_width
from meta_modules import denoiser

A3 = 11.69, 16.54
"""Inches."""


def piece(mark: str, *classes: str, weights: int = 100, shape: tuple[int, ...] | None = None,
          path: str | None = None, parts: tuple[Piece, ...] = (), stream: str = "",
          ) -> Piece:  # fmt: skip
    return Piece(mark, (path or mark,), classes, weights, 0, 10**9, shape, parts, stream)


def given(*flows: tuple[str, str], shape: tuple[int, ...] = (1, 1024, 64)) -> tuple[Flow, ...]:
    return tuple(Flow(start, end, (shape,)) for start, end in flows)


def portrait(
    kind: str, units: list[Piece], outside: list[Piece], samples: list[Piece],
    flows: tuple[Flow, ...],
) -> Portrait:  # fmt: skip
    every = [*units, *outside]
    weights, work = sum(p.parameters for p in every), sum(p.macs for p in every)
    structure = Structure(
        "Denoiser", tuple(units), tuple(outside), (), weights, 0, work, tuple(samples),
        SOURCES, flows,
    )  # fmt: skip
    encoders = (Encoder("CLIPTextModel", 77, 123_000_000, "text_encoder"),)
    return Portrait("tiny", "Tiny & small", kind, 512, 1, 77, "f16", 2, (1, 4, 64, 64), 1024, 8,
                    encoders, structure)  # fmt: skip


SOURCES = (
    Source("sample", "image", (1, 4, 64, 64)),
    Source("timestep", "time", (1,)),
    Source("encoder_hidden_states", "text", (1, 77, 768), ("text_encoder",)),
)


@pytest.fixture
def small_unet() -> Portrait:
    units = [
        piece("IN00", "Conv2d", path="conv_in", shape=(1, 320, 64, 64)),
        piece("IN01", "ResnetBlock2D", "Transformer2DModel", path="down_blocks.0.resnets.0"),
        piece("MID", "UNetMidBlock2DCrossAttn", path="mid_block"),
        piece("OUT00", "ResnetBlock2D", "Upsample2D", path="up_blocks.0.resnets.0"),
        piece("OUT01", "ResnetBlock2D", path="up_blocks.0.resnets.1"),
    ]
    outside = [
        piece("time_embedding", "TimestepEmbedding", stream="time"),
        piece("conv_out", "Conv2d", stream="head"),
    ]
    flows = given(
        ("timestep", "time_embedding"), ("time_embedding", "IN01"), ("sample", "IN00"),
        ("encoder_hidden_states", "IN01"), ("encoder_hidden_states", "MID"), ("IN00", "IN01"),
        ("IN01", "MID"), ("MID", "OUT00"), ("IN01", "OUT00"), ("OUT00", "OUT01"),
        ("IN00", "OUT01"), ("OUT01", "conv_out"),
    )  # fmt: skip
    return portrait("UNet", units, outside, [], flows)


@pytest.fixture
def small_transformer() -> Portrait:
    blocks = [
        piece(f"transformer_blocks.{n}", "JointBlock", shape=(1, 1024, 64)) for n in range(19)
    ]
    last = piece("transformer_blocks.19", "JointBlock", weights=50, shape=(1, 1101, 64))
    attention = piece(
        "transformer_blocks.0.attn", "Attention",
        parts=(piece("transformer_blocks.0.attn.to_q", "Linear"),),
    )  # fmt: skip
    sample = piece("transformer_blocks.0", "JointBlock", parts=(attention,))
    outside = [
        piece("pos_embed", "PatchEmbed", stream="image"),
        piece("context_embedder", "Linear", stream="text"),
        piece("time_text_embed", "Embeddings", stream="time"),
        piece("proj_out", "Linear", stream="head"),
    ]
    marks = [block.mark for block in (*blocks, last)]
    flows = given(
        ("sample", "pos_embed"), ("encoder_hidden_states", "context_embedder"),
        ("timestep", "time_text_embed"), ("pos_embed", marks[0]), *pairwise(marks),
        (marks[1], marks[19]), (marks[19], "proj_out"),
    ) + given(*(("time_text_embed", mark) for mark in marks), shape=(1, 64))  # fmt: skip
    text = Flow("context_embedder", marks[0], ((1, 77, 64),), ("attn",))
    return portrait("MMDiT", [*blocks, last], outside, [sample], (*flows, text))


def drawn(shown: Portrait, folder: Path) -> list[str]:
    draw = unet.draw if shown.kind == "UNet" else transformer.draw
    frame.save(draw(shown), folder / "tiny.svg", folder / "tiny.png")
    assert (folder / "tiny.png").read_bytes().startswith(b"\x89PNG")
    svg = (folder / "tiny.svg").read_text()
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [unescape(text).replace("\xa0", " ").strip() for text in found]


def test_a_network_without_a_head_has_no_box_for_it(tmp_path: Path) -> None:
    blocks = [piece(f"blocks.{n}", "Block", shape=(1, 1024, 64)) for n in range(3)]
    flows = given(("sample", "blocks.0"), *pairwise(each.mark for each in blocks))
    texts = drawn(portrait("MMDiT", blocks, [], [], flows), tmp_path)
    assert "Head" not in texts
    assert {"Prediction out", "Sums"} <= set(texts)


def test_a_unet_shows_its_marks_sums_and_inputs(small_unet: Portrait, tmp_path: Path) -> None:
    texts = drawn(small_unet, tmp_path)
    assert {"IN00", "IN01", "MID", "OUT00", "OUT01", "time_embedding", "conv_out"} <= set(texts)
    assert "Tiny & small: 700 parameters in 5 units, 7.00 GMAC per forward" in texts
    assert "ResNet + Transformer" in texts
    assert "1 × 320 × 64 × 64" in texts
    assert texts.count("100 parameters, 14.3 %") == 7
    at = texts.index("total")
    assert texts[at : at + 5] == ["total", "700", "100.0 %", "7.00 GMAC", "100.0 %"]
    assert any("512 × 512 pixels, 77 text tokens, f16 · 2 forwards per step" in t for t in texts)


def test_skips_join_units_that_are_no_neighbours(
    small_unet: Portrait, small_transformer: Portrait
) -> None:
    found = streams.Readers(small_unet.structure).skips()
    assert found == [("IN01", "OUT00"), ("IN00", "OUT01")]
    found = streams.Readers(small_transformer.structure).skips()
    assert found == [("transformer_blocks.1", "transformer_blocks.19")]


def test_units_name_the_streams_that_they_read(small_unet: Portrait, tmp_path: Path) -> None:
    texts = drawn(small_unet, tmp_path)
    assert [texts.count(f"← {stream}") for stream in ("text", "time")] == [2, 1]
    assert "read by the 2 units with ← text" in texts
    readers = streams.Readers(small_unet.structure)
    assert readers.streams("IN01") == ["image", "text", "time"]


def test_runs_say_where_streams_enter(small_transformer: Portrait, tmp_path: Path) -> None:
    texts = drawn(small_transformer, tmp_path)
    assert "← text into attn of block 00" in texts
    assert "← time into every block" in texts
    assert "← time into this block" in texts
    assert "← long skips of blocks 01" in texts


def test_text_joined_with_the_image_is_told() -> None:
    blocks = [piece(f"layers.{n}", "Block") for n in range(3)]
    outside = [piece("x_embedder", "Linear", stream="image"),
               piece("context_refiner", "ModuleList", stream="text")]  # fmt: skip
    flows = given(("x_embedder", "layers.0"), ("context_refiner", "layers.0"),
                  ("layers.0", "layers.1"), shape=(1, 1101, 64))  # fmt: skip
    readers = streams.Readers(portrait("DiT", blocks, outside, [], flows).structure)
    marks = [block.mark for block in blocks]
    assert readers.entrance(marks, "text") == "joined with the image in block 00"
    assert readers.entrance(marks, "time") == ""
    assert readers.goes_along("layers.0", "layers.1", 1024)
    assert not readers.goes_along("layers.0", "layers.1", 1101)


def test_resnets_that_sample_are_told() -> None:
    down = piece("IN04", "ResnetBlock2D", path="down_blocks.0.downsamplers.0")
    assert listings.classes_of(down) == "ResNet that downsamples"
    assert style.kind_of(down) == "down- or upsampling"
    plain = piece("IN04", "ResnetBlock2D", path="down_blocks.0.resnets.0")
    assert listings.classes_of(plain) == "ResNet"
    up = Piece("OUT03", ("up_blocks.0.resnets.3", "up_blocks.0.upsamplers.0"),
               ("ResnetBlock2D", "ResnetBlock2D"), 1, 0, 1, None)  # fmt: skip
    assert listings.classes_of(up) == "ResNet + ResNet that upsamples"


def test_small_modules_of_a_block_are_in_one_line(small_transformer: Portrait) -> None:
    parts = [piece(f"b.attn.{name}", "RMSNorm", weights=64) for name in ("norm_q", "norm_k")]
    quiet = tuple(replace(part, macs=0) for part in parts)
    attention = piece("b.attn", "Attention", weights=128, parts=quiet)
    texts = [text for _, text in listings._expanded(attention, 0)]
    assert texts[1][0].strip() == "2 small modules"
    assert texts[1][3:] == ("128", "0 MAC")


def test_equal_blocks_are_folded_and_one_expanded(
    small_transformer: Portrait, tmp_path: Path
) -> None:
    texts = drawn(small_transformer, tmp_path)
    assert "transformer_blocks 00–18 ×19" in texts
    assert "transformer_blocks 19" in texts
    assert "One of 19: transformer_blocks.0" in texts
    assert {"attn", "to_q", "context_embedder", "proj_out", "Latent in"} <= set(texts)
    assert {"image stream out", "image and text out"} <= set(texts)
    at = texts.index("total")
    assert texts[at + 1] == "2,350"


def test_drawings_are_read_as_written(small_transformer: Portrait, tmp_path: Path) -> None:
    file = tmp_path / "tiny.json"
    file.write_text(portraits.write(small_transformer))
    assert portraits.read(file) == small_transformer
    file.write_text('{"name": 1}')
    with pytest.raises(AtlasError, match=r"tiny\.json: is not an architecture"):
        portraits.read(file)


@pytest.mark.parametrize("kind", ["small_unet", "small_transformer"])
def test_text_is_shown_without_an_encoder(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    texts = drawn(replace(request.getfixturevalue(kind), encoders=()), tmp_path)
    assert "1 × 77 × 768" in texts
    assert "Text in" in texts


def test_an_encoder_of_nothing_known_is_listed(small_unet: Portrait, tmp_path: Path) -> None:
    unknown = replace(SOURCES[2], encoders=())
    shown = replace(small_unet, structure=replace(
        small_unet.structure, sources=(*SOURCES[:2], unknown)))  # fmt: skip
    texts = drawn(shown, tmp_path)
    assert "encoders, which of them is not told" in texts
    assert "of CLIPTextModel" in texts


def test_in_place_of_a_missing_drawing_stands_why(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    missing = Missing("mine", "mine.yaml: diffusers has no class <Foo>")
    file.write_text(portraits.write(missing))
    assert portraits.read(file) == missing
    frame.save(frame.notice(missing), tmp_path / "mine.svg", tmp_path / "mine.png")
    assert "mine could not be surveyed" in unescape((tmp_path / "mine.svg").read_text())


def test_units_of_a_unet_are_equally_wide(small_unet: Portrait, tmp_path: Path) -> None:
    drawn(small_unet, tmp_path)
    svg = (tmp_path / "tiny.svg").read_text()
    found = {}
    for node in re.findall(r'<g id="node.*?</g>', svg, re.DOTALL):
        mark = re.search(r"<title>(.*?)</title>", node)
        across = [float(x) for x in re.findall(r"([-\d.]+),[-\d.]+", node)]
        if mark and mark[1].startswith(("IN", "OUT")):
            found[mark[1]] = max(across) - min(across)
    assert len(found) == 4
    assert max(found.values()) - min(found.values()) <= 1


def test_the_overview_labels_every_architecture(
    small_unet: Portrait, small_transformer: Portrait, tmp_path: Path
) -> None:
    overview.draw([small_unet, small_transformer], tmp_path / "o.svg", tmp_path / "o.png")
    assert overview.step_macs(small_unet) == 2 * small_unet.structure.macs
    assert (tmp_path / "o.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0"), (999, "999"), (999_500, "1.00 M"), (2.5e9, "2.50 B")]
)
def test_counts_have_three_digits(number: float, told: str) -> None:
    assert style.count(number) == told


def test_classes_that_repeat_are_counted() -> None:
    assert listings.classes(("ResnetBlock2D", "ResnetBlock2D", "Odd")) == "2 × ResNet + Odd"


@cache
def real(name: str) -> Portrait:
    entry = catalogue.load(name)
    side = entry.native
    columns, rows = entry.latent_size(side, side)
    encoders = tuple(
        Encoder(encoder.class_name, encoder.tokens or 0, 10**9, own)
        for own, encoder in entry.text_encoders.items()
    )
    return Portrait(name, entry.label, entry.kind, side, 1, 77, "f16", 2,
                    (1, entry.latent.channels, rows, columns), entry.image_tokens(side, side),
                    entry.latent.downsampling, encoders,
                    structure(entry, denoiser(name), width=side, height=side))  # fmt: skip


@pytest.mark.parametrize("name", ["sdxl", "kandinsky3", "sd35_medium", "hunyuandit", "lumina2"])
def test_no_text_leaves_its_box_and_all_fits_a3(name: str, tmp_path: Path) -> None:
    drawn(real(name), tmp_path)
    svg = (tmp_path / "tiny.svg").read_text()
    nodes = re.findall(r'<g id="node.*?</g>', svg, re.DOTALL)
    assert len(nodes) > 8
    for node in nodes:
        corners = re.findall(r'points="([^"]+)"', node)
        across = [float(pair.split(",")[0]) for each in corners for pair in each.split()]
        for start, size, text in re.findall(
            r'<text.*?x="(.*?)".*?font-size="(.*?)".*?>(.*?)</', node
        ):
            told = unescape(text).replace("\xa0", " ").rstrip()
            end = float(start) + 72 * text_width(told, float(size))
            assert min(across) <= float(start), told
            assert end <= max(across) + 1, told
    across, down = (float(side) / 72 for side in re.findall(r'(?:width|height)="([\d.]+)pt"', svg))
    scale = max(min(A3[0] / across, A3[1] / down), min(A3[1] / across, A3[0] / down))
    assert style.SMALL * scale >= 8


def test_hunyuans_long_skips_are_drawn(tmp_path: Path) -> None:
    texts = drawn(real("hunyuandit"), tmp_path)
    assert "← long skips of blocks 18, 17, … 00" in texts
    assert texts.count("← text into attn2 of every block") == 2
    svg = (tmp_path / "tiny.svg").read_text()
    dashed = re.findall(r"<title>(run.*?)</title>\s*<path[^>]*dasharray", svg)
    assert [unescape(title) for title in dashed] == ["run0:w->run1:w"]


def test_skips_of_kandinsky_join_levels() -> None:
    found = streams.Readers(real("kandinsky3").structure).skips()
    assert found == [("IN09", "OUT03"), ("IN06", "OUT06"), ("IN03", "OUT09")]
