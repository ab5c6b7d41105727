"""GPUs, what they can do at most, and what caching saves: facts of config/devices.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import CONFIG
from atlas.basis.validation import FaultyFileError, read_yaml, schema, schema_faults

FILE = CONFIG / "devices.yaml"


@dataclass(frozen=True)
class Device:
    """One GPU: peaks without sparsity."""

    name: str
    label: str
    memory_gib: float
    bandwidth_gb_per_s: float
    """In 10⁹ bytes a second."""
    tflops: Mapping[str, float]
    """By f32, tf32, f16, bf16, f8: 10¹² floating-point operations a second, dense."""
    source: str
    certain: bool = True
    reported: Sequence[str] = ()
    """What CUDA calls it."""

    @property
    def memory_bytes(self) -> int:
        """All of its memory."""
        return round(self.memory_gib * 2**30)

    def rate(self, arithmetic: str) -> float | None:
        """
        Return FLOP/s of matrix products; None for a dtype that it has no units for.

        In float32 the faster of plain and TF32: a bound on time must be the lowest.
        """
        known = (self.tflops.get(name) for name in _NAMES[arithmetic])
        return max((1e12 * value for value in known if value is not None), default=None)


_NAMES = {"f32": ("f32", "tf32"), "f16": ("f16",), "bf16": ("bf16",), "f8": ("f8",)}


@dataclass(frozen=True)
class Caching:
    """A way of reusing results of earlier steps."""

    name: str
    label: str
    work: float
    """Share of the denoiser's work that is left, as `source` states it for its setting."""
    source: str
    certain: bool = True


@cache
def read(path: Path = FILE) -> tuple[dict[str, Device], dict[str, Caching]]:
    """
    Return all GPUs and ways of caching by name, checked against the schema.

    Raises
    ------
    AtlasError
        if the file is not usable; all faults are told at once.
    """
    facts, faults = read_yaml(path)
    faults += schema_faults(facts, schema("devices"))
    if faults:
        raise FaultyFileError(path, faults)
    gpus = {name: Device(name=name, **told) for name, told in facts["devices"].items()}
    ways = {name: Caching(name=name, **told) for name, told in facts["caching"].items()}
    return gpus, ways


def chosen(names: Sequence[str] | str) -> list[Device]:
    """
    Return GPUs by name, or `all`.

    >>> [gpu.label for gpu in chosen(["t4"])]
    ['T4']

    Raises
    ------
    AtlasError
        for a name that is not known, with the nearest.
    """
    known, _ = read()
    if names == "all":
        return list(known.values())
    for name in names:
        if name not in known:
            raise AtlasError(
                f"macs › devices: {name}: no such GPU in {FILE}{nearest(name, known)} "
                f"(known are {', '.join(known)}, or all)"
            )
    return [known[name] for name in names]
