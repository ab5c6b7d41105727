"""
Components as modules on torch's meta device: shapes and dtypes without memory.

Counting is exact only there: on CPU tensors, real or fake, FlopCounterMode counts attention
as nothing, in silence (pytorch/pytorch#195460).
"""

import inspect
import logging
import warnings
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import torch

from atlas.architectures import meta
from atlas.architectures.architecture import Architecture, Component
from atlas.basis.errors import AtlasError, nearest

logger = logging.getLogger(__name__)


def component(
    architecture: Architecture, name: str, dtype: torch.dtype = torch.float16
) -> torch.nn.Module:
    """
    Build one component on the meta device, in eval mode and without gradients.

    Parameters
    ----------
    architecture
        An entry of the catalogue.
    name
        `unet` or `transformer`, `vae`, `text_encoder`, `text_encoder_2`, ...
    dtype
        Of all floating parameters and buffers.

    Raises
    ------
    AtlasError
        if the architecture has no such component, its class is unknown to diffusers or
        transformers, or the class can't be built with this configuration.
    """
    facts = _facts(architecture, name)
    kind = class_of(architecture, name)
    try:
        module = _build(kind, facts)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise AtlasError(
            f"{architecture.origin}: {facts.class_name} of {facts.library} "
            f"{version(facts.library)} can't be built with the configuration of {name}: {error}"
        ) from error
    # Some buffers are made by numpy and land on the CPU in spite of the device context. The
    # models' own `to` warns about precisions that matter only where there are weights.
    torch.nn.Module.to(module, device="meta", dtype=dtype)
    module.eval().requires_grad_(False)
    meta.prepare(module)
    for problem in problems(architecture, name, parameters(module), stored_elements(module)):
        logger.warning("%s", problem)
    return module


def parameters(module: torch.nn.Module) -> int:
    """Count the elements of all parameters; tied ones once, buffers not."""
    return sum(parameter.numel() for parameter in module.parameters())


def buffers(module: torch.nn.Module) -> int:
    """Count the elements of all buffers, such as SD3's table of positions."""
    return sum(buffer.numel() for buffer in module.buffers())


def import_classes(architectures: Iterable[Architecture]) -> None:
    """Import the classes of all components, for processes that are forked afterwards to share."""
    for architecture in architectures:
        for facts in architecture.components.values():
            getattr(import_module(facts.library), facts.class_name, None)


def _facts(architecture: Architecture, name: str) -> Component:
    if name not in architecture.components:
        raise AtlasError(
            f"{architecture.origin}: {architecture.name} has no component {name}"
            f"{nearest(name, architecture.components)} "
            f"(it has {', '.join(architecture.components)})"
        )
    return architecture.components[name]


def class_of(architecture: Architecture, name: str) -> type[torch.nn.Module]:
    """
    Return a component's class.

    Raises
    ------
    AtlasError
        if the architecture has no such component, or the library no such class.
    """
    facts = _facts(architecture, name)
    library = import_module(facts.library)
    kind = getattr(library, facts.class_name, None)
    if kind is None:
        raise AtlasError(
            f"{architecture.origin}: {name}: {facts.library} {version(facts.library)} has no class "
            f"{facts.class_name}{nearest(facts.class_name, dir(library))}; correct the name or "
            f"install a version of {facts.library} that has it"
        )
    return kind  # type: ignore[no-any-return]


def _build(kind: Any, facts: Component) -> torch.nn.Module:
    with torch.device("meta"), warnings.catch_warnings():
        # Chroma's own code uses a class that diffusers has deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        if facts.library == "diffusers":
            ignored = unknown_keys(kind, facts)
            known = {key: value for key, value in facts.config.items() if key not in ignored}
            return kind.from_config(known)  # type: ignore[no-any-return]
        config = kind.config_class.from_dict(dict(facts.config) | {"use_cache": False})
        # Gemma 2 caps its attention scores, which the fused attention can't do.
        attention = "eager" if getattr(config, "attn_logit_softcapping", None) else "sdpa"
        return kind._from_config(config, attn_implementation=attention)  # type: ignore[no-any-return]


def unknown_keys(kind: Any, facts: Component) -> list[str]:
    """Return the configuration keys that a class of diffusers does not know and so ignores."""
    if facts.library != "diffusers":
        return []
    known = set(inspect.signature(kind.__init__).parameters)
    return sorted(key for key in facts.config if key not in known)


def problems(architecture: Architecture, name: str, built: int, stored: int) -> list[str]:
    """
    Return what makes the figures of a component doubtful: a sentence for each fault of its facts.

    A key that its class does not know is ignored, so that what is built may be another model; and
    so it is where the published count of parameters is another one.

    Parameters
    ----------
    architecture, name
        An entry and its component.
    built
        Parameters of the module that was built.
    stored
        Elements of its state dict: a checkpoint's header counts stored buffers too.
    """
    facts = architecture.components[name]
    kind = getattr(import_module(facts.library), facts.class_name)
    known = set(inspect.signature(kind.__init__).parameters) - {"self"}
    compared = (
        "no published count to compare with"
        if facts.parameters is None
        else f"{facts.parameters:,} were expected"
    )
    found = [
        f"{architecture.origin}: {name}: {facts.class_name} of diffusers {version('diffusers')} "
        f"does not know the key {key} and ignores it{nearest(key, known) or '.'} "
        f"Built with {built:,} parameters; {compared}"
        for key in unknown_keys(kind, facts)
    ]
    if facts.parameters is not None and facts.parameters not in {built, stored}:
        found.append(
            f"{architecture.origin}: {name} has {built:,} parameters as built, but "
            f"{facts.parameters:,} were expected: its configuration is not that of the published "
            "weights"
        )
    return found


def stored_elements(module: torch.nn.Module) -> int:
    """Count the elements of the state dict: tied parameters twice, and the buffers kept in it."""
    return sum(tensor.numel() for tensor in module.state_dict().values())
