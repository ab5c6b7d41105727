"""
What a pipeline needs in the ways that people run it: rows of peak memory by mode, no torch.

A pipeline runs its components one after the other: the text encoders, the denoiser, and the
autoencoder's decoder. Its peak is that of the one that needs most, with the weights that are there
at that time. Of each prompt's tensors nothing else is counted: they are a few MB.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from atlas.architectures.architecture import Architecture
from atlas.architectures.memory import ACTIVATIONS, BUFFER_BYTES, WEIGHT_BYTES, Peak
from atlas.architectures.pipelines import UNKNOWN, decodes_in, forward_batch, pipeline_of
from atlas.architectures.survey import BATCH, NO_SIDE, ComponentSizes, Survey

Row = dict[str, Any]

DTYPES = ("f16", "bf16")
"""Of weights that are not in float8: what pipelines are run in."""


@dataclass(frozen=True)
class Mode:
    """One way to run a pipeline."""

    name: str
    weights: Literal["resident", "component", "block", "layer"] = "resident"
    """All on the device; or one component's at a time; or of that one a block or layer."""
    float8: bool = False
    """Whether the denoiser's weights are stored in float8 and cast layer by layer."""
    tiled: bool = False
    """Whether the image is decoded by tiles."""


MODES = (
    Mode("resident"),
    Mode("resident, tiled", tiled=True),
    Mode("float8", float8=True),
    Mode("float8, tiled", float8=True, tiled=True),
    Mode("by component", "component"),
    Mode("by component, tiled", "component", tiled=True),
    Mode("by component, float8, tiled", "component", float8=True, tiled=True),
    Mode("by block", "block"),
    Mode("by layer", "layer"),
    Mode("by layer, tiled", "layer", tiled=True),
)


class Need(NamedTuple):
    """Bytes that are needed while one component runs."""

    size: int
    component: str


def rows(surveys: Iterable[Survey]) -> list[Row]:
    """Return a row per architecture, size, dtype and mode: the peak, and the component at it."""
    return [
        row
        for survey in surveys
        for side in survey.components[0].peaks
        for dtype in DTYPES
        for row in _rows(survey, side, dtype)
    ]


def _rows(survey: Survey, side: int, dtype: str) -> Iterator[Row]:
    entry = survey.architecture
    can_tile = any(part.tiled for part in survey.components)
    for mode in MODES:
        if mode.tiled and not can_tile:
            continue
        most = need(survey, side, dtype, mode)
        yield {
            "architecture": entry.name,
            "label": entry.label,
            "width_pixels": side,
            "height_pixels": side,
            "images": BATCH,
            "denoiser_batch": forward_batch(entry, BATCH),
            "text_tokens": survey.components[0].tokens,
            "dtype": dtype,
            "mode": mode.name,
            "peak_bytes": most.size,
            "peak_component": most.component,
            "note": _note(survey, side, mode),
        }


def _note(survey: Survey, side: int, mode: Mode) -> str:
    found = [UNKNOWN] if _is_assumed(survey.architecture) else []
    if mode.tiled and all(part.tiled.get(side) == part.peaks.get(side) for part in _vae(survey)):
        found.append("not larger than a tile: decoded whole")
    return "; ".join(found)


def _is_assumed(architecture: Architecture) -> bool:
    return architecture.sampling.forwards_per_step > 1 and pipeline_of(architecture) is None


def _vae(survey: Survey) -> list[ComponentSizes]:
    return [part for part in survey.components if part.name == "vae"]


def need(survey: Survey, side: int, dtype: str, mode: Mode) -> Need:
    """Return the most that a mode needs at a side in pixels, and the component that needs it."""
    return max(
        Need(_while_running(survey, part, side, dtype, mode), part.name)
        for part in survey.components
    )


def _while_running(survey: Survey, part: ComponentSizes, side: int, dtype: str, mode: Mode) -> int:
    """Return the bytes on the device while a component runs."""
    others = [each for each in survey.components if each.name != part.name]
    is_denoiser = part.name == survey.architecture.denoiser_name
    computed = computed_in(survey.architecture, part.name, dtype)
    precision = ACTIVATIONS[computed]
    peak = _peak(part, side, mode)
    own = BUFFER_BYTES[precision] * part.buffers
    if mode.weights == "layer":
        # accelerate leaves the buffers of all components where they are computed with.
        rest = sum(BUFFER_BYTES["half"] * each.buffers for each in others)
        return own + rest + peak.streamed["layer", precision]
    if mode.weights == "block" and part.loaded is None:
        return own + peak.streamed["block", precision]
    if is_denoiser and mode.float8:
        own += peak.streamed["float8", "half"]
    else:
        own += WEIGHT_BYTES[computed] * part.held + peak.at(precision)
    if mode.weights != "resident":
        return own
    return own + sum(_stored(survey, each, dtype, mode) for each in others)


def _peak(part: ComponentSizes, side: int, mode: Mode) -> Peak:
    found = part.guided or (part.tiled if mode.tiled else {}) or part.peaks
    return found[side if side in found else NO_SIDE]


def _stored(survey: Survey, part: ComponentSizes, dtype: str, mode: Mode) -> int:
    """Return the bytes of a component's weights and buffers while another runs."""
    buffers = BUFFER_BYTES["half"] * part.buffers
    if mode.float8 and part.name == survey.architecture.denoiser_name:
        return part.stored_in_float8 + buffers
    return WEIGHT_BYTES[dtype] * part.held + buffers


def computed_in(architecture: Architecture, component: str, dtype: str) -> str:
    """Return the dtype that the weights of a component have while it runs."""
    return decodes_in(architecture, dtype) if component == "vae" else dtype
