"""
What can be added to an architecture: one YAML file each in config/additions; no torch here.

Adding one is adding a file; config/schemas/addition.schema.json says what each key means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from atlas.architectures.architecture import Component
from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import CONFIG
from atlas.basis.validation import FaultyFileError, read_yaml, schema, schema_faults

FOLDER = CONFIG / "additions"
ALL = "all"

Kind = Literal["controlnet", "t2i_adapter", "ip_adapter", "lora"]
Image = Literal["pixels", "latent", "packed latent"]


@dataclass(frozen=True)
class Fitting:
    """Which denoisers an addition goes with."""

    class_name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    """Values that the configuration must have."""


@dataclass(frozen=True)
class Addition:
    """One entry."""

    name: str
    label: str
    kind: Kind
    sources: tuple[str, ...]
    origin: str
    """The file: named in errors."""
    repository: str | None = None
    denoiser: Fitting | None = None
    """None for a LoRA that goes with all whose modules have the names."""
    network: Component | None = None
    """What runs beside the denoiser; of an IP-Adapter, its image encoder."""
    image: Image = "pixels"
    """What a ControlNet is given as its image."""
    extra_channels: int = 0
    """Of the control image, beside those of the latent."""
    forwards: Literal["all", "conditional"] = "all"
    """Denoiser forwards of a step that a ControlNet runs with."""
    image_tokens: int = 0
    """IP-Adapter: tokens that the image encoder's output is projected to."""
    parameters: int | None = None
    """As published, an IP-Adapter's image encoder left out."""
    rank: int = 0
    modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """LoRA: names of modules, of the `denoiser` and of the `text_encoders`."""
    merged: bool = False
    """LoRA: whether it was added to the weights before it runs."""


@cache
def names() -> list[str]:
    """Return the names of all entries, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def chosen(asked: Sequence[str] | str, *, setting: str) -> dict[str, str]:
    """
    Return, by name, the file of each addition asked for, all faults told at once.

    Parameters
    ----------
    asked
        "all" that ship, or names of config/additions and paths of YAML files.
    setting
        Where they are asked for, named in errors.

    Raises
    ------
    AtlasError
        for names that are not known, files that are not usable, and names that are the same.
    """
    files: dict[str, str] = {}
    faults: list[str] = []
    for entry in names() if asked == ALL else asked:
        try:
            path = file_of(entry)
            if path.parent != FOLDER:
                read(path)  # what ships is known to be usable
        except AtlasError as error:
            faults.append(str(error))
            continue
        if files.setdefault(path.stem, str(path)) != str(path):
            faults.append(f"{files[path.stem]} and {path}: two additions have one name")
    if faults:
        raise AtlasError("\n".join(f"{setting}: {fault}" for fault in faults))
    return files


def file_of(entry: str) -> Path:
    """
    Return the file of an addition by its name, or the path of one's own YAML file.

    Raises
    ------
    AtlasError
        if it is neither, with the nearest name.
    """
    if entry in names():
        return FOLDER / f"{entry}.yaml"
    if Path(entry).suffix in {".yaml", ".yml"}:
        return Path(entry)
    hint = nearest(entry, names()) or f" (known are {', '.join(names())})."
    raise AtlasError(f"{entry}: no addition of this name{hint} Or give the path of a YAML file.")


def read(path: Path) -> Addition:
    """Read one YAML file, checked against the schema; all faults are told at once."""
    facts, faults = read_yaml(path)
    faults += schema_faults(facts, schema("addition"))
    if faults:
        raise FaultyFileError(path, faults)
    return _addition(facts, path)


def _addition(facts: dict[str, Any], path: Path) -> Addition:
    made = {"denoiser", "network", "modules", "sources"}
    fitting, network = facts.get("denoiser"), facts.get("network")
    return Addition(
        name=path.stem,
        origin=str(path),
        sources=tuple(facts["sources"]),
        denoiser=Fitting(fitting["class"], fitting.get("config", {})) if fitting else None,
        network=_network(network, facts["kind"]) if network else None,
        modules={name: tuple(listed) for name, listed in facts.get("modules", {}).items()},
        **{key: value for key, value in facts.items() if key not in made},
    )


def _network(facts: dict[str, Any], kind: Kind) -> Component:
    return Component(
        class_name=facts["class"],
        config=facts["config"],
        parameters=facts.get("parameters"),
        library="transformers" if kind == "ip_adapter" else "diffusers",
    )
