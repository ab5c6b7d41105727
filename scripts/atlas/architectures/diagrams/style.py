"""Colours, fonts and texts that all diagrams share."""

import re
from math import ceil

from atlas.architectures.portraits import Piece, Shape
from atlas.plots.style import text_width

FONT = "DejaVu Sans,Verdana,Arial,sans-serif"
TITLE, TEXT, SMALL = 15, 10, 9
"""Font sizes in points at the natural size, which fits A3."""

GAP = "\u2002"
"""Graphviz pads cells alike on all sides: a space before a text keeps columns apart."""

INK, SOFT, LINE = "#1d2433", "#4a5362", "#8a93a1"

STREAMS = {
    "image": "#1d2433",
    "reference image": "#0b5a8a",
    "text": "#9c4a12",
    "pooled text": "#a3195b",
    "time": "#5b3f8c",
    "sizes and classes": "#3f6212",
}
"""Stream to the colour of its edges and of what reads it; the words are the same everywhere."""

# Light tints of Okabe and Ito's and Paul Tol's schemes, told apart by all common kinds of sight.
COLOURS = {
    "convolution": "#dfe3e8",
    "ResNet": "#cfe3f5",
    "ResNet and attention": "#fbe3b3",
    "transformer block": "#fbe3b3",
    "single-stream block": "#cdeadd",
    "down- or upsampling": "#e6dcf3",
    "time and conditions": "#f7d5d3",
    "text embedders": "#f3dcc6",
    "image embedders": "#d8e6ea",
    "reference image embedders": "#dbe3f3",
    "head": "#dfe3e8",
}
"""Kind of piece to its colour."""

SHORT = {
    "ResnetBlock2D": "ResNet",
    "Kandinsky3ResNetBlock": "ResNet",
    "Kandinsky3AttentionBlock": "Attention",
    "Transformer2DModel": "Transformer",
    "Attention": "Attention",
    "Downsample2D": "Downsample",
    "Upsample2D": "Upsample",
    "UNetMidBlock2DCrossAttn": "ResNet + Transformer + ResNet",
    "UNetMidBlock2D": "ResNet + Attention + ResNet",
    "Conv2d": "Conv",
}
"""Classes whose names are too long for a unit's table."""


SAMPLER = re.compile(r"(down|up)samplers\.\d+$")
"""The path of what halves or doubles rows and columns: a convolution, or as in ADM a ResNet."""


def kind_of(piece: Piece) -> str:
    """Return the kind of a unit, by its classes; its colour is COLOURS' of it."""
    classes = " ".join(piece.classes)
    if piece.mark == "MID":
        return "ResNet and attention"
    if piece.classes == ("Conv2d",):
        return "convolution"
    if len(piece.classes) == 1 and SAMPLER.search(piece.paths[0]):
        return "down- or upsampling"
    has_resnet = "resnet" in classes.lower()
    if has_resnet and ("Attention" in classes or "Transformer" in classes):
        return "ResNet and attention"
    if has_resnet:
        return "ResNet"
    if "sample" in classes.lower():
        return "down- or upsampling"
    return "single-stream block" if "single" in piece.mark.lower() else "transformer block"


def width(text: str, size: int) -> int:
    """Return the width in points that a cell of this text takes, a little more than less."""
    return ceil(72 * text_width(text, size)) + 2


def count(number: float) -> str:
    """
    Write a count in the unit that suits it, three digits.

    >>> count(859_520_964), count(11_901_408_320), count(640)
    ('860 M', '11.9 B', '640')
    """
    for size, unit in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if number >= 0.9995 * size:
            return f"{_digits(number / size)}{unit}"
    return f"{number:.0f}"


def macs(number: float) -> str:
    """
    Write multiply-accumulates.

    >>> macs(401_636_720_640), macs(3_380_618_199_040), macs(0)
    ('402 GMAC', '3.38 TMAC', '0 MAC')
    """
    for size, unit in ((1e15, "PMAC"), (1e12, "TMAC"), (1e9, "GMAC"), (1e6, "MMAC"), (1e3, "kMAC")):
        if number >= 0.9995 * size:
            return f"{_digits(number / size)} {unit}"
    return f"{number:.0f} MAC"


def _digits(value: float) -> str:
    return (
        f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    )


def share(part: float, whole: float) -> str:
    """
    Write a share in per cent; little is not nothing.

    >>> share(1, 3), share(1, 10**6), share(0, 5)
    ('33.3 %', '<0.1 %', '0 %')
    """
    if not part:
        return "0 %"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.05 else "<0.1 %"


def times(shape: Shape | None) -> str:
    """Write a shape; a dash where there is none."""
    return " × ".join(map(str, shape)) if shape else "–"
