"""Train one component of a model a little further, and leave the others as they are."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from atlas.basis.errors import AtlasError, nearest
from atlas_demo.digits import fitting, networks, training

Weights = dict[str, np.ndarray]


def finetune(
    component: str,
    weights: Mapping[str, Weights],
    *,
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    vocabulary: Path,
) -> Weights:
    """
    Return a component's new weights.

    Parameters
    ----------
    component
        `unet`: all of it is trained, on digits seen in a mirror; `vae` and `text_encoder`: the
        plan's modules are.
    weights
        Of all components under diffusers' names.
    digits
        config/demo/digits.yaml.
    plan
        The component's `training` there with what `finetuning` changes, and `steps`.
    vocabulary
        Folder with vocab.json and merges.txt.

    Raises
    ------
    AtlasError
        If there is no such component.
    """
    if component not in TUNERS:
        raise AtlasError(f"no component {component} can be trained{nearest(component, TUNERS)}")
    network = _network(component, digits, weights)
    TUNERS[component](network, weights, digits, plan, vocabulary)
    return networks.arrays_of(network)


def _tune_unet(
    unet: nn.Module,
    weights: Mapping[str, Weights],
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    vocabulary: Path,
) -> None:
    vae = _network("vae", digits, weights)
    encoder = _network("text_encoder", digits, weights)
    conditions = fitting.conditions_of(encoder, digits=digits, vocabulary=vocabulary)
    fitting.fit_unet(
        unet, vae=vae, conditions=conditions, digits=digits, plan=plan, is_mirrored=True
    )


def _tune_vae(
    vae: nn.Module,
    _: Mapping[str, Weights],
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    __: Path,
) -> None:
    parameters = training.choose(vae, plan["modules"])
    fitting.fit_vae(vae, parameters=parameters, digits=digits, plan=plan)


def _tune_text_encoder(
    encoder: nn.Module,
    _: Mapping[str, Weights],
    digits: Mapping[str, Any],
    plan: dict[str, Any],
    vocabulary: Path,
) -> None:
    parameters = training.choose(encoder, plan["modules"])
    fitting.fit_text_encoder(
        encoder, parameters=parameters, digits=digits, plan=plan, vocabulary=vocabulary
    )


TUNERS: dict[str, Callable[..., None]] = {
    "unet": _tune_unet,
    "vae": _tune_vae,
    "text_encoder": _tune_text_encoder,
}


def _network(
    component: str, digits: Mapping[str, Any], weights: Mapping[str, Weights]
) -> nn.Module:
    return networks.load(component, digits["components"][component], weights[component])
