"""Diagrams: what they say, from the text of the SVG; and that they fit a page."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from atlas.architectures import portraits
from atlas.architectures.diagrams import frame, listings, overview, style, transformer, unet
from atlas.architectures.portraits import Encoder, Missing, Piece, Portrait, Structure
from atlas.basis.errors import AtlasError


def piece(mark: str, *classes: str, weights: int = 100, shape: tuple[int, ...] | None = None,
          path: str | None = None, parts: tuple[Piece, ...] = ()) -> Piece:  # fmt: skip
    return Piece(mark, (path or mark,), classes, weights, 0, 10**9, shape, parts)


def portrait(kind: str, units: list[Piece], outside: list[Piece], samples: list[Piece]) -> Portrait:
    every = [*units, *outside]
    weights, work = sum(p.parameters for p in every), sum(p.macs for p in every)
    structure = Structure(
        "Denoiser", tuple(units), tuple(outside), (), weights, 0, work, tuple(samples)
    )
    encoders = (Encoder("CLIPTextModel", 77, 123_000_000),)
    return Portrait("tiny", "Tiny & small", kind, 512, 1, 77, "f16", 2, (1, 4, 64, 64), 1024, 8,
                    encoders, structure)  # fmt: skip


@pytest.fixture
def small_unet() -> Portrait:
    units = [
        piece("IN00", "Conv2d", path="conv_in", shape=(1, 320, 64, 64)),
        piece("IN01", "ResnetBlock2D", "Transformer2DModel", path="down_blocks.0.resnets.0"),
        piece("MID", "UNetMidBlock2DCrossAttn", path="mid_block"),
        piece("OUT00", "ResnetBlock2D", "Upsample2D", path="up_blocks.0.resnets.0"),
        piece("OUT01", "ResnetBlock2D", path="up_blocks.0.resnets.1"),
    ]
    outside = [piece("time_embedding", "TimestepEmbedding"), piece("conv_out", "Conv2d")]
    return portrait("UNet", units, outside, [])


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
        piece("pos_embed", "PatchEmbed"),
        piece("context_embedder", "Linear"),
        piece("time_text_embed", "Embeddings"),
        piece("proj_out", "Linear"),
    ]
    return portrait("MMDiT", [*blocks, last], outside, [sample])


def drawn(shown: Portrait, folder: Path) -> list[str]:
    draw = unet.draw if shown.kind == "UNet" else transformer.draw
    frame.save(draw(shown), folder / "tiny.svg", folder / "tiny.png")
    assert (folder / "tiny.png").read_bytes().startswith(b"\x89PNG")
    svg = (folder / "tiny.svg").read_text()
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [unescape(text).replace("\xa0", " ").strip() for text in found]


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


def test_skips_join_units_that_mirror_each_other(small_unet: Portrait) -> None:
    own = unet.columns(small_unet)
    assert unet.skips(own["IN"], own["OUT"]) == [("IN00", "OUT01"), ("IN01", "OUT00")]


def test_skips_of_kandinsky_join_levels() -> None:
    down = [piece("IN00", "Conv2d", path="conv_in")]
    down += [piece(f"IN{n:02d}", "R", path=f"down_blocks.{(n - 1) // 3}.r") for n in range(1, 13)]
    up = [piece(f"OUT{n:02d}", "R", path=f"up_blocks.{n // 3}.r") for n in range(12)]
    assert unet.skips(down, up) == [("IN03", "OUT09"), ("IN06", "OUT06"), ("IN09", "OUT03")]


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
    assert "77 tokens" in texts
    assert any(text.startswith("Text in") for text in texts)


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
