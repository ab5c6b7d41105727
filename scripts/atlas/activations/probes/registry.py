"""The probes that there are, and which of them knows a network."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from atlas.activations.probes.probe import Probe
from atlas.basis.errors import AtlasError, nearest
from atlas.networks.sources import Source

AUTO = "auto"

PLACES = {
    "edm_imagenet": "atlas.activations.probes.dhariwal:DhariwalProbe",
    "unet": "atlas.activations.probes.unconditional:UNetProbe",
    "stable_diffusion": "atlas.activations.probes.stable_diffusion:StableDiffusionProbe",
    "transformer": "atlas.activations.probes.transformer:TransformerProbe",
}
"""Name to module and class; imported where needed. They are asked in this order."""


def kind(name: str) -> type[Probe]:
    """Return a probe's class by its name."""
    if name not in PLACES:
        raise AtlasError(
            f"probe: there is no probe {name}{nearest(name, PLACES)} "
            f"(auto, or one of {', '.join(PLACES)})"
        )
    module, _, class_name = PLACES[name].partition(":")
    found: type[Probe] = getattr(import_module(module), class_name)
    return found


def chosen(source: Source, options: Mapping[str, Any], *, name: str = AUTO) -> Probe:
    """
    Return the probe of a network: the one of a name, or the first that knows it.

    Parameters
    ----------
    options
        Of the dataset, for the probe: labels, prompts, steps, ...

    Raises
    ------
    AtlasError
        No probe knows the network, or the probe does not take an option or its value.
    """
    probe = kind(name) if name != AUTO else _recognised(source)
    for option in options:
        if option not in probe.takes:
            raise AtlasError(
                f"{option}: the probe {probe.name} ({probe.title}) takes no such option"
                f"{nearest(option, probe.takes)}; it takes {', '.join(sorted(probe.takes))}"
            )
    return probe(source, options)


def _recognised(source: Source) -> type[Probe]:
    for name in PLACES:
        if (probe := kind(name)).fits(source):
            return probe
    components = sorted({tensor.component for tensor in source.checkpoint.tensors})
    raise AtlasError(
        f"{source.path}: no probe knows this network (components: {', '.join(components)}); name "
        f"one (probe: {', '.join(PLACES)}), or give a diffusers folder with its configuration "
        "(configuration: folder)"
    )
