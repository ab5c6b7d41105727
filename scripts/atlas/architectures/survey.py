"""Survey one architecture on the meta device: sizes, units, MACs and memory, as plain values."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from atlas.architectures import build, inputs, memory, torchinfo_sizes
from atlas.architectures.architecture import Architecture
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.pipelines import forward_batch
from atlas.architectures.portraits import Structure
from atlas.architectures.sizes import encoder_tokens, text_tokens
from atlas.architectures.streaming import Stream, Way, streams
from atlas.architectures.structure import structure
from atlas.architectures.tiling import can_tile, tiled

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
    guided: dict[int, memory.Peak] = field(default_factory=dict)
    """Of the denoiser, where its pipeline runs guidance in one batch: of that batch."""
    tiled: dict[int, memory.Peak] = field(default_factory=dict)
    """Of an autoencoder that can decode by tiles: of decoding so."""
    loaded: int | None = None
    """Parameters of the model that the pipeline loads, where that is more than what is run."""
    loaded_class: str | None = None
    stored_in_float8: int = 0
    """Bytes of the parameters where layerwise casting stores what it can in float8."""

    @property
    def held(self) -> int:
        """Parameters that are in memory: of what the pipeline loads."""
        return self.loaded or self.parameters


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
    """
    Return the sides in pixels that the model can make, its native one among them, sorted.

    A clip is told at its native size alone: autoencoders of videos fail at many others.
    """
    if architecture.video is not None:
        return [architecture.native]
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
    key = json.dumps([architecture.described(name), tokens_of(architecture, name), sides])
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
    ways = streams(module)
    loaded = _loaded(architecture, name)
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
        **_peaks(architecture, name, module, sides, _Forwards(ways, known.remembered)),
        loaded=build.parameters(loaded) if loaded else None,
        loaded_class=facts.loaded.class_name if facts.loaded else None,
        stored_in_float8=ways["float8"].resident,
    )


def _elements(named: Iterable[tuple[str, torch.Tensor]]) -> int:
    return sum(tensor.numel() for _, tensor in named)


def _loaded(architecture: Architecture, name: str) -> torch.nn.Module | None:
    """Build what the pipeline loads in place of a component, if it is more than what is run."""
    facts = architecture.components[name].loaded
    if facts is None:
        return None
    components = {**architecture.components, name: facts}
    return build.component(replace(architecture, components=components), name)


@dataclass(frozen=True)
class _Forwards:
    """How forwards are followed."""

    streams: Mapping[Way, Stream]
    remembered: RememberedShapes

    def peak(self, call: Any, given: dict[str, Any], side: int, **further: Any) -> memory.Peak:
        """Return the peak of one call at a side in pixels."""
        return memory.peak(
            memory.live_bytes(
                call,
                given,
                pixels=side**2,
                remembered=self.remembered,
                streams=self.streams,
                **further,
            )
        )


def _peaks(
    architecture: Architecture, name: str, module: Any, sides: list[int], forwards: _Forwards
) -> dict[str, dict[int, memory.Peak]]:
    """Run a component at every side: of an autoencoder, its decoder, whole and by tiles."""
    peak = forwards.peak
    if name in architecture.text_encoders:
        given = inputs.text_encoder(architecture, name, batch=BATCH)
        return {"peaks": {NO_SIDE: peak(module, given, NO_SIDE)}}
    if name == architecture.denoiser_name:
        batches = {"peaks": BATCH, "guided": forward_batch(architecture, BATCH)}
        return {
            kind: {
                side: peak(
                    module,
                    inputs.denoiser(architecture, width=side, height=side, batch=batch),
                    side,
                )
                for side in sides
            }
            for kind, batch in batches.items()
            if kind == "peaks" or batch != BATCH
        }
    latents = {
        side: inputs.vae_decode(architecture, width=side, height=side, batch=BATCH)
        for side in sides
    }
    found = {"peaks": {side: peak(module.decode, given, side) for side, given in latents.items()}}
    # Of a clip each run of a tile differs from the last: the frames before it are kept.
    if can_tile(module) and architecture.video is None:
        with tiled(module):
            found["tiled"] = {
                side: peak(module.decode, given, side, repeated=module.decoder)
                for side, given in latents.items()
            }
    return found
