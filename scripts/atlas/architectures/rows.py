"""Rows of the tables, from surveys: numbers with their units in the columns' names, no torch."""

from collections.abc import Iterable, Iterator
from typing import Any

from atlas.architectures import build
from atlas.architectures.faults import COUNTED, FAILED
from atlas.architectures.memory import ACTIVATIONS, BUFFER_BYTES, WEIGHT_BYTES, Peak
from atlas.architectures.modes import computed_in
from atlas.architectures.pipelines import forward_batch
from atlas.architectures.portraits import OUTSIDE, Encoder, Piece, Portrait
from atlas.architectures.survey import BATCH, NO_SIDE, ComponentSizes, Failure, Survey

Row = dict[str, Any]

ALL = "all"
"""In place of a component: the whole pipeline."""
TOTAL = "*"
"""In place of a block or role: all of them."""
TABLE_DTYPE = "f16"


def summary(surveys: Iterable[Survey | Failure]) -> list[Row]:
    """Return a row per component of each architecture, and one for all; of a failure, its note."""
    found: list[Row] = []
    failures: list[Row] = []
    for each in surveys:
        if isinstance(each, Failure):
            told = {"component": ALL, "problem": f"could not be surveyed: {each.problem}"}
            told["status"] = FAILED
            failures.append({"architecture": each.name, "label": each.name} | told)
        else:
            found += _components(each)
    columns = dict.fromkeys(found[0]) if found else {}
    return found + [{**columns, **row} for row in failures]


def _components(survey: Survey) -> Iterator[Row]:
    entry, found = survey.architecture, survey.structure
    for sizes in survey.components:
        is_denoiser = sizes.name == entry.denoiser_name
        yield _place(survey, sizes.name, sizes.tokens) | {
            "class": sizes.class_name,
            "blocks": len(found.units) if is_denoiser else None,
            "parameters": sizes.parameters,
            "parameters_loaded": sizes.held,
            "parameters_torchinfo": sizes.torchinfo,
            "parameters_header": sizes.header,
            "buffer_elements": sizes.buffers,
            **_weights(sizes.parameters),
            "forward_macs": found.macs if is_denoiser else None,
            "forwards_per_step": entry.sampling.forwards_per_step if is_denoiser else None,
            "torchinfo_forward_backward_bytes": _torchinfo(survey, "forward_backward_bytes")
            if is_denoiser
            else None,
            "torchinfo_total_bytes": _torchinfo(survey, "total_bytes") if is_denoiser else None,
            "peak_activation_bytes": _activations(survey, sizes),
            "peak_bytes": _activations(survey, sizes) + _running(survey, sizes),
            "note": "; ".join(notes(sizes)),
            "sampling": entry.sampling.stated if is_denoiser else "",
            "status": COUNTED,
            "problem": "; ".join(problems(survey, sizes)),
        }
    yield _whole(survey)


def _whole(survey: Survey) -> Row:
    """Return the row of the pipeline: sums, and the largest of the components' activations."""
    parts = survey.components
    headers = [part.header for part in parts]
    resident = {part.name: _resident(part, TABLE_DTYPE) for part in parts}
    # What runs may be in another dtype than what is stored.
    needed = (
        sum(resident.values()) - resident[part.name] + _running(survey, part) + own
        for part in parts
        for own in [_activations(survey, part)]
    )
    parameters = sum(part.parameters for part in parts)
    return _place(survey, ALL, survey.components[0].tokens) | {
        "class": None,
        "blocks": len(survey.structure.units),
        "parameters": parameters,
        "parameters_loaded": sum(part.held for part in parts),
        "parameters_torchinfo": sum(part.torchinfo for part in parts),
        "parameters_header": sum(h for h in headers if h) if all(headers) else None,
        "buffer_elements": sum(part.buffers for part in parts),
        **_weights(parameters),
        "forward_macs": None,
        "forwards_per_step": survey.architecture.sampling.forwards_per_step,
        "torchinfo_forward_backward_bytes": None,
        "torchinfo_total_bytes": None,
        "peak_activation_bytes": max(_activations(survey, part) for part in parts),
        "peak_bytes": max(needed),
        "note": "all weights resident, components run one after the other",
        "sampling": survey.architecture.sampling.stated,
        "status": COUNTED,
        "problem": "; ".join(
            dict.fromkeys(problem for part in parts for problem in problems(survey, part))
        ),
    }


