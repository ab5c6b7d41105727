"""Colours, fonts and sizes that all pictures share, and how a picture is saved."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import text_to_path

from atlas.plots.words import titled
from atlas.relations.classes import DTYPE, TAG, Classes, leading
from atlas.relations.matrices import Matrix

INK = "#1d2433"
SOFT = "#5b6472"
FAINT = "#c4cad3"
PALE = "#eceff3"
IDENTICAL = "#0b1020"
ACCENT = "#b5443c"
PLAIN = "#41608c"

TITLE, TEXT, SMALL = 12.0, 9.0, 8.0
"""Font sizes in points; nothing in a picture is smaller than SMALL."""

# Paul Tol's "muted" scheme, safe for all common kinds of colour blindness.
QUALITATIVE = (
    "#332288",
    "#cc6677",
    "#117733",
    "#ddaa33",
    "#88ccee",
    "#882255",
    "#44aa99",
    "#999933",
    "#aa4499",
)
COLOURED = tuple("ABCDEFGHI")
"""The families that have these colours."""
WITHOUT_FAMILY = "#9aa1ac"
DTYPE_COLOURS = {
    "f64": "#2f1f14",
    "f32": "#5e3f27",
    "bf16": "#a0733f",
    "f16": "#d8b078",
    "f8_e4m3fn": "#f0dcb8",
    "f8_e5m2": "#f0dcb8",
}
"""Browns, which no tag or family has: the darker, the more bytes."""

FAR_TO_NEAR = ("#fbf7e6", "#dbe8c0", "#a3d2b5", "#5fb3b8", "#3a86ae", "#34589b", "#2b2f6b")
"""Distances in the heatmap: light where far, dark where close; even steps of lightness."""

MAKING_ORDER = ("#2b2f6b", "#34589b", "#2f86a6", "#3fae94", "#8cc265", "#d8b93a")
"""Models of an ordered group, from the first made to the last."""

MOST_PIXELS = 6000
"""Of a picture's longer side; the SVG has all sizes."""

FALLBACKS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans JP",
    "Source Han Sans",
    "IPAexGothic",
    "IPAGothic",
    "WenQuanYi Zen Hei",
    "Hiragino Sans",
    "PingFang SC",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
)
"""Fonts for the letters of labels that DejaVu Sans, which comes with matplotlib, lacks."""


@lru_cache(maxsize=1)
def fonts() -> list[str]:
    """Return the fonts to draw with: DejaVu Sans, and behind it what is installed for CJK."""
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in FALLBACKS if name in installed)]


FAMILY = "font-family: 'DejaVu Sans'"
VIEWERS_FAMILY = f"{FAMILY}, Verdana, sans-serif"
"""In an SVG: Verdana, which has DejaVu Sans's widths, where a viewer lacks the latter."""

SETTINGS = {
    "font.family": fonts(),
    "font.size": TEXT,
    "text.color": INK,
    "text.hinting": "none",  # letters stand where the SVG has them
    "text.parse_math": False,  # a label may hold dollar signs
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "hatch.color": FAINT,
    "hatch.linewidth": 0.7,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text: it can be searched, and files stay small
    "svg.hashsalt": "diffusion-atlas",  # equal pictures have equal bytes
}


def applied() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in the atlas's style."""
    context: AbstractContextManager[None] = mpl.rc_context(SETTINGS)
    return context


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write the figure as stem.svg and stem.png, equal bytes for equal figures."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    svg, png = (stem.with_name(f"{stem.name}.{suffix}") for suffix in ("svg", "png"))
    with applied():
        text = StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
        svg.write_text(text.getvalue().replace(FAMILY, VIEWERS_FAMILY), encoding="utf-8")
        figure.set_dpi(resolution(figure))
        FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})
    return [svg, png]


def resolution(figure: Figure) -> int:
    """Return dots per inch: fewer for posters of hundreds of models, whose text stays sharp."""
    largest = float(max(figure.get_size_inches()))
    return 160 if largest < 18 else min(110, int(MOST_PIXELS / largest))


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width in inches of a line of text at a size in points, without kerning."""
    return sum(_advance(character, weight) for character in text) * size / 72


@lru_cache(maxsize=4096)
def _advance(character: str, weight: str) -> float:
    """Return how far a character moves the pen, as a share of the font's size."""
    font = FontProperties(family=fonts(), size=100, weight=weight)
    one, _, _ = text_to_path.get_text_width_height_descent(character, font, ismath=False)
    many, _, _ = text_to_path.get_text_width_height_descent(character * 11, font, ismath=False)
    return float(many - one) / 1000


@dataclass(frozen=True)
class Colours:
    """One colour per model, the same in every picture of a group, and what the colours mean."""

    models: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    """(meaning, colour), empty where a colour means nothing but the model itself."""


def colours_of(matrix: Matrix) -> Colours:
    """Colour models by the order of making where that is known, else one by one, else by class."""
    if matrix.ordered:
        ramp = LinearSegmentedColormap.from_list("making", MAKING_ORDER)
        last = max(len(matrix) - 1, 1)
        models = tuple(to_hex(ramp(place / last)) for place in range(len(matrix)))
        return Colours(models, (("first made", models[0]), ("last made", models[-1])))
    if len(matrix) <= len(QUALITATIVE):
        return Colours(QUALITATIVE[: len(matrix)], ())
    found = leading(matrix.classes, len(matrix))
    if found is None:
        return Colours((PLAIN,) * len(matrix), ())
    colours = class_colours(found)
    return Colours(
        tuple(colours.get(found.of.get(model, ""), WITHOUT_FAMILY) for model in matrix.ids),
        tuple(_legend(found, matrix, colours)),
    )


def class_colours(classes: Classes) -> dict[str, str]:
    """Return the colours of the nine commonest tags, of dtypes, or of the families A to I."""
    if classes.kind == DTYPE:
        return {name: DTYPE_COLOURS.get(name, WITHOUT_FAMILY) for name in classes.names()}
    if classes.kind == TAG:
        return dict(zip(classes.names(), QUALITATIVE, strict=False))
    return {name: letter_colour(name) for name in classes.names() if name in COLOURED}


def letter_colour(letter: str) -> str:
    """Return a family's colour; those after I are grey."""
    return QUALITATIVE[COLOURED.index(letter)] if letter in COLOURED else WITHOUT_FAMILY


def _legend(
    classes: Classes, matrix: Matrix, colours: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what the colours of classes mean, and grey where there is any."""
    title = "" if classes.kind == TAG else f"{titled(classes.kind)} "
    for name, colour in colours.items():
        yield f"{title}{name}", colour
    rest = [model for model in matrix.ids if classes.of.get(model) not in colours]
    if rest:
        others = "tags" if classes.kind == TAG else "families"
        more = any(model in classes.of for model in rest)
        alone = "no tag" if classes.kind == TAG else f"{title}of its own, or none"
        yield f"other {others}, or none" if more else alone, WITHOUT_FAMILY
