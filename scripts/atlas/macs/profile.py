"""Profile one architecture: the MACs of all its components, by kind, unit and role."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import torch

from atlas.architectures import build, inputs, units
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import KINDS, Count, count
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.sizes import encoder_tokens_for, text_tokens
from atlas.basis.errors import AtlasError
from atlas.macs.counters import Compared, compare
from atlas.macs.request import Request, Size, growth_sizes, problem_of
from atlas.names.roles import roles_of

logger = logging.getLogger(__name__)

Row = dict[str, Any]
BYTES = 2
"""Of an element in half precision, for the bytes that a forward moves."""
OUTSIDE = "outside"
"""Name of what is in none of the units."""


@dataclass(frozen=True)
class Run:
    """One call of one component."""

    component: str
    call: str
    """forward, decode or encode."""
    size: Size | None
    """In pixels; None for text encoders."""
    tokens: int | None
    """Text tokens; None for an autoencoder."""
    is_asked: bool = True
    """Whether it is for a size asked for, not only for the growth."""


@dataclass(frozen=True)
class Profile:
    """What was found of one call; the same for components of one configuration."""

    parameters: int
    count: Count | None
    by_unit: dict[str, Row] = field(default_factory=dict)
    by_role: dict[str, Row] = field(default_factory=dict)
    counters: tuple[Compared, ...] = ()
    problem: str = ""


@dataclass
class Known:
    """What one architecture leaves for the next: shapes, and calls of equal components."""

    remembered: RememberedShapes = field(default_factory=RememberedShapes)
    profiles: dict[str, Profile] = field(default_factory=dict)


def runs_of(architecture: Architecture, request: Request) -> Iterator[Run]:
    """Yield the calls that an architecture's profile needs, the denoiser's first."""
    asked = request.sizes(architecture)
    tokens = _text_tokens(architecture, request)
    for size in dict.fromkeys([*asked, *growth_sizes(architecture)]):
        yield Run(architecture.denoiser_name, "forward", size, tokens, size in asked)
    for name, encoder in architecture.text_encoders.items():
        length = encoder_tokens_for(architecture, name, encoder, request.text_length)
        yield Run(name, "forward", None, length)
    if "vae" in architecture.components:
        yield from (Run("vae", call, size, None) for call in ("decode", "encode") for size in asked)


def _text_tokens(architecture: Architecture, request: Request) -> int:
    return text_tokens(architecture, request.text_length if architecture.text else None)


def rows(
    architecture: Architecture, request: Request, known: Known, *, with_counters: bool = True
) -> tuple[list[Row], list[Row]]:
    """
    Return the profile's rows and the rows of the counters' comparison.

    A call that can't be counted is one row with its problem and no number.
    """
    found, compared = [], []
    modules: dict[str, torch.nn.Module] = {}
    for run in runs_of(architecture, request):
        profile = _profile(architecture, run, request, known, modules, with_counters)
        head = _head(architecture, run, request, profile)
        found += [head | row for row in _profile_rows(profile)]
        compared += [head | row.row() for row in profile.counters]
    return found, compared


def _profile(
    architecture: Architecture,
    run: Run,
    request: Request,
    known: Known,
    modules: dict[str, torch.nn.Module],
    with_counters: bool,
) -> Profile:
    facts = architecture.components[run.component]
    key = json.dumps(
        [
            *(facts.class_name, dict(facts.config), run.call, run.size, run.tokens),
            *(request.batch, architecture.latent.__dict__, with_counters and run.is_asked),
        ],
        sort_keys=True,
    )
    if key not in known.profiles:
        try:
            if run.component not in modules:
                modules[run.component] = build.component(architecture, run.component)
            known.profiles[key] = _counted(
                architecture, run, request, known, modules[run.component], with_counters
            )
        except AtlasError as error:
            return _uncounted(architecture, run, str(error))
        # Models' code raises whatever it likes; the row tells it, and the rest is made.
        except Exception as error:
            return _uncounted(architecture, run, f"{type(error).__name__}: {error}")
    return known.profiles[key]


def _uncounted(architecture: Architecture, run: Run, problem: str) -> Profile:
    logger.error("%s: %s can't be counted: %s", architecture.name, run.component, problem)
    return Profile(0, None, problem=problem)


def _counted(
    architecture: Architecture,
    run: Run,
    request: Request,
    known: Known,
    module: torch.nn.Module,
    with_counters: bool,
) -> Profile:
    problem = problem_of(architecture, run.size) if run.size else None
    if problem:
        return Profile(build.parameters(module), None, problem=problem)
    arguments = _arguments(architecture, run, request)
    method = None if run.call == "forward" else run.call
    counted = count(module, arguments, method=method, remembered=known.remembered)
    profile = Profile(
        parameters=build.parameters(module),
        count=counted,
        by_unit=_by(counted, _unit_of(module)),
        by_role=_by(counted, _role_of(module)),
    )
    if not (with_counters and run.is_asked):
        return profile
    compared = compare(module, arguments, method, counted, known.remembered)
    return replace(profile, counters=compared)


def _arguments(architecture: Architecture, run: Run, request: Request) -> dict[str, Any]:
    if run.size is None:
        return inputs.text_encoder(
            architecture, run.component, batch=request.batch, tokens=run.tokens
        )
    width, height = run.size
    size: dict[str, Any] = {"width": width, "height": height, "batch": request.batch}
    if run.call == "forward":
        return inputs.denoiser(architecture, **size, text_length=run.tokens or None)
    make = inputs.vae_decode if run.call == "decode" else inputs.vae_encode
    return make(architecture, **size)


def _by(counted: Count, name_of: Callable[[str], str]) -> dict[str, Row]:
    """Return MACs by kind for each name."""
    found: dict[str, Row] = {}
    for (path, kind), macs in counted.macs.items():
        row = found.setdefault(name_of(path), dict.fromkeys(KINDS, 0))
        row[kind] += macs
    return found


def _unit_of(module: torch.nn.Module) -> Callable[[str], str]:
    marks = units.of(module)
    return lambda path: units.mark_of(path, marks) or OUTSIDE


def _role_of(module: torch.nn.Module) -> Callable[[str], str]:
    """Tell a module's role by its parameters; a module of attention by those of attention."""
    roles = roles_of({name: tuple(value.shape) for name, value in module.named_parameters()})

    def role_of(path: str) -> str:
        own = [role for name, role in roles.items() if not path or name.startswith(path + ".")]
        attention = [role for role in own if role.endswith("attention")]
        return next(iter([*attention, *own]), "other")

    return role_of


