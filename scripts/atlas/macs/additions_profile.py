"""What an addition costs on top of an architecture: parameters, MACs and memory."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from atlas.architectures import build, inputs, memory
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import count
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.sizes import check_batch, check_size
from atlas.basis.errors import AtlasError
from atlas.macs import additions_calls as calls
from atlas.macs import additions_images as images
from atlas.macs.additions import Addition
from atlas.macs.additions_lora import adapted, matching
from atlas.macs.summary import Sampling

logger = logging.getLogger(__name__)

Row = dict[str, Any]
Size = tuple[int, int]
"""Width and height in pixels."""

BYTES = 2
"""Of a parameter in half precision."""

COLUMNS = [
    "architecture", "label", "addition", "addition_label", "kind", "width_pixels",
    "height_pixels", "batch", "parameters", "forward_macs", "denoiser_forward_macs", "share",
    "forwards_per_step", "step_macs", "once_macs", "steps", "image_macs", "usual_steps",
    "usual_image_macs", "weight_bytes", "activation_bytes", "denoiser_activation_bytes", "problem",
]  # fmt: skip
"""MACs of a forward, a step and what runs once are of the batch, those of an image of one image."""


@dataclass(frozen=True)
class Cost:
    """What one forward needs."""

    macs: int
    activations: int
    """Peak bytes in half precision."""


@dataclass(frozen=True)
class Extra:
    """What an addition needs on top at one size."""

    forward: int
    """MACs of each forward that it runs with."""
    once: int
    """MACs that are spent once for all steps."""
    once_per_prompt: int
    """MACs on top of the text encoders', for each prompt."""
    activations: int
    """Bytes on top of the denoiser's peak."""
    parameters: int
    weights: int
    """Bytes in half precision; none where the addition is merged."""
    problem: str = ""


@dataclass
class Host:
    """An architecture with its modules and costs, made once for all its additions."""

    architecture: Architecture
    batch: int
    remembered: RememberedShapes
    _modules: dict[str, torch.nn.Module] = field(default_factory=dict)
    _alone: dict[Size, Cost] = field(default_factory=dict)
    _encoding: dict[Size, int] = field(default_factory=dict)

    def module(self, name: str) -> torch.nn.Module:
        """Return a component, built at the first call."""
        if name not in self._modules:
            self._modules[name] = build.component(self.architecture, name)
        return self._modules[name]

    @property
    def denoiser(self) -> torch.nn.Module:
        """The denoiser."""
        return self.module(self.architecture.denoiser_name)

    def place(self, size: Size) -> calls.Place:
        """Return what the denoiser is given at a size."""
        width, height = size
        given = inputs.denoiser(self.architecture, width=width, height=height, batch=self.batch)
        return calls.Place(self.architecture, width, height, self.batch, given)

    def cost(self, module: torch.nn.Module, arguments: Mapping[str, Any]) -> Cost:
        """Count a forward and follow its memory."""
        counted = count(module, arguments, remembered=self.remembered)
        live = memory.live_bytes(module, arguments, pixels=0, remembered=self.remembered)
        return Cost(counted.total, max(live.half))

    def alone(self, size: Size) -> Cost:
        """Return the denoiser's forward without additions."""
        if size not in self._alone:
            self._alone[size] = self.cost(self.denoiser, self.place(size).denoiser)
        return self._alone[size]

    def encoding(self, size: Size) -> int:
        """Return the MACs of encoding the control image with the autoencoder."""
        if size not in self._encoding:
            width, height = size
            given = inputs.vae_encode(
                self.architecture, width=width, height=height, batch=self.batch
            )
            encoder = self.module("vae")
            counted = count(encoder, given, method="encode", remembered=self.remembered)
            self._encoding[size] = counted.total
        return self._encoding[size]

    def text_macs(self, names: Iterable[str]) -> int:
        """Return the MACs of text encoders for one prompt per image."""
        total = 0
        for name in names:
            given = inputs.text_encoder(self.architecture, name, batch=self.batch)
            total += count(self.module(name), given, remembered=self.remembered).total
        return total


