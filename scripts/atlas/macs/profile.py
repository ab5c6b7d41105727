"""Profile one architecture: the MACs of all its components, by kind, unit and role."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch

from atlas.architectures import build, inputs, units
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import KINDS, Count, count
from atlas.architectures.faults import COUNTED, FAILED
from atlas.architectures.meta import RememberedShapes
from atlas.basis.errors import AtlasError
from atlas.macs.counters import Compared, compare
from atlas.macs.files import IMPOSSIBLE
from atlas.macs.request import Prompt, Request, Size, growth_sizes, problem_of
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
    prompt: Prompt | None = None
    """None for an autoencoder."""
    is_asked: bool = True
    """Whether it is for a size asked for, not only for the growth."""
    is_compared: bool = True
    """Whether other counters are run beside it: of several prompts with the longest alone."""

    @property
    def tokens(self) -> int | None:
        """Text tokens that the component is given; None for an autoencoder."""
        if self.prompt is None or self.prompt.lengths is None:
            return None
        lengths = self.prompt.lengths
        return lengths.denoiser if self.is_denoiser else lengths.encoders[self.component]

    @property
    def is_denoiser(self) -> bool:
        """Whether it is a forward of the denoiser."""
        return self.call == "forward" and self.size is not None


@dataclass(frozen=True)
class Profile:
    """What was found of one call; the same for components of one configuration."""

    parameters: int
    count: Count | None
    stored: int = 0
    """Elements of the module's state dict."""
    by_unit: dict[str, Row] = field(default_factory=dict)
    by_role: dict[str, Row] = field(default_factory=dict)
    counters: tuple[Compared, ...] = ()
    status: str = COUNTED
    problem: str = ""


@dataclass
class Known:
    """What one architecture leaves for the next: shapes, and calls of equal components."""

    remembered: RememberedShapes = field(default_factory=RememberedShapes)
    profiles: dict[str, Profile] = field(default_factory=dict)


def runs_of(architecture: Architecture, request: Request) -> Iterator[Run]:
    """Yield the calls that an architecture's profile needs, the denoiser's first."""
    asked = request.sizes(architecture)
    prompts = request.prompts(architecture)
    longest = max(prompts, key=lambda each: each.lengths.denoiser if each.lengths else 0)
    for prompt in prompts:
        for size in dict.fromkeys([*asked, *growth_sizes(architecture)]):
            is_asked, is_compared = size in asked, size in asked and prompt is longest
            yield Run(architecture.denoiser_name, "forward", size, prompt, is_asked, is_compared)
    for name in architecture.text_encoders:
        yield from (
            Run(name, "forward", None, prompt, is_compared=prompt is longest)
            for prompt in prompts
            if prompt.lengths
        )
    if "vae" in architecture.components:
        yield from (Run("vae", call, size) for call in ("decode", "encode") for size in asked)


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
    if run.prompt and run.prompt.problem:
        return Profile(0, None, status=IMPOSSIBLE, problem=run.prompt.problem)
    key = json.dumps(
        [
            *(architecture.described(run.component), run.call, run.size, run.tokens),
            *(_attended(run), request.batch, with_counters and run.is_compared),
        ]
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
    return Profile(0, None, status=FAILED, problem=problem)


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
        return Profile(build.parameters(module), None, status=IMPOSSIBLE, problem=problem)
    arguments = _arguments(architecture, run, request)
    method = None if run.call == "forward" else run.call
    counted = count(module, arguments, method=method, remembered=known.remembered)
    compared: tuple[Compared, ...] = ()
    if with_counters and run.is_compared:
        compared = compare(module, arguments, method, counted, known.remembered)
    return Profile(
        parameters=build.parameters(module),
        count=counted,
        stored=build.stored_elements(module),
        by_unit=_by(counted, _unit_of(module)),
        by_role=_by(counted, _role_of(module)),
        counters=compared,
    )


def _attended(run: Run) -> int | None:
    """Return the text tokens that are left where the denoiser drops the padding within."""
    lengths = run.prompt.lengths if run.prompt else None
    if lengths is None or not run.is_denoiser or lengths.attended == lengths.denoiser:
        return None
    return lengths.attended


def _arguments(architecture: Architecture, run: Run, request: Request) -> dict[str, Any]:
    if run.size is None:
        return inputs.text_encoder(
            architecture, run.component, batch=request.batch, tokens=run.tokens
        )
    width, height = run.size
    size: dict[str, Any] = {"width": width, "height": height, "batch": request.batch}
    if run.call == "forward":
        return inputs.denoiser(
            architecture, **size, text_length=run.tokens or None, attended=_attended(run)
        )
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
        "prompts": run.prompt.name if run.prompt else "",
        "prompt_tokens": _prompt_tokens(architecture, run, request),
        "text_tokens": run.tokens,
        "batch": request.batch,
        "is_asked": run.is_asked,
        "parameters": profile.parameters or None,
        "doubt": "; ".join(_doubts(architecture, run, profile)),
        "status": profile.status,
    }


def _prompt_tokens(architecture: Architecture, run: Run, request: Request) -> int | None:
    """Return the tokens of the prompt itself; of one as long as the cap, what fills it."""
    text, lengths = architecture.text, run.prompt.lengths if run.prompt else None
    if text is None or lengths is None:
        return None
    if lengths.prompt is not None:
        return lengths.prompt
    return max((request.text_cap or text.cap) - text.kept, 0)


def _doubts(architecture: Architecture, run: Run, profile: Profile) -> list[str]:
    """Return what makes a component's figures doubtful, where there are any."""
    if profile.count is None:
        return []
    return build.problems(architecture, run.component, profile.parameters, profile.stored)


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
