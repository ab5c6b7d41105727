"""What can be asked about an architecture: its formulas and its pipeline's facts, no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atlas.architectures import catalogue
from atlas.architectures.architecture import Architecture
from atlas.architectures.pipelines import decodes_in, pipeline_of
from atlas.architectures.sizes import LARGEST_SIDE, lengths
from atlas.basis.errors import AtlasError
from atlas.macs.formulas import SQUARE, Formula
from atlas.macs.formulas import read as formulas_of

PROMPTS: tuple[int | None, ...] = (None, 16, 32, 64, 128, 256, 512)
"""Tokens of a prompt that can be asked for; None is as long as the pipeline's cap."""


@dataclass(frozen=True)
class Text:
    """Tokens that a prompt becomes."""

    denoiser: int
    encoders: Mapping[str, int]


@dataclass(frozen=True)
class Subject:
    """One architecture."""

    name: str
    label: str
    kind: str
    native: tuple[int, int]
    """Width and height in pixels."""
    multiple: int
    """Pixels that a side must be a multiple of, for the formulas to hold too."""
    largest: int
    downsampling: int
    patch: int
    steps: int
    forwards: int
    """Per step, in the architecture's own way."""
    decodes_in_f32: bool
    """Where the rest is in float16."""
    texts: Mapping[int | None, Text]
    """By tokens of the prompt."""
    formulas: Sequence[Formula]
    """The denoiser's first."""
    loaded: Mapping[str, int] = field(default_factory=dict)
    """Component to the parameters that the pipeline loads, where more than what is run."""
    is_square: bool = False
    """Whether it makes squares alone."""
    in_calls: bool = False
    """Whether guidance runs one forward after the other, not all in one batch."""
    note: str = ""

    def at_once(self, forwards: int) -> int:
        """Return how many of a step's forwards are one batch."""
        return 1 if self.in_calls else forwards

    @property
    def denoiser(self) -> Formula:
        """The formula of what is run at every step."""
        return self.formulas[0]

    @property
    def problem(self) -> str:
        """Why nothing can be told; empty where all formulas are exact."""
        faults = [f"{each.component}: {each.problem}" for each in self.formulas if each.problem]
        return "; ".join(faults)

    def parameters(self, formula: Formula) -> int:
        """Return the parameters of a component as the pipeline loads it."""
        return self.loaded.get(formula.component) or formula.parameters

    def tokens(self, formula: Formula, width: int, height: int, text: Text) -> tuple[int, int]:
        """Return n and t of a formula for an image in pixels."""
        if formula.component in text.encoders:
            return text.encoders[formula.component], 0
        columns, rows = width // self.downsampling, height // self.downsampling
        if formula is not self.denoiser:
            return columns * rows, 0
        return (columns // self.patch) * (rows // self.patch), text.denoiser

    def check(self, width: int, height: int) -> None:
        """
        Raise AtlasError for a size that it can't make or that its formulas do not hold for.

        Raises
        ------
        AtlasError
            with the multiple, or the largest side.
        """
        if self.problem:
            raise AtlasError(f"{self.name} has no formula: {self.problem}")
        if min(width, height) < 1 or width % self.multiple or height % self.multiple:
            raise AtlasError(f"{self.name}: sides must be multiples of {self.multiple} pixels")
        if self.is_square and width != height:
            raise AtlasError(f"{self.name}: sides must be equal")
        if max(width, height) > self.largest:
            raise AtlasError(f"{self.name}: sides must be at most {self.largest} pixels")


def subject(entry: Architecture, formulas: Sequence[Formula]) -> Subject:
    """Make a subject of a catalogue's entry and its formulas, the denoiser's first."""
    pipeline = pipeline_of(entry)
    exact = [formula.side_multiple for formula in formulas if formula.side_multiple]
    loaded = {
        name: encoder.loaded.parameters
        for name, encoder in entry.text_encoders.items()
        if encoder.loaded is not None and encoder.loaded.parameters is not None
    }
    return Subject(
        name=entry.name,
        label=entry.label,
        kind=entry.kind,
        native=entry.native_size,
        multiple=max([entry.latent.pixel_multiple, *exact]),
        largest=entry.largest or LARGEST_SIDE,
        downsampling=entry.latent.downsampling,
        patch=entry.latent.patch,
        steps=entry.sampling.steps,
        forwards=entry.sampling.forwards_per_step,
        decodes_in_f32=decodes_in(entry, "f16") == "f32",
        texts={prompt: _text(entry, prompt) for prompt in PROMPTS},
        formulas=tuple(formulas),
        loaded=loaded,
        is_square=entry.denoiser.class_name in SQUARE,
        in_calls=pipeline is not None and pipeline.guidance == "calls",
        note=_note(entry),
    )


def load(
    sources: Mapping[str, str], stated: Mapping[str, str], table: Iterable[Mapping[str, Any]]
) -> list[Subject]:
    """
    Return the subjects of the architectures that have formulas.

    Parameters
    ----------
    sources
        Name to what an architecture is read from.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    table
        The rows of all formulas.
    """
    known = formulas_of(table)
    return [
        subject(catalogue.load(source, name=name, stated=stated.get(name)), known[name])
        for name, source in sources.items()
        if name in known
    ]


def _text(entry: Architecture, prompt: int | None) -> Text:
    found = lengths(entry, prompt)
    return Text(found.attended, dict(found.encoders))


def _note(entry: Architecture) -> str:
    """Say what is taken as given beside what can be asked."""
    told = []
    if entry.video is not None:
        seconds = entry.video.frames / entry.video.rate
        told.append(f"a clip of {entry.video.frames} frames, {seconds:.3g} s")
    if entry.references is not None:
        told.append(f"{entry.references.number} reference image(s) of {entry.references.pixels}²")
    if entry.text is not None and entry.text.padding == "masked":
        told.append("without the work on padding before it is dropped")
    return "; ".join(told)