def sizes_of(architecture: Architecture, resolutions: Sequence[Sequence[int] | str]) -> list[Size]:
    """Return the sizes asked for, "native" told in pixels, each once."""
    found = [
        architecture.native_size if isinstance(size, str) else (size[0], size[1])
        for size in resolutions
    ]
    return list(dict.fromkeys(found))


def rows(host: Host, addition: Addition, sizes: Sequence[Size], sampling: Sampling) -> list[Row]:
    """
    Return what an addition costs on top at each size.

    One that does not go with the architecture, or can't be counted, is a row with the reason and
    no number.
    """
    head = _head(host.architecture, addition)
    reason = calls.misfit(addition, host.architecture)
    if reason:
        return [head | {"problem": reason}]
    found = []
    for size in sizes:
        place = {"width_pixels": size[0], "height_pixels": size[1], "batch": host.batch}
        try:
            check_size(host.architecture, *size)
            check_batch(host.batch)
            extra = KINDS[addition.kind](host, addition, size)
            found.append(head | place | _row(host, addition, size, extra, sampling))
        except AtlasError as error:
            found.append(head | place | {"problem": str(error)})
        # Models' code raises whatever it likes; the row tells it, and the rest is made.
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            logger.error("%s with %s: %s", host.architecture.name, addition.name, problem)
            found.append(head | place | {"problem": problem})
    return found


def failed(name: str, addition: Addition, problem: str) -> Row:
    """Return the row of an architecture that can't be read: its problem and no number."""
    return {
        "architecture": name,
        "label": name,
        "addition": addition.name,
        "addition_label": addition.label,
        "kind": addition.kind,
        "problem": problem,
    }


def _head(architecture: Architecture, addition: Addition) -> Row:
    return failed(architecture.name, addition, "") | {"label": architecture.label}


