"""Survey one architecture on the meta device: sizes, units, MACs and memory, as plain values."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import torch

from atlas.architectures import build, inputs, memory, torchinfo_sizes
from atlas.architectures.architecture import Architecture
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.portraits import Structure
from atlas.architectures.sizes import encoder_tokens, text_tokens
from atlas.architectures.structure import structure

BATCH = 1
"""Images per forward in all tables; classifier-free guidance runs two of them per step."""

LEAST, MOST = 0.5, 4
"""Sides as multiples of the native one beyond which nobody makes images with a model."""

NO_SIDE = 0
"""In place of a side in pixels: a text encoder's memory does not depend on the image."""


@dataclass(frozen=True)
class ComponentSizes:
    """One component's parameters by three counts, and its peak activations."""

    name: str
    class_name: str
    parameters: int
    """Elements of all parameters, tied ones once."""
    torchinfo: int
    """As torchinfo counts them."""
    header: int | None
    """As a checkpoint's header or its publisher has them; None if not known."""
    tied: int
    """Elements of parameters that are used a second time: counted once in parameters."""
    stored: int
    """Elements of the state dict: tied parameters twice, and the buffers that are kept in it."""
    buffers: int
    tokens: int
    """Text tokens of a forward."""
    peaks: dict[int, memory.Peak]
    """Of activations, by side in pixels of a square image."""


@dataclass(frozen=True)
class Survey:
    """All that the tables and diagrams say of an architecture."""

    architecture: Architecture
    components: tuple[ComponentSizes, ...]
    """The denoiser first."""
    structure: Structure
    """Of the denoiser at the native resolution."""
    torchinfo: torchinfo_sizes.TorchinfoSizes
    """Of one forward of the denoiser in float16 at the native resolution."""


@dataclass(frozen=True)
class Failure:
    """An architecture that could not be surveyed."""

    name: str
    problem: str


@dataclass
class Known:
    """What one survey leaves for the next: shapes, and components that several share."""

    remembered: RememberedShapes = field(default_factory=RememberedShapes)
    sizes: dict[str, ComponentSizes] = field(default_factory=dict)


def survey(architecture: Architecture, *, sides: Sequence[int], known: Known) -> Survey:
    """
    Build and run all components of an architecture at its native resolution, and at others.

    Parameters
    ----------
    architecture
        An entry of the catalogue.
    sides
        Pixels of further square images whose memory is wanted; those that the model can't make
        are left out.
    known
        What earlier surveys left.

    Raises
    ------
    AtlasError
        if a component can't be built or run, or the units don't add up to the whole.
    """
    module = build.component(architecture, architecture.denoiser_name)
    native = architecture.native
    arguments = inputs.denoiser(architecture, width=native, height=native, batch=BATCH)
    told = torchinfo_sizes.of_forward(module, arguments, known.remembered)
    possible = possible_sides(architecture, sides)
    own = architecture.denoiser_name
    return Survey(
        architecture=architecture,
        components=(
            _sizes(architecture, own, module, possible, known, told.parameters),
            *(
                _known_sizes(architecture, name, possible, known)
                for name in architecture.components
                if name != own
            ),
        ),
        structure=structure(architecture, module, width=native, height=native, batch=BATCH),
        torchinfo=told,
    )


def possible_sides(architecture: Architecture, sides: Sequence[int]) -> list[int]:
    """Return the sides in pixels that the model can make, its native one among them, sorted."""
    multiple, native = architecture.latent.pixel_multiple, architecture.native
    most = min(architecture.largest or MOST * native, MOST * native)
    fitting = {side for side in sides if side % multiple == 0 and LEAST * native <= side <= most}
    return sorted(fitting | {native})


def tokens_of(architecture: Architecture, name: str) -> int:
    """Return the text tokens of one forward of a component; 0 if it is given none."""
    if name == architecture.denoiser_name:
        return text_tokens(architecture, None)
    encoder = architecture.text_encoders.get(name)
    return encoder_tokens(architecture, name, encoder, None) if encoder else 0


def _known_sizes(
    architecture: Architecture, name: str, sides: list[int], known: Known
) -> ComponentSizes:
    """Survey an autoencoder or text encoder, unless an equal one has been."""
    facts = architecture.components[name]
    key = json.dumps(
        [facts.class_name, dict(facts.config), tokens_of(architecture, name), sides], sort_keys=True
    )
    if key not in known.sizes:
        module = build.component(architecture, name)
        counted = torchinfo_sizes.parameters(module)
        known.sizes[key] = _sizes(architecture, name, module, sides, known, counted)
    return replace(known.sizes[key], name=name, header=facts.parameters)


def _sizes(
    architecture: Architecture,
    name: str,
    module: torch.nn.Module,
    sides: list[int],
    known: Known,
    torchinfo: int,
) -> ComponentSizes:
    facts = architecture.components[name]
    run = _runner(architecture, name, module, known)
    is_text_encoder = facts.library == "transformers"
    return ComponentSizes(
        name=name,
        class_name=facts.class_name,
        parameters=build.parameters(module),
        torchinfo=torchinfo,
        header=facts.parameters,
        tied=_elements(module.named_parameters(remove_duplicate=False)) - build.parameters(module),
        stored=_elements(module.state_dict().items()),
        buffers=build.buffers(module),
        tokens=tokens_of(architecture, name),
        peaks=memory.peaks(run, [NO_SIDE] if is_text_encoder else sides),
    )


def _elements(named: Iterable[tuple[str, torch.Tensor]]) -> int:
    return sum(tensor.numel() for _, tensor in named)


def _runner(
    architecture: Architecture, name: str, module: torch.nn.Module, known: Known
) -> Callable[[int], memory.LiveBytes]:
    """Return what runs a component at a side in pixels: of an autoencoder, its decoder."""
    call: Callable[..., Any] = module
    arguments: Callable[..., dict[str, Any]] = inputs.denoiser
    if name == "vae":
        call, arguments = cast(Any, module).decode, inputs.vae_decode
    elif name != architecture.denoiser_name:
        arguments = partial(inputs.text_encoder, name=name)

    def run(side: int) -> memory.LiveBytes:
        size: dict[str, Any] = {"width": side, "height": side} if side else {}
        return memory.live_bytes(
            call,
            arguments(architecture, **size, batch=BATCH),
            pixels=side**2,
            remembered=known.remembered,
        )

    return run