def _place(survey: Survey, component: str, tokens: int) -> Row:
    """Return what every row says of the model and of the inputs."""
    entry = survey.architecture
    return {
        "architecture": entry.name,
        "label": entry.label,
        "family": entry.kind,
        "component": component,
        "width_pixels": entry.native,
        "height_pixels": entry.native,
        "batch": BATCH,
        "text_tokens": tokens,
        "dtype": TABLE_DTYPE,
    }


def _weights(parameters: int) -> Row:
    return {f"weights_{dtype}_bytes": size * parameters for dtype, size in WEIGHT_BYTES.items()}


def _activations(survey: Survey, sizes: ComponentSizes) -> int:
    """Return the bytes of activations in the table's dtype at the native size."""
    dtype = computed_in(survey.architecture, sizes.name, TABLE_DTYPE)
    return _peak(sizes, survey.architecture.native).at(ACTIVATIONS[dtype])


def _running(survey: Survey, sizes: ComponentSizes) -> int:
    """Return the bytes of a component's weights and buffers while it runs."""
    return _resident(sizes, computed_in(survey.architecture, sizes.name, TABLE_DTYPE))


def _resident(sizes: ComponentSizes, dtype: str) -> int:
    """Return the bytes of weights, all that the pipeline loads, and of buffers."""
    return WEIGHT_BYTES[dtype] * sizes.held + _buffer_bytes(sizes, dtype)


def _buffer_bytes(sizes: ComponentSizes, dtype: str) -> int:
    return sizes.buffers * BUFFER_BYTES[ACTIVATIONS[dtype]]


def _torchinfo(survey: Survey, what: str) -> int:
    return int(getattr(survey.torchinfo, what))


def _peak(sizes: ComponentSizes, side: int) -> Peak:
    return sizes.peaks.get(side) or sizes.peaks[NO_SIDE]


def notes(sizes: ComponentSizes) -> list[str]:
    """Explain every disagreement of the three counts of a component, and name its buffers."""
    found = []
    if sizes.torchinfo != sizes.parameters:
        more = sizes.torchinfo - sizes.parameters
        why = (
            "a table that two modules share is counted at both"
            if more == sizes.tied
            else "modules that occur twice are counted again, and lone parameters left out"
        )
        found.append(f"torchinfo counts {more:+,}: {why}")
    if sizes.header is None:
        found.append("no checkpoint's header at hand")
    elif sizes.header != sizes.parameters:
        found.append(f"the header has {sizes.header - sizes.parameters:+,}: {_header(sizes)}")
    if sizes.loaded is not None:
        found.append(
            f"the pipeline loads all of {sizes.loaded_class}: {sizes.loaded:,} parameters, which "
            "peak memory counts"
        )
    if sizes.buffers >= 1_000_000:
        found.append(
            f"{sizes.buffers:,} elements are buffers (tables of positions), counted apart: "
            f"with them {sizes.parameters + sizes.buffers:,}"
        )
    return found


def problems(survey: Survey, sizes: ComponentSizes) -> list[str]:
    """Return what makes the figures of a component doubtful."""
    return build.problems(survey.architecture, sizes.name, sizes.parameters, sizes.stored)


def _header(sizes: ComponentSizes) -> str:
    if sizes.header == sizes.stored:
        return "buffers and second copies of tied weights that are stored too"
    return "not explained by stored buffers or tied weights: the configuration may be another's"


def memory(surveys: Iterable[Survey]) -> list[Row]:
    """
    Return a row per component, resolution, batch and dtype: weights, buffers, activations, sum.

    Of a denoiser whose pipeline runs guidance in one batch there are rows for that batch too.
    """
    return [
        _memory(survey, sizes, side, batch, dtype, peak)
        for survey in surveys
        for sizes in survey.components
        for batch, peaks in (
            (BATCH, sizes.peaks),
            (forward_batch(survey.architecture, BATCH), sizes.guided),
        )
        for side, peak in peaks.items()
        for dtype in WEIGHT_BYTES
    ]


