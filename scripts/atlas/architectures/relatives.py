"""
Which entry of the catalogue a folder or checkpoint is, or is most like, and what that decides.

Architectures of one configuration differ in how they are sampled (SDXL, its Turbo, DMD2): the
scheduler's file decides then, else the roster; else the sampling is not known, and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atlas.architectures.architecture import Architecture, Component, Sampling


@dataclass(frozen=True)
class Scheduler:
    """A folder's scheduler: its class and the values of its file."""

    class_name: str = ""
    config: Mapping[str, Any] | None = None
    """None where there is no such file."""


@dataclass(frozen=True)
class Relative:
    """The entry that is most alike."""

    entry: Architecture
    is_equal: bool
    """Whether its denoiser has this configuration, as far as the entry says it."""
    sampling: Sampling
    """As the entry has it, `stated` where nothing decides that it is this one's."""


def nearest_relative(
    components: Mapping[str, Component],
    scheduler: Scheduler,
    relatives: Iterable[Architecture],
    *,
    stated: Architecture | None = None,
) -> Relative | None:
    """
    Return the entry whose denoiser is of the same class and most alike; None if there is none.

    Parameters
    ----------
    components
        A pipeline's components, the denoiser first.
    scheduler
        The pipeline's scheduler.
    relatives
        The catalogue's entries.
    stated
        The entry that it is said to be.
    """
    denoiser = next(iter(components.values()))
    alike = [entry for entry in relatives if entry.denoiser.class_name == denoiser.class_name]
    if stated is not None:
        return Relative(stated, _differing(stated.denoiser, denoiser) == 0, stated.sampling)
    if not alike:
        return None
    best = min(_likeness(entry, components) for entry in alike)
    tied = [entry for entry in alike if _likeness(entry, components) == best]
    fitting = [entry for entry in tied if _fits(entry.sampling, scheduler)]
    most = max((len(entry.sampling.scheduler_config) for entry in fitting), default=0)
    fitting = [entry for entry in fitting if len(entry.sampling.scheduler_config) == most]
    chosen = _plainest(fitting or tied)
    is_equal = _differing(chosen.denoiser, denoiser) == 0
    is_decided = bool(fitting) and is_equal and _are_alike(fitting)
    return Relative(chosen, is_equal, chosen.sampling if is_decided else stated_as(chosen))


def of_equal_configuration(
    entry: Architecture, relatives: Iterable[Architecture]
) -> list[Architecture]:
    """Return the entries whose denoisers have an entry's class and configuration, itself too."""
    own = entry.denoiser
    return [
        other
        for other in relatives
        if other.denoiser.class_name == own.class_name and other.denoiser.config == own.config
    ]


def sampling_of_weights(entry: Architecture, relatives: Iterable[Architecture]) -> Sampling:
    """Return the sampling of an entry recognised by its tensors, which may be several entries'."""
    siblings = of_equal_configuration(entry, relatives)
    return entry.sampling if _are_alike([entry, *siblings]) else stated_as(entry)


def stated_as(entry: Architecture) -> Sampling:
    """Return an entry's sampling for what may well be sampled in another way."""
    return replace(entry.sampling, stated=f"not known: stated as {entry.label}")


def _likeness(entry: Architecture, components: Mapping[str, Component]) -> tuple[int, int, int]:
    """Return what orders entries by likeness, the most alike first: the denoiser, then the rest."""
    denoiser = next(iter(components.values()))
    others = [
        (known, components[name])
        for name, known in entry.components.items()
        if name in components and known is not entry.denoiser
    ]
    missing = len(set(entry.components) ^ set(components))
    return (
        _differing(entry.denoiser, denoiser),
        missing + sum(_differing(known, own) for known, own in others),
        -len(entry.denoiser.config),
    )


def _differing(known: Component, own: Component) -> int:
    """Count the values of a known configuration that another has not."""
    if known.class_name != own.class_name:
        return 1 + len(known.config)
    absent = object()
    return sum(own.config.get(key, absent) != value for key, value in known.config.items())


def _fits(sampling: Sampling, scheduler: Scheduler) -> bool:
    """Say whether a scheduler is the usual one of an entry."""
    config = scheduler.config or {}
    return sampling.scheduler == scheduler.class_name and all(
        config.get(key) == value for key, value in sampling.scheduler_config.items()
    )


def _are_alike(entries: Sequence[Architecture]) -> bool:
    """Say whether entries are sampled in the same way."""
    return len({(e.sampling.steps, e.sampling.forwards_per_step) for e in entries}) == 1


def _plainest(entries: Sequence[Architecture]) -> Architecture:
    """Return the entry that the others are made of: its name is the shortest."""
    return min(entries, key=lambda entry: (len(entry.name), entry.name))