def _row(host: Host, addition: Addition, size: Size, extra: Extra, sampling: Sampling) -> Row:
    alone = host.alone(size)
    forwards = sampling.forwards(host.architecture)
    step = extra.forward * (1 if addition.forwards == "conditional" else forwards)
    once = extra.once + forwards * extra.once_per_prompt
    usual = host.architecture.sampling.steps
    image, usual_image = ((steps * step + once) // host.batch for steps in (sampling.steps, usual))
    return {
        "parameters": extra.parameters,
        "forward_macs": extra.forward,
        "denoiser_forward_macs": alone.macs,
        "share": round(extra.forward / alone.macs, 5),
        "forwards_per_step": forwards,
        "step_macs": step,
        "once_macs": once,
        "steps": sampling.steps,
        "image_macs": image,
        "usual_steps": usual,
        "usual_image_macs": usual_image,
        "weight_bytes": extra.weights,
        "activation_bytes": extra.activations,
        "denoiser_activation_bytes": alone.activations,
        "problem": extra.problem,
    }


def network(addition: Addition, architecture: Architecture) -> torch.nn.Module:
    """Build an addition's network on the meta device; its file is named in errors."""
    if addition.network is None:
        raise AtlasError(f"{addition.origin}: {addition.kind} lacks its network")
    own = replace(
        architecture,
        name=addition.name,
        origin=addition.origin,
        components={"network": addition.network},
    )
    return build.component(own, "network")


def doubts(addition: Addition, built: torch.nn.Module) -> str:
    """Return what makes a network other than the published one: unknown keys, another count."""
    facts = addition.network
    if facts is None:
        return ""
    unknown = build.unknown_keys(type(built), facts)
    found = [f"{type(built).__name__} does not know the key {key}" for key in unknown]
    parameters = build.parameters(built)
    if facts.parameters is not None and facts.parameters != parameters:
        found.append(f"{parameters:,} parameters as built, {facts.parameters:,} were expected")
    return "; ".join(found)


def _of_controlnet(host: Host, addition: Addition, size: Size) -> Extra:
    """Count a ControlNet's forward, with the denoiser's that is given its outputs."""
    beside = network(addition, host.architecture)
    parameters, problem = build.parameters(beside), doubts(addition, beside)
    place, alone = host.place(size), host.alone(size)
    arguments = calls.controlnet(addition, beside, place)
    both = calls.combined(addition, host.denoiser, beside)
    cost = host.cost(both, {"denoiser": dict(place.denoiser), "network": arguments})
    return Extra(
        forward=cost.macs - alone.macs,
        once=0 if addition.image == "pixels" else host.encoding(size),
        once_per_prompt=0,
        activations=max(0, cost.activations - alone.activations),
        parameters=parameters,
        weights=BYTES * parameters,
        problem=problem,
    )


def _of_t2i_adapter(host: Host, addition: Addition, size: Size) -> Extra:
    """Count an adapter's only forward, and the denoiser's that is given its features."""
    beside = network(addition, host.architecture)
    place, alone = host.place(size), host.alone(size)
    arguments = calls.t2i_adapter(beside, place)
    before = host.cost(beside, arguments)
    with torch.no_grad(), host.remembered:
        features = beside(**arguments)
    given = {"denoiser": dict(place.denoiser), "features": features}
    cost = host.cost(calls.Fed(host.denoiser), given)
    peak = max(before.activations, cost.activations)
    return Extra(
        forward=cost.macs - alone.macs,
        once=before.macs,
        once_per_prompt=0,
        activations=max(0, peak - alone.activations),
        parameters=build.parameters(beside),
        weights=BYTES * build.parameters(beside),
        problem=doubts(addition, beside),
    )


def _of_ip_adapter(host: Host, addition: Addition, size: Size) -> Extra:
    """Count the image encoder's only forward, and the denoiser's with the image's tokens."""
    encoder = network(addition, host.architecture)
    width = int(encoder.config.projection_dim)  # type: ignore[arg-type, union-attr]
    before = host.cost(encoder, images.encoder_inputs(encoder, host.batch))
    place, alone = host.place(size), host.alone(size)
    with images.with_images(host.denoiser, addition.image_tokens, width) as own:
        cost = host.cost(host.denoiser, images.given(place, width))
    parameters = own + build.parameters(encoder)
    found = [doubts(addition, encoder)]
    if addition.parameters not in {None, own}:
        found.append(f"{own:,} parameters as built, {addition.parameters:,} were expected")
    return Extra(
        forward=cost.macs - alone.macs,
        once=before.macs,
        once_per_prompt=0,
        activations=max(0, max(before.activations, cost.activations) - alone.activations),
        parameters=parameters,
        weights=BYTES * parameters,
        problem="; ".join(filter(None, found)),
    )


def _of_lora(host: Host, addition: Addition, size: Size) -> Extra:
    """Count the forwards with two thin layers beside each of those named."""
    architecture, rank = host.architecture, addition.rank
    own, texts = (addition.modules.get(name, ()) for name in ("denoiser", "text_encoders"))
    wanted = {architecture.denoiser_name: own} | dict.fromkeys(architecture.text_encoders, texts)
    named = {
        name: names
        for name, names in wanted.items()
        if names and matching(host.module(name), names)
    }
    if not named:
        told = ", ".join(name for names in addition.modules.values() for name in names[:3])
        raise AtlasError(f"none of its modules is called as those of {addition.name}: {told}, …")
    alone = host.alone(size)
    encoders = [name for name in named if name in architecture.text_encoders]
    text_before = host.text_macs(encoders)
    with ExitStack() as stack:
        parameters = sum(
            stack.enter_context(adapted(host.module(name), names, rank))
            for name, names in named.items()
        )
        if addition.merged:
            return Extra(0, 0, 0, 0, parameters, 0)
        cost = host.cost(host.denoiser, host.place(size).denoiser)
        text = host.text_macs(encoders) - text_before
    return Extra(
        forward=cost.macs - alone.macs,
        once=0,
        once_per_prompt=text,
        activations=max(0, cost.activations - alone.activations),
        parameters=parameters,
        weights=BYTES * parameters,
    )


KINDS: dict[str, Callable[[Host, Addition, Size], Extra]] = {
    "controlnet": _of_controlnet,
    "t2i_adapter": _of_t2i_adapter,
    "ip_adapter": _of_ip_adapter,
    "lora": _of_lora,
}
"""Kind of addition to what counts it."""
