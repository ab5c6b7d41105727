"""Networks of a pipeline, built from their configurations with the weights of a source."""

import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import torch
from torch import nn

from atlas.activations.sources import Source
from atlas.architectures import build, catalogue
from atlas.architectures.architecture import Architecture, Component
from atlas.basis.errors import AtlasError
from atlas.tensors.tensors import Tensor

TEXT_MODEL = "text_model."
"""Before names of CLIP's text encoders, in some versions of transformers and files."""

POSITIONS = "position_ids"
"""The one buffer that files need not have: numbers from 0 on."""


def architecture_of(source: Source, component: str) -> Architecture:
    """
    Return what a source's networks are built of: its folder's configurations, or the catalogue's.

    Raises
    ------
    AtlasError
        There are neither.
    """
    for folder in source.folders:
        if (folder / "model_index.json").is_file():
            return catalogue.load(str(folder))
    entry = source.catalogued(component)
    if entry is None:
        raise AtlasError(
            f"{source.path}: its {component} is of no architecture in the catalogue, and there is "
            "no configuration; name a diffusers folder that has it (configuration: folder)"
        )
    return entry


def config_of(architecture: Architecture, component: str) -> Mapping[str, Any]:
    """Return a component's configuration with all that its class has by default."""
    skeleton = build.component(architecture, component, torch.float32)
    config: Mapping[str, Any] = dict(skeleton.config)  # type: ignore[arg-type]
    return config


def weight_count(source: Source, component: str) -> int:
    """Return how many numbers a component has."""
    return sum(tensor.numel for tensor in source.required(component).values())


def loaded(
    source: Source,
    architecture: Architecture,
    component: str,
    *,
    dtype: torch.dtype,
    device: torch.device,
) -> nn.Module:
    """
    Build a component and fill it with the source's weights.

    Raises
    ------
    AtlasError
        The source lacks the component, or its weights are not those of the configuration.
    """
    facts = architecture.components.get(component)
    if facts is None:
        raise AtlasError(f"{source.path}: {architecture.origin} tells of no {component}")
    module = _on_meta(facts, architecture.origin)
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    names = _matched(source, component, expected)
    weights = source.state(component, names=set(names.values()))
    filled = {name: weights[own].reshape(expected[name]).to(dtype) for name, own in names.items()}
    module.load_state_dict(filled, strict=False, assign=True)
    _number_positions(module)
    return module.eval().requires_grad_(False).to(device)


def _on_meta(facts: Component, origin: str) -> nn.Module:
    kind: Any = getattr(import_module(facts.library), facts.class_name)
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            if facts.library == "diffusers":
                ignored = build.unknown_keys(kind, facts)
                known = {key: value for key, value in facts.config.items() if key not in ignored}
                made: nn.Module = kind.from_config(known)
            else:
                config = kind.config_class.from_dict(dict(facts.config))
                made = kind._from_config(config, attn_implementation="sdpa")
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise AtlasError(
            f"{origin}: {facts.class_name} can't be built with its configuration: {error}"
        ) from error
    return made


def _matched(
    source: Source, component: str, expected: Mapping[str, tuple[int, ...]]
) -> dict[str, str]:
    """Return the source's name of each tensor that a component has; refuse what does not fit."""
    tensors = source.required(component)
    there = {_bare(name): name for name in tensors}
    names = {name: there[_bare(name)] for name in expected if _bare(name) in there}
    lacking = [name for name in expected if name not in names and not name.endswith(POSITIONS)]
    wrong = [name for name, own in names.items() if not _fits(tensors[own], expected[name])]
    surplus = set(there.values()) - set(names.values())
    surplus = {name for name in surplus if not name.endswith(POSITIONS)}
    for what, found in (("lacks", lacking), ("has other shapes of", wrong), ("has also", surplus)):
        if found:
            raise AtlasError(
                f"{source.path}: its {component} {what} {len(found)} tensors of its configuration "
                f"({min(found)}, …); give the configuration that belongs to it (configuration: "
                "folder)"
            )
    return names


def _bare(name: str) -> str:
    return name.removeprefix(TEXT_MODEL)


def _fits(tensor: Tensor, shape: tuple[int, ...]) -> bool:
    """Tell whether shapes are equal but for sides of 1: convolutions that became layers."""
    return [side for side in tensor.shape if side != 1] == [side for side in shape if side != 1]


def _number_positions(module: nn.Module) -> None:
    """Give buffers that count positions their numbers: on the meta device they had none."""
    for owner in module.modules():
        for name, buffer in list(owner.named_buffers(recurse=False)):
            if buffer.is_meta and name == POSITIONS:
                numbers = torch.arange(buffer.shape[-1]).expand(buffer.shape).clone()
                owner.register_buffer(name, numbers, persistent=False)
