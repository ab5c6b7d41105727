"""Every title, axis, finding and page says what was run, over a grid of settings."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from atlas.architectures import catalogue
from atlas.basis import page
from atlas.macs import findings, growth, pages, pictures, summary
from atlas.macs.words import Words

NAMES = ("sdxl", "flux1_dev")
BATCHES, GUIDANCES, STEPS = (1, 4), (None, True, False), (1, 30)
SIZES = ([[512, 512]], [[1024, 1024], "native"])
TEXTS = ((None, None), (64, None), ([64, "cap"], None), (["cap", 20], 256))
GRID = list(product(BATCHES, GUIDANCES, STEPS, SIZES, TEXTS))

BATCH_WORDS = {1: "one image", 4: "a batch of 4 images"}
GUIDANCE_WORDS = {
    None: "the usual guidance",
    True: "guidance by two forwards per step for all",
    False: "one forward per step for all (no guidance)",
}
STEP_WORDS = {1: "1 step and", 30: "30 steps and"}
TEXT_WORDS = (
    "prompts as long as each pipeline's cap",
    "prompts of 64 tokens",
    "prompts of 64 tokens",
    "prompts of 20 tokens (a cap of 256 tokens)",
)
"""Of the prompts that pictures and findings are of, in the order of TEXTS."""


def forward(component: str, call: str, side: int | None, **more: Any) -> dict[str, Any]:
    macs = (side or 100) ** 2 * 10**6
    return {
        "part": "total", "name": "", "component": component, "call": call, "width_pixels": side,
        "height_pixels": side, "macs": macs, "flops": 2 * macs, "is_asked": True, "parameters": 10,
        "image_tokens": 4, "prompt_tokens": 64, "text_tokens": 77, "attention_macs": macs // 4,
        "convolution_macs": 0, "linear_macs": macs, "other_matmul_macs": 0, "moved_bytes": 50,
        "status": "counted", "doubt": "", "problem": "",
    } | more  # fmt: skip


def profile(name: str, words: Words) -> list[dict[str, Any]]:
    """Return a profile as the settings ask for it, with numbers made up."""
    entry, asked = catalogue.load(name), words.request
    sides = [width for width, _ in asked.sizes(entry)]
    every = sorted({*sides, 512, 1024, 2048})
    found = []
    for prompts in (prompt.name for prompt in asked.prompts(entry)):
        of = {"prompts": prompts, "batch": asked.batch}
        for side in every:
            told = forward(entry.denoiser_name, "forward", side, is_asked=side in sides, **of)
            found += [told, {**told, "part": "unit", "name": "one"}]
        found.append(forward("text_encoder", "forward", None, **of))
    own = {"prompts": "", "batch": asked.batch}
    found += [forward("vae", call, side, **own) for call in ("decode", "encode") for side in sides]
    return found


def made(settings: dict[str, Any]) -> tuple[Words, list[dict[str, Any]], dict[str, Any]]:
    words = Words.of(settings)
    profiles = {name: profile(name, words) for name in NAMES}
    rows: list[dict[str, Any]] = []
    for name in NAMES:
        rows += summary.rows(catalogue.load(name), profiles[name], words.sampling)
    # As the table has them when it is read: every column, and nothing where none is known.
    return words, [dict.fromkeys(summary.COLUMNS) | row for row in rows], profiles


def settings_of(batch: int, guidance: bool | None, steps: int, sizes: Any, text: Any) -> dict:
    return {
        "batch": batch, "guidance": guidance, "steps": steps, "resolutions": sizes,
        "text_length": text[0], "text_cap": text[1],
    }  # fmt: skip


def texts_of(figure: Figure) -> str:
    """Return all that is written on a figure, its lines joined as they are read."""
    return " ".join(found.get_text() for found in figure.findobj(Text) if found.get_text())


def sizes_told(sizes: Any) -> Iterator[str]:
    for size in sizes:
        yield "each one's native size" if size == "native" else f"{size[0]} × {size[1]} pixels"


@pytest.mark.parametrize(("batch", "guidance", "steps", "sizes", "text"), GRID)
def test_findings_and_pages_say_what_was_run(
    batch: int, guidance: bool | None, steps: int, sizes: Any, text: Any
) -> None:
    words, rows, _ = made(settings_of(batch, guidance, steps, sizes, text))
    shown = TEXT_WORDS[TEXTS.index(text)]
    told = [BATCH_WORDS[batch], GUIDANCE_WORDS[guidance], STEP_WORDS[steps], shown]
    first, *costs = findings.findings(rows, [], [], words)
    assert all(word in first for word in (*told, *sizes_told(sizes)))
    for cost in costs:
        assert GUIDANCE_WORDS[guidance] in cost
        assert "prompts " in cost
        assert batch == 1 or f"of {batch} images" in cost or f"a batch of {batch}" in cost
        assert batch > 1 or "batch" not in cost
    (images, *_), of = pages.sections(rows, [], [], [], words), f"of {batch} images"
    assert all(word in images.text for word in (*told, *sizes_told(sizes)))
    per_forward = [name for name in images.header if name.endswith(("GMAC", of))]
    assert len(per_forward) == 4
    assert all(name.endswith(of) is (batch > 1) for name in per_forward)
    column = images.header.index("batch")
    assert {row[column] for row in images.rows} == {str(batch)}
    for form in (page.markdown, page.html):
        assert f"GMAC {of}" in form("MACs", [], [images]) or batch == 1


CORNERS = [
    (1, None, 30, SIZES[1], TEXTS[2]),
    (4, False, 30, SIZES[0], TEXTS[3]),
    (4, True, 1, SIZES[0], TEXTS[0]),
    (1, False, 30, SIZES[1], TEXTS[1]),
]
"""Pictures take a second each: every value of every setting that they tell is among these."""


@pytest.mark.parametrize(("batch", "guidance", "steps", "sizes", "text"), CORNERS)
def test_pictures_say_what_was_run(
    batch: int, guidance: bool | None, steps: int, sizes: Any, text: Any
) -> None:
    words, rows, profiles = made(settings_of(batch, guidance, steps, sizes, text))
    shown = TEXT_WORDS[TEXTS.index(text)]
    cost = texts_of(pictures.image_cost(rows, words))
    assert GUIDANCE_WORDS[guidance] in cost
    assert f"{max(map(side_of, rows))} pixels" in cost
    assert ("one image of a batch of 4" in cost) is (batch == 4)
    forwards = (growth.growth(rows, profiles, words), pictures.places(rows, profiles, words))
    for drawn in map(texts_of, forwards):
        assert f"forward of {BATCH_WORDS[batch]}" in drawn
        assert batch == 1 or "one image" not in drawn
        assert shown in drawn
    assert shown in cost
    grown = texts_of(forwards[0])
    assert ("GMAC per forward of 4 images" in grown) is (batch == 4)
    assert "counted for the growth alone, not asked for" in grown
    assert "between 512 × 512 and 1024 × 1024 pixels" in grown


def side_of(row: dict[str, Any]) -> int:
    return int(row["width_pixels"])


def test_points_that_were_not_asked_for_are_hollow() -> None:
    words, rows, profiles = made(settings_of(1, None, 30, [[512, 512]], (64, None)))
    figure = growth.growth(rows, profiles, words)
    marks = [
        (line.get_xdata()[0], line.get_markerfacecolor() == "white")
        for axes in figure.axes
        for line in axes.get_lines()
        if line.get_marker() == "o" and len(line.get_xdata()) == 1 and line.get_xdata()[0] > 100
    ]
    assert {side for side, is_hollow in marks if is_hollow} == {1024, 2048}
    assert {side for side, is_hollow in marks if not is_hollow} == {512}


def line(kind: str, place: int) -> growth.Line:
    points = tuple(growth.Point(side, side**2 + place, is_asked=True) for side in (512, 1024))
    return growth.Line(kind, 1.0, (f"{kind} {place:02}",), points)


def test_no_colour_is_twice_in_a_panel_and_no_line_is_lost() -> None:
    lines = [line(kind, place) for kind in growth.KINDS for place in range(23)]
    panels = growth.panels_of(lines)
    assert [each for panel in panels for each in panel] == lines
    assert all(len(panel) <= len(growth.QUALITATIVE) for panel in panels)
    assert all(len({each.kind for each in panel}) == 1 for panel in panels)


def test_architectures_that_cost_the_same_are_one_line() -> None:
    _, rows, profiles = made(settings_of(1, None, 30, [[512, 512]], (64, None)))
    twin = [{**row, "architecture": "twin", "label": "Twin"} for row in rows if is_sdxl(row)]
    drawn = growth.lines_of([*rows, *twin], {**profiles, "twin": profiles["sdxl"]}, "64")
    assert [each.labels for each in drawn] == [("SDXL 1.0", "Twin"), ("FLUX.1 [dev]",)]


def is_sdxl(row: dict[str, Any]) -> bool:
    return bool(row["architecture"] == "sdxl")


def test_a_doubtful_entry_is_in_no_picture_and_no_comparison() -> None:
    words, rows, _ = made(settings_of(1, None, 30, [[1024, 1024]], (64, None)))
    rows = [row | ({"problem": "mine.yaml: a key"} if is_sdxl(row) else {}) for row in rows]
    *_, last = findings.findings(rows, [], [], words)
    assert last == "Doubtful, and not compared: mine.yaml: a key"
    drawn = texts_of(pictures.image_cost(rows, words))
    assert "Left out, as their figures are doubtful: Stable Diffusion XL 1.0." in drawn
    assert "An image of FLUX.1 [dev] costs" in drawn