def _head(architecture: Architecture, run: Run, request: Request, profile: Profile) -> Row:
    width, height = run.size or (None, None)
    columns, lines = (
        architecture.latent_size(*run.size) if run.size and not profile.problem else (None, None)
    )
    return {
        "architecture": architecture.name,
        "component": run.component,
        "class": architecture.components[run.component].class_name,
        "call": run.call,
        "width_pixels": width,
        "height_pixels": height,
        "latent_width": columns,
        "latent_height": lines,
        "image_tokens": architecture.image_tokens(*run.size) if run.size else None,
        "text_tokens": run.tokens,
        "batch": request.batch,
        "is_asked": run.is_asked,
        "parameters": profile.parameters or None,
    }


def _profile_rows(profile: Profile) -> Iterator[Row]:
    """Yield the total, then the units, then the roles: each adds up to the total."""
    if profile.count is None:
        yield {"part": "total", "name": "", "problem": profile.problem}
        return
    moved = bytes_moved(profile.count)
    yield _kinds_row("total", "", {**profile.count.by_kind()}) | {"moved_bytes": moved}
    for part, table in (("unit", profile.by_unit), ("role", profile.by_role)):
        yield from (_kinds_row(part, name, kinds) for name, kinds in table.items())


def _kinds_row(part: str, name: str, kinds: Mapping[Any, int]) -> Row:
    total = sum(kinds.values())
    named = {f"{kind.replace(' ', '_')}_macs": macs for kind, macs in kinds.items()}
    return {"part": part, "name": name, "macs": total, "flops": 2 * total, **named, "problem": ""}


def bytes_moved(counted: Count) -> int:
    """
    Return the bytes that a forward must move in half precision, for its arithmetic intensity.

    Weights are read once per call; inputs and outputs of layers and of fused attention pass
    through memory; elementwise work between them is taken to be fused with them.
    """
    layers = sum(
        prod(call.received) + prod(call.returned) + _weights(call.layer) for call in counted.layers
    )
    return BYTES * (layers + counted.attention_elements)


def _weights(layer: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters(recurse=False))