def _memory(
    survey: Survey, sizes: ComponentSizes, side: int, batch: int, dtype: str, peak: Peak
) -> Row:
    computed = computed_in(survey.architecture, sizes.name, dtype)
    activations = peak.at(ACTIVATIONS[computed])
    return {
        "architecture": survey.architecture.name,
        "label": survey.architecture.label,
        "component": sizes.name,
        "width_pixels": side or None,
        "height_pixels": side or None,
        "batch": batch,
        "text_tokens": sizes.tokens,
        "dtype": dtype,
        "computed_in": computed if computed != "f8" else "f16",
        "weight_bytes": WEIGHT_BYTES[computed] * sizes.held,
        "weight_used_bytes": WEIGHT_BYTES[computed] * sizes.parameters,
        "buffer_bytes": _buffer_bytes(sizes, computed),
        "activation_bytes": activations,
        "peak_bytes": _resident(sizes, computed) + activations,
        "problem": "; ".join(problems(survey, sizes)),
    }


def blocks(survey: Survey) -> list[Row]:
    """Return a row per unit, one per unit and role, and the total, of one denoiser."""
    found = survey.structure
    place = _place(survey, survey.architecture.denoiser_name, survey.components[0].tokens)
    rows = []
    for piece in (*found.units, outside_of(survey)):
        rows.append(place | _block_row(survey, piece.mark, TOTAL, piece))
        rows += [
            place
            | {
                "block": role.mark,
                "role": role.role,
                "modules": role.modules,
                **_measures(survey, role.parameters, role.macs),
                "output_shape": None,
                "classes": None,
            }
            for role in found.roles
            if role.mark == piece.mark
        ]
    whole = Piece(TOTAL, (), (found.class_name,), found.parameters, found.buffers, found.macs, None)
    return [*rows, place | _block_row(survey, TOTAL, TOTAL, whole)]


def outside_of(survey: Survey) -> Piece:
    """Return what is outside the units as one piece."""
    parts = survey.structure.outside
    return Piece(
        mark=OUTSIDE,
        paths=tuple(part.mark for part in parts),
        classes=tuple(name for part in parts for name in part.classes),
        parameters=sum(part.parameters for part in parts),
        buffers=sum(part.buffers for part in parts),
        macs=sum(part.macs for part in parts),
        shape=None,
    )


def _block_row(survey: Survey, block: str, role: str, piece: Piece) -> Row:
    roles = [r for r in survey.structure.roles if block in {TOTAL, r.mark}]
    return {
        "block": block,
        "role": role,
        "modules": sum(r.modules for r in roles),
        **_measures(survey, piece.parameters, piece.macs),
        "output_shape": times(piece.shape),
        "classes": " + ".join(piece.classes),
    }


def _measures(survey: Survey, parameters: int, macs: int) -> Row:
    return {
        "parameters": parameters,
        "parameter_share": round(parameters / survey.structure.parameters, 6),
        "bytes": WEIGHT_BYTES[TABLE_DTYPE] * parameters,
        "macs": macs,
        "mac_share": round(macs / survey.structure.macs, 6),
    }


def times(shape: tuple[int, ...] | None) -> str | None:
    """
    Write a shape.

    >>> times((1, 320, 64, 64))
    '1×320×64×64'
    """
    return "×".join(map(str, shape)) if shape else None


def portrait(survey: Survey) -> Portrait:
    """Return what the drawing of an architecture shows."""
    entry = survey.architecture
    columns, rows = entry.latent_size(entry.native, entry.native)
    frames = (entry.video.latent_frames(),) if entry.video else ()
    return Portrait(
        name=entry.name,
        label=entry.label,
        kind=entry.kind,
        side=entry.native,
        batch=BATCH,
        tokens=survey.components[0].tokens,
        dtype=TABLE_DTYPE,
        forwards_per_step=entry.sampling.forwards_per_step,
        latent=(BATCH, entry.latent.channels, *frames, rows, columns),
        image_tokens=entry.image_tokens(entry.native, entry.native),
        downsampling=entry.latent.downsampling,
        encoders=tuple(
            Encoder(part.class_name, part.tokens, part.parameters, part.name)
            for part in survey.components
            if part.name in entry.text_encoders
        ),
        structure=survey.structure,
        doubt="; ".join(
            problem for part in survey.components for problem in problems(survey, part)
        ),
        frames=entry.video.frames if entry.video else 0,
    )
