"""
A denoiser taken to pieces, as plain values that are written to JSON and read for drawing.

No torch here: what draws them starts in a second.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError

OUTSIDE = "outside"
"""In place of a mark: what is in no unit."""

PRODUCTS = "products"
"""Mark of the part of the MACs that a module makes in none of its own modules."""

OWN = "own parameters"
"""Mark of the part of a module's parameters that are in none of its own modules."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """A module, or the modules of a unit: what it weighs, costs and puts out."""

    mark: str
    """Of a unit; else the module's dotted path."""
    paths: tuple[str, ...]
    classes: tuple[str, ...]
    """Of its modules, in order."""
    parameters: int
    buffers: int
    macs: int
    shape: Shape | None
    """Of the image's stream where it leaves; None if nothing of it does."""
    parts: tuple["Piece", ...] = ()
    """
    Its modules one level down, where it is expanded, in order of execution; its own products (of
    attention) and its own parameters are parts without paths: the parts add up to it.
    """
    stream: str = ""
    """Of what is outside the units: the stream that it belongs to, or `head`."""


@dataclass(frozen=True)
class Source:
    """An argument of the denoiser's forward that carries a stream."""

    name: str
    stream: str
    """As config/streams.yaml names it."""
    shape: Shape
    encoders: tuple[str, ...] = ()
    """Names of the text encoders that make it; none where their sizes do not tell."""


@dataclass(frozen=True)
class Flow:
    """Tensors that a unit, or a piece outside them, is given."""

    start: str
    """Who made them: a source's name or a mark."""
    end: str
    """The mark of who is given them."""
    shapes: tuple[Shape, ...]
    into: tuple[str, ...] = ()
    """The modules of a block that they enter before they are mixed with the image."""


@dataclass(frozen=True)
class RolePiece:
    """What the tensors of one role do in one unit."""

    mark: str
    role: str
    modules: int
    """Modules that own parameters of the role, or multiply for it."""
    parameters: int
    macs: int


@dataclass(frozen=True)
class Structure:
    """A denoiser at one size of image, in order of execution."""

    class_name: str
    units: tuple[Piece, ...]
    outside: tuple[Piece, ...]
    roles: tuple[RolePiece, ...]
    parameters: int
    buffers: int
    macs: int
    """Of one forward."""
    samples: tuple[Piece, ...]
    """One unit of each type of a transformer's blocks, expanded two levels."""
    sources: tuple[Source, ...] = ()
    flows: tuple[Flow, ...] = ()
    """Seen in the forward: who is given what by whom."""


@dataclass(frozen=True)
class Encoder:
    """A text encoder beside the denoiser."""

    class_name: str
    tokens: int
    parameters: int
    name: str = ""
    """Of the component."""


@dataclass(frozen=True)
class Portrait:
    """What the drawing of an architecture shows."""

    name: str
    label: str
    kind: str
    side: int
    """Pixels of the square image."""
    batch: int
    tokens: int
    """Text tokens of one forward; 0 without text."""
    dtype: str
    forwards_per_step: int
    latent: Shape
    """What goes in and comes out: batch, channels, latent frames of a clip, rows, columns."""
    image_tokens: int
    downsampling: int
    encoders: tuple[Encoder, ...]
    structure: Structure
    doubt: str = ""
    """What makes its figures doubtful."""
    frames: int = 0
    """Of a clip; 0 for an image."""


@dataclass(frozen=True)
class Missing:
    """In place of a portrait: why there is none."""

    name: str
    problem: str


def write(portrait: Portrait | Missing) -> str:
    """Return a portrait as JSON."""
    return json.dumps(asdict(portrait), indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> Portrait | Missing:
    """
    Read a portrait as the tables' rule wrote it.

    Raises
    ------
    AtlasError
        if the file is not such JSON.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if "problem" in values:
            return Missing(**values)
        encoders = tuple(Encoder(**encoder) for encoder in values.pop("encoders"))
        structure = _structure(values.pop("structure"))
        latent = tuple(values.pop("latent"))
        return Portrait(**values, latent=latent, encoders=encoders, structure=structure)
    except (ValueError, TypeError, KeyError) as error:
        raise AtlasError(
            f"{path}: is not an architecture as summarise_architectures writes it ({error}); "
            "delete it and run `snakemake architectures`"
        ) from error


def _structure(values: Mapping[str, Any]) -> Structure:
    pieces = {
        key: tuple(_piece(piece) for piece in values[key])
        for key in ("units", "outside", "samples")
    }
    roles = tuple(RolePiece(**role) for role in values["roles"])
    sources = tuple(_source(source) for source in values["sources"])
    flows = tuple(_flow(flow) for flow in values["flows"])
    return Structure(**{**values, **pieces, "roles": roles, "sources": sources, "flows": flows})


def _source(values: Mapping[str, Any]) -> Source:
    shape, encoders = tuple(values["shape"]), tuple(values["encoders"])
    return Source(**{**values, "shape": shape, "encoders": encoders})


def _flow(values: Mapping[str, Any]) -> Flow:
    shapes = tuple(tuple(shape) for shape in values["shapes"])
    return Flow(**{**values, "shapes": shapes, "into": tuple(values["into"])})


def _piece(values: Mapping[str, Any]) -> Piece:
    return Piece(
        **{
            **values,
            "paths": tuple(values["paths"]),
            "classes": tuple(values["classes"]),
            "shape": tuple(values["shape"]) if values["shape"] else None,
            "parts": tuple(_piece(part) for part in values["parts"]),
        }
    )
